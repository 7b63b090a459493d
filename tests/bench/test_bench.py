import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark import hardware
from benchmark.axes import Network
from benchmark.bench.measure import LEARNING_RATE, REFERENCE, Setup, _standin, _training, disturbance, ratios
from benchmark.bench.write import render
from benchmark.cli import main
from benchmark.costs import cost_model
from benchmark.data.standin import standin
from benchmark.hardware import ProcessorTime, cpu_model
from benchmark.training.loop import learning_rate

command = importlib.import_module("benchmark.cli.bench")  # the package names the command itself so
SMALL = ["--batch-size", "4", "--steps", "2", "--images", "8", "--epochs", "1", "--threads", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes for the smallest network of the family."""
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
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
    for name in ("baseline", "SFE", "SFE as Listing 1", "SLA", "K = 33 after Layer1", "this project, fp32", REFERENCE):
        assert f"| {name} |" in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_measurements_say_what_they_are_of(numbers: dict[str, Any]) -> None:
    assert numbers["device"] == cpu_model()
    assert numbers["setup"]["threads"] == 1
    assert numbers["command"].startswith("python run_suite.py bench --batch-size 4")
    assert numbers["steps"]["memory_kind"] == "peak of a fresh process a variant"
    assert numbers["provenance"]["device_kind"] == "cpu"


def test_ratios_are_those_of_the_medians(numbers: dict[str, Any]) -> None:
    steps = numbers["steps"]["variants"]
    found = numbers["ratios"]
    assert found == ratios(numbers)
    assert found["step time: SFE / baseline"] == pytest.approx(
        steps["SFE"]["seconds_per_step"] / steps["baseline"]["seconds_per_step"]
    )
    assert found["step time: SLA / baseline"] > 1.5  # four times the images
    assert found["peak memory: SLA / baseline"] > 1
    speeds = numbers["epochs"]["images_per_second"]
    (fast,) = (value for name, value in found.items() if name.startswith("images a second: this project, fp32"))
    assert fast == pytest.approx(speeds["this project, fp32"] / speeds[REFERENCE])


def test_both_loops_learn_the_same(numbers: dict[str, Any]) -> None:
    start = numbers["epochs"]["start_loss"]
    assert start["this project"] == pytest.approx(start["reference loop"], rel=1e-5)
    assert {len(losses) for losses in numbers["epochs"]["train_loss"].values()} == {2}
    assert {len(times) for times in numbers["epochs"]["seconds_per_epoch"].values()} == {1}  # the first warms up


def test_this_projects_loop_keeps_the_rate_that_the_reference_loop_has() -> None:
    setup = Setup(
        network="resnet11",
        backbone=Network(family="resnet", depth=11),
        batch_size=4,
        steps=1,
        images=8,
        epochs=5,
        threads=1,
        precision="fp32",
        compiled=False,
        device="cpu",
        device_name=cpu_model(),
    )
    schedule = _training(setup, standin(_standin(setup.images)), "fp32").spec.schedule
    assert {learning_rate(schedule, epoch) for epoch in range(6)} == {LEARNING_RATE}


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


def test_where_the_system_keeps_no_processor_time_nothing_is_said_of_it(numbers: dict[str, Any]) -> None:
    assert disturbance(None, None) is None
    assert "withheld" not in render(numbers | {"disturbance": None}, "a.png")


def test_a_plan_takes_its_estimates_from_it(benched: Path) -> None:
    model = cost_model(cpu_model(), gpu=False, benches=benched)
    assert "from a bench of this device" in model.basis
    assert model.factor is not None
    assert 0.01 < model.factor < 100


def test_compiled_steps_are_asked_for_and_say_so(
    tmp_path: Path, numbers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    setups = []

    def measured(setup: Setup, _: Any) -> dict[str, Any]:
        setups.append(setup)
        return {key: numbers[key] for key in ("steps", "carried", "epochs", "ratios", "disturbance")}

    monkeypatch.setattr("benchmark.bench.measure.measure_all", measured)
    monkeypatch.setattr(sys, "argv", ["run_suite.py", "bench", "--compiled", *SMALL, "--reports-dir", str(tmp_path)])
    main()
    assert setups[0].numerics().compiled
    (table,) = (tmp_path / "bench").glob("*-compiled.md")
    assert "One compiled training step" in table.read_text()
    assert "built-in table" in cost_model(cpu_model(), gpu=False, benches=tmp_path / "bench").basis


def test_it_refuses_a_gpu_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hardware, "gpu_models", tuple)
    monkeypatch.setattr(sys, "argv", ["run_suite.py", "bench", "--device", "cuda", "--reports-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
