"""Runs that are killed again and again end with the digits of one that never was."""

import functools
import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

import benchmark.execution.worker
from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import EXIT_FAILED, EXIT_INTERRUPTED, Job, RunFolder
from benchmark.results.record import Epoch
from benchmark.results.store import Store
from benchmark.runs.spec import TrainSpec, run_id
from benchmark.system.environment import RECORDER_VARIABLE

from .places import ROOT

SFE = {"classifiers": 2, "beta": 0.5, "masks": {"views": 4}}
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {"method": {}},
    "sfe": {"method": SFE},
    "sfe-sd": {"method": {**SFE, "distillation": True}},
    "sla": {"method": {"rotations": 4}},
    "mixup": {"method": SFE, "mixing": {"cutout_size": 8, "mixup_alpha": 1.0}},
}

Start = Callable[[RunFolder], ForkServerProcess]
Calm = Callable[[str], tuple[Any, float]]


def tiny(kind: str) -> TrainSpec:
    return TrainSpec.model_validate(
        {
            "protocol": 1,
            "dataset": {"name": "cifar10", "source": "standin", "train_images": 22, "test_images": 10},
            "network": {"family": "resnet", "depth": 11},
            "schedule": {"epochs": 3, "batch_size": 4, "learning_rate": 0.01, "decay_at": [0.34, 0.67]},
            **KINDS[kind],
        }
    )


def order(place: Path, spec: TrainSpec, **changes: Any) -> RunFolder:
    """A job that saves after every step."""
    folder = RunFolder(place / "scratch" / run_id(spec))
    job = Job(
        run_id=run_id(spec),
        spec=spec,
        results_folder=str(place / "results"),
        data_dir=None,
        cache_dir=str(place / "cache"),
        device="cpu",
        checkpoint_minutes=0,
    )
    folder.order(job.model_copy(update=changes))
    return folder


