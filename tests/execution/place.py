"""A worker's place: a run folder with its job, and what tests do to the run in it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.execution import worker
from benchmark.execution.run_folder import EXIT_INTERRUPTED, EXIT_NO_DEVICE, Job, RunFolder
from benchmark.results.store import Result, Store
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec, run_id
from benchmark.system.hardware import cpu_model
from benchmark.training import checkpoint
from benchmark.training.loop import Training

WRN = Network(family="wrn", depth=10, width=1)
SFE_SD = Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True)
TINY = Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=20, test_images=10)


def spec_of(dataset: Dataset = TINY, *, epochs: int = 2, rate: float = 0.1) -> TrainSpec:
    """Three steps an epoch."""
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=dataset,
        network=WRN,
        method=SFE_SD,
        schedule=Schedule(epochs=epochs, batch_size=8, learning_rate=rate),
    )


class Place:
    """A run folder with its job, and the store that its result goes to."""

    def __init__(self, root: Path, spec: TrainSpec | CostSpec, **job: Any) -> None:
        self.store = Store(root / "results")
        self.run_id = run_id(spec)
        self.folder = RunFolder(root / "runs" / self.run_id)
        self.job = Job(
            run_id=self.run_id,
            spec=spec,
            results_folder=str(self.store.folder),
            cache_dir=str(root / "cache"),
            **{"data_dir": None, "device": "cpu", **job},
        )
        self.folder.order(self.job)

    def run(self) -> int:
        return worker.main([str(self.folder.folder)])

    def result(self) -> Result:
        return self.store.load(self.run_id)

    def failure(self) -> Result:
        return self.store.load_failure(self.run_id)

    def attempts(self) -> list[str]:
        return [json.loads(line) for line in self.folder.attempts.read_text().splitlines()]


def at_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Do something at the end of the run's step ``number``, counted from 1."""
    original, taken = Training.train_step, [0]

    def train_step(self: Training, *batch: torch.Tensor) -> None:
        original(self, *batch)
        taken[0] += 1
        if taken[0] == number:
            act()

    monkeypatch.setattr(Training, "train_step", train_step)


def fail_with(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def cost_place(tmp_path: Path, **job: Any) -> Place:
    variants = [CostVariant(name="baseline", method=Method())]
    spec = CostSpec(
        protocol=PROTOCOL, dataset=TINY, network=WRN, batch_size=4, steps=1, device=cpu_model(), variants=variants
    )
    return Place(tmp_path, spec, **job)


def said_of_the_gpu(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a worker that blames no run."""
    assert place.run() == EXIT_NO_DEVICE
    assert place.attempts() == ["start", "unusable"]
    assert place.folder.vanished() == 0
    assert place.store.completed() == place.store.failed() == set()
    return capsys.readouterr().out.splitlines()[-1]


def interrupted(place: Place, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, Any]:
    """Interrupt a run at its fourth step, and change its checkpoint."""
    with monkeypatch.context() as patch:
        at_step(patch, 4, lambda: signal.raise_signal(signal.SIGTERM))
        assert place.run() == EXIT_INTERRUPTED
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    checkpoint.save(place.folder.checkpoint, state | changes)
    return state


def nothing_is_blamed(place: Place) -> bool:
    return place.folder.vanished() == 0 and place.store.completed() == place.store.failed() == set()
