"""The matrix of a bench, with helpers in this process instead of a process a combination."""

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.bench import matrix
from benchmark.bench.matrix import (
    FAILED,
    MEASURED,
    METHODS,
    NOT_REACHED,
    REFUSED,
    TIMED_OUT,
    Combination,
    Matrix,
    combinations_of,
)
from benchmark.bench.setup import OURS, REFERENCE, Setup
from benchmark.cli import main
from benchmark.errors import DeviceError
from benchmark.runs.axes import Network
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.system.hardware import cpu_model
from benchmark.training import cost
from tests.inline import Inline

command = importlib.import_module("benchmark.cli.bench")
SETUP = Setup(
    network="resnet11",
    backbone=Network(family="resnet", depth=11),
    batch_size=4,
    steps=1,
    images=8,
    epochs=1,
    threads=1,
    precision="fp32",
    compiled=False,
    device="cpu",
    device_name=cpu_model(),
)
GPU = {"device": "cuda", "device_name": "a GPU"}
LOOPS = {
    "in_turn": True,
    "images_per_second": {OURS: 80.0, REFERENCE: 40.0},
    "seconds_per_epoch": {OURS: [0.1], REFERENCE: [0.2]},
    "train_loss": {OURS: [11.0, 10.0], REFERENCE: [11.0, 10.0]},
    "start_loss": {OURS: 11.5, REFERENCE: 11.5},
    "learn_the_same": True,
    "learn_the_same_within": 0.2,
}


def block(seconds: float) -> dict[str, Any]:
    quartiles = {"seconds_per_step_lower_quartile": seconds, "seconds_per_step_upper_quartile": seconds}
    kept = {"memory_mib": 1e5 * seconds, "memory_kind": "peak of some memory", "step_seconds": [seconds], "steps": 1}
    return {"state": MEASURED, "seconds_per_step": seconds, **quartiles, **kept}


