import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest
import torch

from benchmark.axes import Dataset, Masks, Method, Network, Numerics
from benchmark.data.packed import ImageSet
from benchmark.data.standin import standin
from benchmark.errors import InterruptedRun, RunError
from benchmark.spec import PROTOCOL, CostSpec, CostVariant
from benchmark.training import cost
from benchmark.training.cost import measure
from benchmark.training.loop import Training, apply_numerics

CPU = torch.device("cpu")
SFE = Method(classifiers=2, beta=0.5, masks=Masks(views=8))
SPEC = CostSpec(
    protocol=PROTOCOL,
    dataset=Dataset(name="cifar10", source="standin", train_images=6, test_images=4),
    network=Network(family="resnet", depth=11),
    batch_size=4,
    steps=3,
    device="this one",
    variants=[
        CostVariant(name="baseline", method=Method()),
        CostVariant(name="SFE", method=SFE, listing1=True),
        CostVariant(name="SLA", method=Method(rotations=4)),
    ],
)


@pytest.fixture(autouse=True)
def numerics() -> None:
    apply_numerics(Numerics())


def test_a_cost_run_takes_time_and_memory_of_every_variant() -> None:
    blocks, how = measure(SPEC, standin(SPEC.dataset), CPU)
    assert list(blocks) == ["baseline", "SFE", "SLA"]
    assert how["memory_kind"] == "peak of a fresh process a variant"
    assert how["steps"] == 3
    first = blocks["baseline"]
    assert first["memory_overhead_percent"] == first["time_overhead_percent"] == 0
    for block in blocks.values():
        assert block["seconds_per_step_lower_quartile"] <= block["seconds_per_step"]
        assert block["seconds_per_step"] <= block["seconds_per_step_upper_quartile"]
        slower = 100 * (block["seconds_per_step"] / first["seconds_per_step"] - 1)
        assert block["time_overhead_percent"] == pytest.approx(slower)
        larger = 100 * (block["memory_mib"] / first["memory_mib"] - 1)
        assert block["memory_overhead_percent"] == pytest.approx(larger)
        assert 100 < block["memory_mib"] < 5000  # a process with torch in it
    assert blocks["SLA"]["time_overhead_percent"] > 50  # four times the images
    assert blocks["SLA"]["memory_mib"] > first["memory_mib"]


def test_variants_take_their_steps_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    seconds = iter(range(1, 100))

    def step(training: Training, batch_size: int) -> float:
        assert batch_size == 4
        turns.append(training.spec.method.label + ("+listing1" if training.model.listing1 else ""))
        return float(next(seconds))

    monkeypatch.setattr(cost, "take_step", step)
    monkeypatch.setattr(cost, "_peak_mib", lambda *_: 100.0)
    blocks, how = measure(SPEC, standin(SPEC.dataset), CPU)
    there = ["baseline", "sfe+listing1", "sla"]
    assert turns == [*there[::-1], *there] * 3
    first = 3 * cost.WARM_UP_STEPS + 1  # what warms up is not counted
    assert how["step_seconds"] == {
        "baseline": [first, first + 5, first + 6],
        "SFE": [first + 1, first + 4, first + 7],
        "SLA": [first + 2, first + 3, first + 8],
    }
    assert blocks["baseline"]["seconds_per_step"] == first + 5
    assert blocks["SLA"]["seconds_per_step"] == first + 3
    assert blocks["SLA"]["time_overhead_percent"] == pytest.approx(100 * (first + 3) / (first + 5) - 100)


def interrupt_at(call: int) -> Callable[[], None]:
    calls = [0]

    def check() -> None:
        calls[0] += 1
        if calls[0] == call:
            raise InterruptedRun("signal 15")

    return check


def test_it_ends_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def step(training: Training, _: int) -> float:
        steps.append(training.spec.method.label)
        return 1.0

    monkeypatch.setattr(cost, "take_step", step)
    monkeypatch.setattr(cost, "_peak_mib", lambda *_: 100.0)
    with pytest.raises(InterruptedRun):
        measure(SPEC, standin(SPEC.dataset), CPU, interrupt_at(5))
    assert steps == ["sla", "sfe", "baseline", "baseline"]


def test_it_ends_while_it_waits_for_a_process_and_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "WAIT_SECONDS", 0.01)
    with pytest.raises(InterruptedRun):
        measure(SPEC, standin(SPEC.dataset), CPU, interrupt_at(3))
    assert not multiprocessing.active_children()


def die(*_: object) -> None:
    os._exit(9)


def say_why(parent: int, spec: CostSpec, variant: CostVariant, data: ImageSet, send: Connection) -> None:
    send.send("MemoryError: 4 GiB")


@pytest.mark.parametrize(
    ("work", "words"), [(die, r"its process died \(exit status 9\)"), (say_why, "MemoryError: 4 GiB")]
)
def test_a_process_that_can_not_measure_ends_it(
    work: Callable[..., None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "_report_process_peak", work)
    with pytest.raises(RunError, match=f"the peak memory of baseline can't be measured: {words}"):
        measure(SPEC, standin(SPEC.dataset), CPU)


def test_a_process_says_why_it_can_not_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError("4 GiB")

    monkeypatch.setattr(cost, "start_process", lambda _: None)
    monkeypatch.setattr(cost, "take_step", refuse)
    receive, send = multiprocessing.Pipe(duplex=False)
    cost._report_process_peak(os.getpid(), SPEC, SPEC.variants[0], standin(SPEC.dataset), send)
    assert receive.recv() == "MemoryError: 4 GiB"


def test_quartiles_lie_within_the_values() -> None:
    assert cost.quartiles([3.0]) == (3.0, 3.0)
    assert cost.quartiles([1.0, 2.0]) == (1.25, 1.75)
    assert cost.quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 4.0)


def test_its_process_ends_with_its_parent_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_process(parent: int) -> None:
        raise InterruptedRun(f"set up for {parent}")

    monkeypatch.setattr(cost, "start_process", start_process)
    with pytest.raises(InterruptedRun, match=f"set up for {os.getpid()}"):
        cost._report_process_peak(os.getpid(), SPEC, SPEC.variants[0], standin(SPEC.dataset), None)
