import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.bench import epochs, measure
from benchmark.bench.measure import disturbance
from benchmark.bench.setup import OURS, REFERENCE, Setup, standin_images
from benchmark.bench.write import render
from benchmark.cli import main
from benchmark.errors import RunError
from benchmark.planning.measured import bench_paces
from benchmark.runs.axes import Network
from benchmark.system.hardware import ProcessorTime, cpu_model
from benchmark.training import cost
from tests.conftest import numerics_put_back
from tests.inline import Inline
from tests.made import GPU_A, GPU_B, machine_with

command = importlib.import_module("benchmark.cli.bench")  # the package names the command itself so
SMALL = ["--batch-size", "4", "--steps", "2", "--images", "8", "--epochs", "1", "--threads", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes for the smallest network of the family."""
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch, numerics_put_back():
        for module in (cost, epochs):  # test_cost.py and test_epochs.py have the processes
            patch.setattr(module, "Helper", Inline)
            patch.setattr(module, "keep_freed_memory", lambda: None)
        patch.setattr(measure, "CARRIED_BATCH", 2)
        patch.setattr(command, "NETWORKS", {**command.NETWORKS, "resnet110": {"family": "resnet", "depth": 11}})
        patch.setattr(sys, "argv", ["run_suite.py", "bench", *SMALL, "--reports-dir", str(folder)])
        main()
    return folder / "bench"


@pytest.fixture(scope="module")
def numbers(benched: Path) -> dict[str, Any]:
    (path,) = benched.glob("*.json")
    tree: dict[str, Any] = json.loads(path.read_text())
    return tree


def test_it_writes_a_json_a_table_and_a_picture(benched: Path) -> None:
    assert {path.suffix for path in benched.iterdir()} == {".json", ".md", ".png"}
    (table,) = benched.glob("*.md")
    (picture,) = benched.glob("*.png")
    text = table.read_text()
    assert f"]({picture.name})" in text
    for name in ("baseline", "SFE", "SFE as Listing 1", "SLA", "K = 33 after Layer1", OURS, REFERENCE):
        assert f"| {name} |" in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_measurements_say_what_they_are_of(numbers: dict[str, Any]) -> None:
    assert numbers["device"] == cpu_model()
    assert numbers["setup"]["threads"] == 1
    assert numbers["command"].startswith("python run_suite.py bench --batch-size 4")
    assert numbers["steps"]["memory_kind"] == "peak of a fresh process a variant"
    assert numbers["provenance"]["device_kind"] == "cpu"


def test_ratios_are_those_within_each_turn(numbers: dict[str, Any]) -> None:
    seconds, found = numbers["steps"]["step_seconds"], numbers["ratios"]
    pairs = [one / other for one, other in zip(seconds["SFE"], seconds["baseline"], strict=True)]
    assert len(pairs) == 2
    sfe = found["step time: SFE / baseline"]
    assert sfe["ratio"] == pytest.approx(sum(pairs) / 2)
    assert min(pairs) <= sfe["lower_quartile"] <= sfe["upper_quartile"] <= max(pairs)
    assert sfe["of_the_fastest"] == min(seconds["SFE"]) / min(seconds["baseline"])
    slower = [one / other for one, other in zip(seconds["SLA"], seconds["baseline"], strict=True)]
    assert found["step time: SLA / baseline"]["ratio"] == pytest.approx(sum(slower) / 2)
    memory = {name: of["memory_mib"] for name, of in numbers["steps"]["variants"].items()}
    assert found["peak memory: SLA / baseline"] == {"ratio": memory["SLA"] / memory["baseline"]}
    epochs = numbers["epochs"]["seconds_per_epoch"]
    (fast,) = (value for name, value in found.items() if name.startswith(f"images a second: {OURS}"))
    assert fast["ratio"] == pytest.approx(epochs[REFERENCE][0] / epochs[OURS][0])


def test_both_loops_begin_at_one_loss(numbers: dict[str, Any]) -> None:
    start = numbers["epochs"]["start_loss"]
    assert start[OURS] == pytest.approx(start[REFERENCE], rel=1e-5)
    assert {len(losses) for losses in numbers["epochs"]["train_loss"].values()} == {2}
    assert {len(times) for times in numbers["epochs"]["seconds_per_epoch"].values()} == {1}  # the first warms up


@pytest.mark.parametrize(("family", "depth", "side"), [("resnet", 110, 32), ("resnet_imagenet", 18, 224)])
def test_images_have_the_size_that_the_network_has_in_the_paper(family: Any, depth: int, side: int) -> None:
    assert standin_images(Network(family=family, depth=depth), 8).image_size == side


@pytest.mark.parametrize(
    ("withheld", "own", "lost", "verdict"),
    [(0.0, 99.0, (0.0, 0.01), "other processes.\n"), (30.0, 60.0, (0.3, 0.1), "disturbed measurement")],
)
def test_a_table_says_how_far_the_bench_was_disturbed(
    numbers: dict[str, Any], withheld: float, own: float, lost: tuple[float, float], verdict: str
) -> None:
    start, end = ProcessorTime(50, 5, 10), ProcessorTime(150, 5 + withheld, 10 + own)
    found = disturbance(start, end)
    assert found == pytest.approx({"withheld": lost[0], "others": lost[1]})
    text = render(numbers | {"disturbance": found}, "a.png")
    assert f"{lost[0]:.0%} was withheld" in text
    assert f"{lost[1]:.0%} went to other processes" in text
    assert verdict in text


def test_a_table_says_what_the_gpu_was_at(numbers: dict[str, Any]) -> None:
    at = {"sm_mhz": 1980, "memory_mhz": None, "celsius": 64}
    text = render(numbers | {"gpu": {"at_start": at, "at_end": at | {"celsius": 71}}}, "a.png")
    assert "\nThe GPU was at 1980 to 1980 MHz, 64 to 71 °C.\n" in text
    assert "The GPU was" not in render(numbers | {"gpu": {"at_start": None, "at_end": None}}, "a.png")


def test_where_the_system_keeps_no_processor_time_nothing_is_said_of_it(numbers: dict[str, Any]) -> None:
    assert disturbance(None, None) is None
    assert "withheld" not in render(numbers | {"disturbance": None}, "a.png")


def test_a_plan_takes_its_estimates_from_it(benched: Path) -> None:
    (path,) = benched.glob("*.json")
    seen = bench_paces(path, cpu_model())
    assert [(one.kind.rotations, *one.kind.heads[:2]) for one in seen] == [(1, 1, 0), (1, 2, 8), (4, 1, 0)], (
        "Listing 1 trains nobody"
    )
    assert all(0.01 < one.rate < 100 for one in seen)


Bench = Callable[..., tuple[int, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """The command with small settings: its exit status and what it says to a person."""

    def call(*options: str, measured: Callable[..., Any] | None = None) -> tuple[int, str]:
        if measured:
            monkeypatch.setattr("benchmark.bench.measure.measure_all", measured)
        monkeypatch.setattr(sys, "argv", ["run_suite.py", "bench", *SMALL, "--reports-dir", str(tmp_path), *options])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return status, capsys.readouterr().err

    return call


MEASURED = ("steps", "carried", "epochs", "ratios", "disturbance")


def test_loops_that_learn_different_things_do_not_pass(bench: Bench, numbers: dict[str, Any]) -> None:
    apart = numbers["epochs"] | {"learn_the_same": False}
    status, said = bench(measured=lambda *_: {key: numbers[key] for key in MEASURED} | {"epochs": apart})
    assert status == 1
    assert "warning: the loops did not learn the same" in said


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "Interrupted; nothing was written."),
        (MemoryError(), 1, "error: there is too little memory for this bench"),
        (torch.OutOfMemoryError("CUDA out of memory"), 1, "error: there is too little memory for this bench"),
        (RunError("the peak memory of SLA can't be measured"), 1, "error: the peak memory of SLA"),
    ],
)
def test_a_bench_that_ends_early_says_so_in_a_sentence(
    error: BaseException, status: int, words: str, bench: Bench, tmp_path: Path
) -> None:
    def end(*_: object) -> None:
        raise error

    found, said = bench(measured=end)
    assert found == status
    assert words in said
    assert "goes on from here" not in said
    assert not list(tmp_path.rglob("*.json"))


def test_it_refuses_before_it_measures_what_it_could_not_write(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bench").write_text("a file")
    status, said = bench(measured=lambda *_: pytest.fail("measured"))
    assert status == 2
    assert said.startswith(f"error: {tmp_path / 'bench'}: the bench can't be written there")


def test_a_gpu_that_pytorch_can_not_use_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, GPU_A, GPU_B)
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, "to be put back")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, said = bench("--device", "cuda")
    assert status == 2
    headline, error = said.splitlines()
    assert headline.endswith("on 2 GPUs, NVIDIA A and NVIDIA B: found by a test")
    assert error.startswith("error: PyTorch")
    assert "can't use this machine's GPU" in error
    assert os.environ["CUDA_VISIBLE_DEVICES"] == GPU_A.uuid
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_processor_has_no_tf32(bench: Bench) -> None:
    status, said = bench("--precision", "tf32", measured=lambda *_: pytest.fail("measured"))
    assert status == 2
    assert said.startswith("error: precision tf32: a processor has none")


def test_compiled_steps_are_asked_for_and_say_so(
    tmp_path: Path, numbers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    setups = []

    def measured(setup: Setup, _: Any) -> dict[str, Any]:
        setups.append(setup)
        assert "OMP_PROC_BIND" not in os.environ, "each loop would be bound to the first core"
        return {key: numbers[key] for key in MEASURED}

    monkeypatch.setenv("OMP_PROC_BIND", "true")
    monkeypatch.setattr("benchmark.bench.measure.measure_all", measured)
    monkeypatch.setattr(sys, "argv", ["run_suite.py", "bench", "--compiled", *SMALL, "--reports-dir", str(tmp_path)])
    main()
    assert setups[0].numerics().compiled
    (table,) = (tmp_path / "bench").glob("*-compiled.md")
    assert "One compiled training step" in table.read_text()
    assert {one.kind.compiled for one in bench_paces(table.with_suffix(".json"), cpu_model())} == {True}


def test_it_refuses_a_gpu_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine_with(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["run_suite.py", "bench", "--device", "cuda", "--reports-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
