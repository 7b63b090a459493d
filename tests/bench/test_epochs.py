import dataclasses
import itertools
import math
import pickle
from collections.abc import Iterator

import pytest
import torch

from benchmark.bench import epochs
from benchmark.bench.epochs import LEARNING_RATE, learn_the_same, measure_epochs, training_of
from benchmark.bench.setup import OURS, OURS_BF16, REFERENCE, Setup
from benchmark.runs.axes import Network
from benchmark.system.hardware import cpu_model
from benchmark.system.helper import Helper
from benchmark.training.loop import learning_rate
from tests.inline import Inline

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


def iterated(name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """What the process of a loop gives first, here in this one."""
    kept: list[str] = []
    monkeypatch.setattr(epochs, "keep_freed_memory", lambda: kept.append(name))
    found = list(itertools.islice(epochs._loop(SETUP, name), 4))
    public = name == REFERENCE
    assert kept == ([] if public else [name])
    assert torch.are_deterministic_algorithms_enabled() is not public
    assert torch.backends.cudnn.benchmark is public
    return found


@pytest.mark.parametrize("name", [OURS, OURS_BF16, REFERENCE])
def test_a_loop_goes_on_by_one_when_it_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_reference = iterated(REFERENCE, monkeypatch)[0][1]
    (_, start), *runs = iterated(name, monkeypatch)
    assert start == pytest.approx(at_reference, rel=1e-5)  # one network, two ways to its loss
    assert all(seconds > 0 for seconds, _ in runs)
    assert runs[-1][1] < runs[0][1]  # it is one training that goes on


def test_each_loop_can_be_had_from_a_process_of_its_own() -> None:
    for name in (OURS, OURS_BF16, REFERENCE):
        assert pickle.loads(pickle.dumps((epochs._loop, SETUP, name))) == (epochs._loop, SETUP, name)
    with Helper("the epochs", epochs._loop, SETUP, REFERENCE) as there:
        assert there.ask()[1] > 0


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_gpu_holds_one_loop_at_a_time(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [OURS, OURS_BF16, REFERENCE]
    asked: list[str] = []
    checked: list[None] = []

    def loop(setup: Setup, name: str) -> Iterator[tuple[float, float]]:
        while True:
            asked.append(name)
            yield 2.0, 1.0 / len(asked)

    monkeypatch.setattr(Inline, "most", 0)
    monkeypatch.setattr(epochs, "Helper", Inline)
    monkeypatch.setattr(epochs, "_loop", loop)
    monkeypatch.setattr(epochs, "cpu_has_bf16", lambda: True)
    setup = dataclasses.replace(SETUP, device=device, epochs=2)
    found = measure_epochs(setup, lambda _: None, lambda: checked.append(None))
    assert Inline.most == (3 if device == "cpu" else 1)
    assert len(checked) == len(asked) == 3 * 4  # a start, an epoch that warms up, two that count
    turns = [set(asked[n : n + 3]) for n in range(0, 12, 3)]
    assert (turns == [set(names)] * 4) is found["in_turn"] is (device == "cpu")
    assert found["seconds_per_epoch"] == {name: [2.0, 2.0] for name in names}
    assert {len(losses) for losses in found["train_loss"].values()} == {3}