def measured(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
    """In place of a combination: a tenth of a second for the baseline, more for the others; 2 GB moved at 10 GB/s."""
    yield {"state": MEASURED, "methods": {name: block(0.1 * (1 + METHODS.index(name))) for name in methods}}
    yield dict.fromkeys(methods, 2 * 10**9), 1e10


Run = Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A matrix of made-up combinations: what it returns, and what it wrote on the way."""

    def call(
        combination: Callable[..., Iterator[Any]] = measured,
        budget_min: float | None = None,
        began: float | None = None,
        combinations: Sequence[Combination] = (),
        **setup: Any,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        monkeypatch.setattr(matrix, "Helper", Inline)
        monkeypatch.setattr(matrix, "cells_of", combination)
        monkeypatch.setattr(matrix, "measure_epochs", lambda *_: dict(LOOPS))
        written: list[dict[str, Any]] = []
        began = time.monotonic() if began is None else began
        on = Setup(**{**vars(SETUP), **setup})
        return Matrix(on, budget_min, began, lambda _: None, written.append, combinations).run(), written

    return call


def states(numbers: dict[str, Any], **only: str) -> list[str]:
    cells = [cell for cell in numbers["cells"] if all(cell[key] == value for key, value in only.items())]
    assert cells
    return [cell["state"] for cell in cells]


def test_the_most_wanted_comes_first_and_what_is_compiled_last() -> None:
    order = [(one.mode, one.precision, len(one.methods)) for one in combinations_of()]
    assert order[:7] == [
        ("eager", "bf16", 4),
        ("graph", "bf16", 4),
        ("eager", "fp32", 4),
        ("graph", "fp32", 4),
        ("graph", "tf32", 4),
        ("eager", "tf32", 4),
        ("loops", "", 0),
    ]
    assert order[7:] == [("compiled", precision, 1) for precision in ("bf16", "fp32", "tf32") for _ in range(4)]


def test_all_is_measured_on_a_gpu(run: Run) -> None:
    numbers, written = run(**GPU)
    assert states(numbers) == [MEASURED] * 3 * 3 * 4
    assert numbers["loops"] == {"state": MEASURED, **LOOPS}
    assert len(written) == len(combinations_of()) + 1
    assert states(written[0]) == [MEASURED] * 4 + [NOT_REACHED] * 32  # a bench that is killed has named the rest
    sla = next(cell for cell in numbers["cells"] if cell["method"] == "SLA")
    assert sla["time_over_baseline"] == pytest.approx(4)
    assert sla["memory_over_baseline"] == pytest.approx(4)
    assert sla["share_of_bandwidth_limit"] == pytest.approx(2 / 10 / 0.4)


def test_each_combination_has_its_own_settings(run: Run) -> None:
    seen = []

    def note(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        seen.append((setup.precision, setup.compiled, setup.graphs, setup.numerics().compiled))
        yield from measured(setup, methods)

    run(note, **GPU)
    assert seen[:3] == [("bf16", False, False, False), ("bf16", False, True, False), ("fp32", False, False, False)]
    assert seen[-1] == ("tf32", True, False, True)


def test_a_processor_is_refused_what_it_has_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, _ = run()
    assert states(numbers, mode="graph") == [REFUSED] * 12
    assert states(numbers, precision="tf32") == [REFUSED] * 12
    assert states(numbers, mode="compiled", precision="fp32") == [MEASURED] * 4
    assert {cell["why"] for cell in numbers["cells"] if cell["mode"] == "graph" and cell["precision"] == "bf16"} == {
        "a processor records no steps, only NVIDIA GPUs do"
    }
    monkeypatch.setenv(RECORDER_VARIABLE, "of.a:test")
    assert states(run()[0], mode="graph", precision="bf16") == [MEASURED] * 4


def test_networks_without_three_stages_have_no_reference_loop(run: Run) -> None:
    numbers, _ = run(backbone=Network(family="resnet_imagenet", depth=18), **GPU)
    assert numbers["loops"]["state"] == REFUSED


def test_one_that_fails_is_a_sentence_and_the_others_go_on(run: Run) -> None:
    def fail(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        if setup.precision == "fp32" and setup.graphs:
            raise ValueError("the step reads a number on the host")
        yield from measured(setup, methods)

    numbers, _ = run(fail, **GPU)
    assert states(numbers, mode="graph", precision="fp32") == [FAILED] * 4
    assert sorted(states(numbers)) == [FAILED] * 4 + [MEASURED] * 32
    (why,) = {cell["why"] for cell in numbers["cells"] if cell["state"] == FAILED}
    assert why == "Graph steps in fp32 can't be measured: ValueError: the step reads a number on the host"


def test_a_gpu_that_pytorch_can_not_use_ends_it_at_once(run: Run) -> None:
    def refused(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        raise DeviceError("PyTorch can't use this machine's GPU")
        yield

    with pytest.raises(DeviceError, match="can't use"):
        run(refused, **GPU)


def test_a_gpu_that_is_lost_on_the_way_costs_what_is_left(run: Run) -> None:
    def lost(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        if setup.precision == "fp32":
            raise DeviceError("PyTorch can't use this machine's GPU")
        yield from measured(setup, methods)

    numbers, _ = run(lost, **GPU)
    assert states(numbers, precision="bf16") == [MEASURED] * 12
    assert states(numbers, precision="fp32") == [FAILED] * 12


def test_what_does_not_fit_together_is_tried_alone(run: Run) -> None:
    def too_large(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        if "SLA" in methods:
            raise MemoryError("8 GiB")
        yield from measured(setup, methods)

    numbers, _ = run(too_large, combinations=[Combination("eager", "fp32", tuple(METHODS))])
    assert [cell["state"] for cell in numbers["cells"]] == [MEASURED] * 3 + [FAILED]
    assert numbers["cells"][-1]["why"] == "there is too little memory for it"
    assert numbers["cells"][1]["time_over_baseline"] == pytest.approx(2)


def test_times_stand_where_the_bytes_could_not_be_counted(run: Run) -> None:
    def uncounted(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        yield next(measured(setup, methods))
        raise ValueError("no such operation")

    numbers, _ = run(uncounted)
    assert numbers["bytes_per_second"] is None
    assert states(numbers, mode="eager", precision="fp32") == [MEASURED] * 4
    assert all("share_of_bandwidth_limit" not in cell for cell in numbers["cells"])


def test_one_that_takes_too_long_leaves_the_others_half_of_the_budget(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("benchmark.bench.matrix.time.monotonic", lambda: now[0])

    def slow(self: Inline, check: Callable[[], None] = lambda: None) -> Any:
        now[0] += 40 if "Eager steps in bf16" in self.what else 10
        return ask(self, check)

    ask = Inline.ask
    monkeypatch.setattr(Inline, "ask", slow)
    numbers, _ = run(budget_min=1.0, began=100.0, **GPU)
    assert states(numbers, mode="eager", precision="bf16") == [TIMED_OUT] * 4  # 40 s of 30
    assert states(numbers, mode="graph", precision="bf16") == [MEASURED] * 4
    assert states(numbers, mode="graph", precision="fp32") == [NOT_REACHED] * 4
    assert numbers["loops"]["why"] == "the 1 minutes of --budget-min were over"


@pytest.mark.usefixtures("own_numerics")
def test_a_combination_measures_time_memory_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "Helper", Inline)
    monkeypatch.setattr(cost, "keep_freed_memory", lambda: None)
    found = matrix.cells_of(SETUP, ["baseline", "SLA"])
    times = next(found)
    assert list(times["methods"]) == ["baseline", "SLA"]
    for name, cell in times["methods"].items():
        assert cell["state"] == MEASURED
        assert cell["step_seconds"] == [cell["seconds_per_step"]]
        assert cell["memory_mib"] > 100
        assert cell["system_share"] < 1
        assert "time_overhead_percent" not in cell, f"{name} may be the first of its process"
    moved, speed = next(found)
    assert 3 < moved["SLA"] / moved["baseline"] < 4
    assert speed > 0


# ------------------------------------------------------------------ the command

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """The command with made-up combinations: exit status, what it prints and what it says beside."""
    monkeypatch.setattr(matrix, "Helper", Inline)
    monkeypatch.setattr(matrix, "measure_epochs", lambda *_: dict(LOOPS))

    def call(*options: str, combination: Callable[..., Iterator[Any]] = measured) -> tuple[int, str, str]:
        monkeypatch.setattr(matrix, "cells_of", combination)
        words = ["bench", "--device", "cpu", "--reports-dir", str(tmp_path), "--threads", "1", *options]
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *words])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_a_gpus_clocks_stand_beside_the_times(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def clocked(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        hot = {"sm_mhz": 1980, "memory_mhz": 2619, "celsius": 64}
        cold = {"sm_mhz": 345, "memory_mhz": 2619, "celsius": None}
        first, *rest = measured(setup, methods)
        for cell in first["methods"].values():
            cell |= {"gpu": {"at_start": cold if setup.precision == "bf16" else None, "at_end": hot}}
            cell["steps_in_a_row"] = 10
        yield from (first, *rest)

    monkeypatch.setattr("benchmark.bench.matrix_write.draw", lambda _: b"")
    status, out, _ = bench("--matrix", "--batch-size", "4", combination=clocked)
    assert status == 0
    assert "The GPU was at 345 to 1980 MHz, 2619 to 2619 MHz of its memory, 64 to 64 °C." in out
    assert "medians and quartiles of 1 reading of 10 steps in a row, " in out
    (path,) = (tmp_path / "bench").glob("*.json")
    cells = json.loads(path.read_text())["matrix"]["cells"]
    assert cells[0]["gpu"]["at_end"]["sm_mhz"] == 1980


@pytest.mark.usefixtures("own_numerics")
def test_a_combination_on_a_gpu_asks_for_its_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """With torch's GPU stood in for."""

    class Session:
        def until_now(self, runs_beside: int) -> dict[str, Any]:
            return {"at_start": {"sm_mhz": 345}, "at_end": None, "runs_beside": runs_beside}

    blocks = {"baseline": {"seconds_per_step": 0.1, "time_overhead_percent": 0.0}}
    how = {"memory_kind": "some", "steps": 1, "steps_in_a_row": 10, "step_seconds": {"baseline": [0.1]}}
    monkeypatch.setattr(matrix, "GpuSession", Session)
    monkeypatch.setattr(matrix, "measure", lambda *_, **__: (blocks, how))
    times = next(matrix.cells_of(Setup(**{**vars(SETUP), **GPU}), ["baseline"]))
    assert times["methods"]["baseline"]["gpu"] == {"at_start": {"sm_mhz": 345}, "at_end": None, "runs_beside": 0}


def test_the_command_says_once_that_a_gpu_can_not_be_used(bench: Bench, tmp_path: Path) -> None:
    def refused(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        raise DeviceError("PyTorch can't use this machine's GPU")
        yield

    status, _, err = bench("--matrix", "--batch-size", "4", combination=refused)
    assert status == 2
    assert err.splitlines()[-1] == "error: PyTorch can't use this machine's GPU"
    assert not list((tmp_path / "bench").glob("*"))


def test_the_command_writes_numbers_table_and_picture(bench: Bench, tmp_path: Path) -> None:
    status, out, err = bench("--matrix", "--batch-size", "4", "--steps", "1")
    assert status == 0
    assert "| eager | bf16 | SLA | 400.00 (400.00 to 400.00) | 4.000 | 40000 | 4.000 | 50% |" in out
    assert "- graph fp32 (baseline, SFE, SFE as Listing 1, SLA): refused: a processor records no steps" in out
    assert "this project, fp32 50.00 ms (0.500 of the reference loop's)" in out
    assert "not measured: eager steps in tf32: a processor has no tf32" in err
    files = {path.suffix: path for path in (tmp_path / "bench").iterdir()}
    assert set(files) == {".json", ".md", ".png"}
    assert files[".md"].stem.endswith("-resnet110-batch-4-1-thread-matrix")
    assert files[".png"].read_bytes().startswith(b"\x89PNG")
    tree = json.loads(files[".json"].read_text())
    assert tree["setup"]["images"] == 32
    assert len(tree["matrix"]["cells"]) == 36


def test_what_was_measured_stands_when_it_is_interrupted(bench: Bench, tmp_path: Path) -> None:
    def interrupt(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        if setup.precision == "fp32":
            raise KeyboardInterrupt
        yield from measured(setup, methods)

    status, _, err = bench("--matrix", "--batch-size", "4", combination=interrupt)
    assert status == 130
    assert "Interrupted; what was measured stands in " in err
    (path,) = (tmp_path / "bench").glob("*.json")
    assert sorted(states(json.loads(path.read_text())["matrix"], mode="eager", precision="bf16")) == [MEASURED] * 4


def test_a_matrix_in_which_something_failed_does_not_pass(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        matrix, "combinations_of", lambda: [Combination("loops"), Combination("compiled", "bf16", ("SLA",))]
    )

    def fail(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
        if setup.compiled:
            raise ValueError("no compiler")
        yield from measured(setup, methods)

    status, out, _ = bench("--matrix", "--batch-size", "4", combination=fail)
    assert status == 1
    assert (
        "- compiled bf16 (SLA): failed: Compiled steps in bf16, SLA can't be measured: ValueError: no compiler" in out
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--matrix", "--precision", "bf16"], "--precision: a matrix measures all of them"),
        (["--matrix", "--compiled"], "--compiled: a matrix measures all of them"),
        (["--budget-min", "5"], "--budget-min: bounds a matrix; add --matrix"),
    ],
)
def test_options_without_a_meaning_are_refused(options: list[str], words: str, bench: Bench, tmp_path: Path) -> None:
    status, _, err = bench(*options)
    assert status == 2
    assert err.startswith(f"error: {words}")
    assert not list(tmp_path.iterdir())
