import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import pytest
import torch

from benchmark.axes import Network
from benchmark.bench import epochs
from benchmark.bench.epochs import LEARNING_RATE, learn_the_same, measure_epochs, training_of
from benchmark.bench.setup import OURS, OURS_BF16, REFERENCE, Setup
from benchmark.errors import RunError
from benchmark.hardware import cpu_model
from benchmark.training.loop import learning_rate

pytestmark = pytest.mark.usefixtures("own_numerics")
SETUP = Setup(
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


@pytest.mark.parametrize(
    ("ours_at_start", "ours", "theirs", "same"),
    [
        (11.0, [11.0, 10.1], [11.0, 10.0], True),
        (11.1, [11.0, 10.1], [11.0, 10.0], False),  # not the same network
        (11.0, [11.0, 10.3], [11.0, 10.0], False),  # learns less
        (11.0, [11.0, 9.7], [11.0, 10.0], False),  # learns more
        (11.0, [11.0, 11.0], [11.0, 11.0], False),  # nobody has learned anything: nothing is shown
        (11.0, [11.0, math.nan], [11.0, 10.0], False),
    ],
)
def test_what_learning_the_same_means(ours_at_start: float, ours: list[float], theirs: list[float], same: bool) -> None:
    start = {OURS: ours_at_start, REFERENCE: 11.0}
    assert learn_the_same(start, {OURS: ours, REFERENCE: theirs}) is same


def test_this_projects_loop_keeps_the_rate_that_the_reference_loop_has() -> None:
    schedule = training_of(SETUP, "fp32").spec.schedule
    assert {learning_rate(schedule, epoch) for epoch in range(6)} == {LEARNING_RATE}


def answers_of(name: str, calls: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """What the process of a loop says when it is called so often, here in this one."""
    monkeypatch.setattr(epochs, "start_process", lambda _: None)
    kept: list[str] = []
    monkeypatch.setattr(epochs, "keep_freed_memory", lambda: kept.append(name))
    here, there = multiprocessing.Pipe()
    for _ in range(calls):
        here.send("next")
    answers: list[tuple[float, float]] = []
    monkeypatch.setattr(there, "send", answers.append)
    here.close()  # after these calls nobody asks any more
    epochs._serve(os.getpid(), SETUP, name, there)
    public = name == REFERENCE
    assert kept == ([] if public else [name])
    assert torch.are_deterministic_algorithms_enabled() is not public
    assert torch.backends.cudnn.benchmark is public
    return answers


@pytest.mark.parametrize("name", [OURS, OURS_BF16, REFERENCE])
def test_a_loop_goes_on_by_one_when_it_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, at_reference),) = answers_of(REFERENCE, 1, monkeypatch)
    (_, start), *runs = answers_of(name, 4, monkeypatch)
    assert start == pytest.approx(at_reference, rel=1e-5)  # one network, two ways to its loss
    assert all(seconds > 0 for seconds, _ in runs)
    assert runs[-1][1] < runs[0][1]  # it is one training that goes on


def out_of_memory(*_: object) -> Iterator[tuple[float, float]]:
    raise MemoryError("31 GiB")


def out_of_order(*_: object) -> Iterator[tuple[float, float]]:
    raise ValueError("no such loop")


@pytest.mark.parametrize(
    ("loop", "kind", "words"),
    [
        (out_of_memory, MemoryError, None),
        (out_of_order, RunError, "epochs of this project, fp32 can't be .*: ValueError: no"),
    ],
)
def test_a_loop_says_why_it_can_not_go_on(
    loop: Callable[..., object], kind: type[Exception], words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "start_process", lambda _: None)
    monkeypatch.setattr(epochs, "_this_project", loop)
    here, there = multiprocessing.Pipe()
    epochs._serve(os.getpid(), SETUP, OURS, there)
    with pytest.raises(kind, match=words):
        raise here.recv()


def die(_: int, __: Setup, name: str, connection: Connection) -> None:
    """Stands in for a process: one loop is killed in its second epoch."""
    for calls in range(3 if name == OURS else 2):
        connection.recv()
        if name == OURS and calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        connection.send((1.0, 1.0))
    time.sleep(120)  # in an epoch that takes long


def test_a_loop_whose_process_died_is_said_and_the_others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "_serve", die)
    said: list[str] = []
    started = time.monotonic()
    with pytest.raises(RunError, match=rf"the epochs of {OURS} can't be measured: its process died \(exit status -9\)"):
        measure_epochs(SETUP, said.append)
    assert said[-1] == f"epoch 2 of 6: {OURS}"
    assert not multiprocessing.active_children()
    assert time.monotonic() - started < 100  # nobody waited for the others' epochs
