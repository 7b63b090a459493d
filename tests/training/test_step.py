"""Recorded steps are the eager ones bit for bit, as far as a recorder as strict as CUDA's can tell on a processor."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmark.errors import RecordingError, is_out_of_memory
from benchmark.methods.mixing import Mixed
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.training import step
from benchmark.training.loop import Training

from . import tape
from .steps import CASES, Trace, begin, state_of, trace

pytestmark = pytest.mark.usefixtures("own_numerics", "recorded")

CPU = torch.device("cpu")
BASELINE = CASES["baseline"]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have steps recorded by the tape; says how many calls each recording holds."""
    calls: list[int] = []
    record = tape.record

    def counted(body: Callable[[], None]) -> Callable[[], None]:
        replay = record(body)
        calls.append(len(replay.__self__.calls))  # type: ignore[attr-defined]
        return replay

    monkeypatch.setattr(tape, "record", counted)
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    return calls


@functools.cache
def eager(name: str, precision: str = "fp32") -> Trace:
    return trace(CASES[name], CASES[name].spec(precision=precision), CPU, graphs=False)


def replayed(name: str, precision: str = "fp32", stop_at: int | None = None, file: Path = Path()) -> Trace:
    spec = CASES[name].spec(precision=precision)
    return trace(CASES[name], spec, CPU, graphs=True, stop_at=stop_at, file=file)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", CASES)
def test_recorded_steps_are_the_eager_ones(name: str, precision: str, recorded: list[int]) -> None:
    """Over four epochs, each with a last batch of one image, and two milestones."""
    assert replayed(name, precision).differs_in(eager(name, precision)) == []
    assert len(recorded) == 3, "one recording a learning rate"
    assert len(set(recorded)) == 1
    assert recorded[0] > 100


@pytest.mark.parametrize("stop_at", [2, 7, 9])  # in warm-up, behind a recording, behind one for another rate
def test_a_resumed_training_records_anew(stop_at: int, tmp_path: Path) -> None:
    found = replayed("SFE with SD", stop_at=stop_at, file=tmp_path / "checkpoint.pt")
    assert found.differs_in(eager("SFE with SD")) == []


def test_a_recording_from_before_a_resume_is_void() -> None:
    spec = BASELINE.spec()
    training = begin(BASELINE, spec, CPU, graphs=True)
    start = copy.deepcopy(training.model.state_dict())
    training.train_epoch(lambda _: None)
    training.step = 0
    training.train_epoch(lambda _: None)
    assert training.replaying
    empty = {"state": {}, "param_groups": training.optimizer.state_dict()["param_groups"]}
    began = {"epoch": 0, "step": 0, "seconds": 0.0, "history": [], "loss_sum": torch.zeros(())}
    training.resume({**began, "model": start, "optimizer": empty})
    assert not training.replaying
    training.run(lambda _: None)
    assert state_of(training).keys() == eager("baseline").state.keys()
    assert all(torch.equal(tensor, eager("baseline").state[name]) for name, tensor in state_of(training).items())


# ------------------------------------------------------------------ what must not go unnoticed


def test_a_recording_kept_beyond_a_milestone_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Training, "_rates", lambda self: ())
    assert "losses" in replayed("baseline").differs_in(eager("baseline"))


def test_a_loss_sum_bound_anew_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    update = Training._update

    def bound_anew(training: Training, batch: Mixed) -> None:
        into = training.loss_sum
        training.loss_sum = into.clone()
        update(training, batch)

    monkeypatch.setattr(Training, "_update", bound_anew)
    assert "losses" in replayed("baseline").differs_in(eager("baseline"))


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (lambda training: float(training.loss_sum), "_local_scalar_dense"),
        (lambda training: bool(training.loss_sum.isfinite()), "_local_scalar_dense"),
        (lambda training: training.loss_sum[None].nonzero(), "nonzero"),
        (lambda training: training.loss_sum[None][training.loss_sum[None] > 0], "index"),
        (lambda training: torch.rand(2), "rand"),
        (lambda training: torch.tensor(0.5) * training.loss_sum, "lift_fresh"),
    ],
    ids=["float", "bool", "nonzero", "mask", "random", "of the host"],
)
def test_what_a_graph_can_not_hold_is_refused(
    fault: Callable[[Training], object], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = Training._update

    def faulty(training: Training, batch: Mixed) -> None:
        update(training, batch)
        fault(training)

    monkeypatch.setattr(Training, "_update", faulty)
    with pytest.raises(RecordingError, match=f"^RuntimeError: aten::{word} can't be recorded$"):
        replayed("baseline")


def test_recording_computes_nothing() -> None:
    training = begin(BASELINE, BASELINE.spec(), CPU, graphs=False)
    training.train_epoch(lambda _: None)
    before = state_of(training)
    images, labels, samples = next(training.batches.epoch(1, 2))
    batch = training.mixing(images, labels, samples, 0)
    replay = tape.record(lambda: training._update(batch))
    assert all(torch.equal(tensor, before[name]) for name, tensor in state_of(training).items())
    replay()
    changed = [name for name, tensor in state_of(training).items() if not torch.equal(tensor, before[name])]
    assert set(changed) == set(before), "parameters, statistics, momentum and loss"


def test_the_first_cause_is_told() -> None:
    """What ends a broken recording complains of that, and not of what broke it."""

    def record(body: Callable[[], None]) -> Callable[[], None]:
        try:
            raise ValueError("the cause\nwith a second line")
        finally:
            raise RuntimeError("capture was invalidated")

    steps = step.GraphedSteps(lambda _: None, record, lambda: 0, size=1)
    batch = Mixed(torch.ones(1), torch.ones(1), None, torch.ones(()))
    for _ in range(step.WARM_UP_STEPS):
        steps(batch)
    with pytest.raises(RecordingError, match=r"^ValueError: the cause$"):
        steps(batch)


def test_too_little_memory_for_a_recording_is_known_as_such() -> None:
    """Whatever the end of the recording complains of then."""

    def record(body: Callable[[], None]) -> Callable[[], None]:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        finally:
            raise RuntimeError("capture was invalidated")

    steps = step.GraphedSteps(lambda _: None, record, lambda: 0, size=1)
    batch = Mixed(torch.ones(1), torch.ones(1), None, torch.ones(()))
    for _ in range(step.WARM_UP_STEPS):
        steps(batch)
    with pytest.raises(RecordingError, match=r"^OutOfMemoryError: CUDA out of memory") as raised:
        steps(batch)
    assert is_out_of_memory(raised.value)
    assert not is_out_of_memory(RecordingError("ValueError: the cause"))