def work(folder: str) -> None:
    """The worker's own command, its output in the log as an executor would put it."""
    log = os.open(RunFolder(Path(folder)).log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os._exit(benchmark.execution.worker.main([folder]))


@pytest.fixture(scope="module")
def start() -> Start:
    """Starts real worker processes; a server that has torch imported already spares each its seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["torch._dynamo", "benchmark.training.loop", "tests.test_resume"]
    )  # what optimisers import
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
        first = context.Process(target=int)  # the server starts with it and keeps this environment
        first.start()
        first.join()

    def call(folder: RunFolder) -> ForkServerProcess:
        process = context.Process(target=work, args=(str(folder.folder),))
        process.start()
        return process

    return call


@pytest.fixture(scope="module")
def calm(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Metrics, history and seconds of a run that nothing disturbed."""

    @functools.cache
    def call(kind: str) -> tuple[Any, float]:
        place, began = tmp_path_factory.mktemp(kind), time.monotonic()
        folder = order(place, tiny(kind))
        assert ended(start(folder)) == 0, folder.log_tail()
        return numbers(place, tiny(kind)), time.monotonic() - began

    return call


def ended(process: ForkServerProcess) -> int:
    process.join(60)
    assert process.exitcode is not None, "the worker hangs"
    return process.exitcode


def numbers(place: Path, spec: TrainSpec) -> tuple[Any, Any]:
    result = Store(place / "results").load(run_id(spec))
    return result.metrics, result.history


def kill_with_a_checkpoint(process: ForkServerProcess, folder: RunFolder) -> None:
    """Kill as soon as there is something to go on from."""
    while process.exitcode is None and not folder.checkpoint.exists():
        time.sleep(0.002)
    process.kill()


def kill_while_writing(process: ForkServerProcess, folder: RunFolder) -> None:
    """Kill at the first sight of a new half-written checkpoint; those of before are cleared away first."""
    before = set(os.listdir(folder.folder))  # noqa: PTH208 - fast
    while process.exitcode is None:
        if any(name.startswith(".checkpoint.pt") for name in set(os.listdir(folder.folder)) - before):  # noqa: PTH208
            process.kill()
            return


def kill_at_random(process: ForkServerProcess, draw: random.Random, longest_s: float) -> None:
    time.sleep(draw.uniform(0, longest_s))
    process.kill()


@pytest.mark.parametrize(("kind", "graphs"), [*((kind, False) for kind in KINDS), ("sfe-sd", True), ("mixup", True)])
def test_a_killed_run_ends_with_the_digits_of_an_undisturbed_one(
    kind: str, graphs: bool, tmp_path: Path, start: Start, calm: Calm
) -> None:
    """With recorded steps too, of one whose steps were not."""
    spec, draw = tiny(kind), random.Random(kind)
    undisturbed, whole_s = calm(kind)
    folder = order(tmp_path, spec, graphs=graphs)
    for way in ("with a checkpoint", "writing", "at random", "writing", "at random"):
        process = start(folder)
        if way == "with a checkpoint":
            kill_with_a_checkpoint(process, folder)
        elif way == "writing":
            kill_while_writing(process, folder)
        else:
            kill_at_random(process, draw, whole_s / 2)
        ended(process)
    assert ended(start(folder)) == 0, folder.log_tail()

    assert numbers(tmp_path, spec) == undisturbed
    assert "resumed at epoch" in folder.log.read_text(), "nothing was resumed: this showed nothing"
    left = {path.name for path in folder.folder.iterdir()}
    assert EpochFile(folder.epochs).read() == [Epoch.of(entry) for entry in undisturbed[1]]
    assert left <= {"job.json", "log.txt", "epochs.jsonl", "attempts.txt"}, "half-written files are cleared away"
    results = [path.name for path in (tmp_path / "results").iterdir() if path.name != ".locks"]
    assert results == [f"{run_id(spec)}.json"]


def test_a_signal_saves_and_ends_with_75(tmp_path: Path, start: Start, calm: Calm) -> None:
    spec = tiny("sfe-sd")
    folder = order(tmp_path, spec, checkpoint_minutes=60)
    for attempt, number in enumerate((signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2), start=1):
        process = start(folder)
        while "\n".join(folder.log_tail(100)).count(" UTC start ") < attempt and process.exitcode is None:
            time.sleep(0.01)
        assert process.pid is not None
        os.kill(process.pid, number)
        assert ended(process) == EXIT_INTERRUPTED
        assert folder.checkpoint.exists()
        assert f"signal {number}" in folder.log_tail(1)[0]
        assert not Store(tmp_path / "results").failed(), "an interrupted run leaves its checkpoint only"
    assert ended(start(folder)) == 0
    assert numbers(tmp_path, spec) == calm("sfe-sd")[0]


def damaged(blob: bytes, how: str) -> bytes:
    if how == "a flipped bit":  # in the middle of the weights: torch itself loads this
        middle = len(blob) // 2
        return blob[:middle] + bytes([blob[middle] ^ 1]) + blob[middle + 1 :]
    return {"cut off": blob[: len(blob) // 3], "empty": b"", "text": b"hello"}[how]


@pytest.mark.parametrize("how", ["a flipped bit", "cut off", "empty", "text"])
def test_a_damaged_checkpoint_only_costs_time(how: str, tmp_path: Path, start: Start, calm: Calm) -> None:
    spec = tiny("baseline")
    folder = order(tmp_path, spec)
    kill_with_a_checkpoint(process := start(folder), folder)
    ended(process)
    folder.checkpoint.write_bytes(damaged(folder.checkpoint.read_bytes(), how))
    assert ended(start(folder)) == 0, folder.log_tail()
    assert "starting from the beginning" in folder.log.read_text()
    assert numbers(tmp_path, spec) == calm("baseline")[0]


def test_a_checkpoint_that_does_not_fit_only_costs_time(tmp_path: Path, start: Start, calm: Calm) -> None:
    from benchmark.data.source import load
    from benchmark.training import checkpoint

    spec = tiny("baseline")
    folder = order(tmp_path, spec)
    state = {
        "run_id": run_id(spec),
        "data_digest": load(spec.dataset, None, tmp_path).digest,
        "sessions": [],
        "epoch": 99,
        "step": 0,
        "history": [],
        "model": {},
        "optimizer": {},
        "seconds": 0.0,
    }
    checkpoint.save(folder.checkpoint, state)
    assert ended(start(folder)) == 0, folder.log_tail()
    assert "does not fit (epoch 99" in folder.log.read_text()
    assert numbers(tmp_path, spec) == calm("baseline")[0]


def test_a_results_folder_that_is_none_is_said(tmp_path: Path, start: Start) -> None:
    (tmp_path / "results").write_text("a file")
    folder = order(tmp_path, tiny("baseline"))
    assert ended(start(folder)) == EXIT_FAILED
    assert "can't go on" in folder.log_tail(1)[0]
    assert "Traceback" not in folder.log.read_text()
    assert json.loads((folder.folder / "job.json").read_text())["run_id"] == run_id(tiny("baseline"))
