import multiprocessing
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from benchmark.data import augment
from benchmark.data.crops import EpochTables, draw_epoch
from benchmark.data.packed import ImageSet
from benchmark.data.standin import standin
from benchmark.errors import InterruptedRun, RunError
from benchmark.runs.axes import Dataset, Masks, Method, Network, Numerics
from benchmark.runs.spec import PROTOCOL, STEPS_IN_A_ROW, CostSpec, CostVariant
from benchmark.system import helper
from benchmark.training import cost
from benchmark.training.cost import StepTaken, alone, measure
from benchmark.training.loop import Training, apply_numerics
from benchmark.training.step import WARM_UP_STEPS
from tests.inline import Inline

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
def numerics(own_numerics: None) -> None:
    apply_numerics(Numerics())


def test_a_cost_run_takes_time_and_memory_of_every_variant() -> None:
    blocks, how = measure(SPEC, standin(SPEC.dataset), CPU)
    assert list(blocks) == ["baseline", "SFE", "SLA"]
    assert how["memory_kind"] == "peak of a fresh process a variant"
    assert how["steps"] == 3
    assert how["freed_memory"] == "kept"
    for of in ("page_faults_per_step", "system_share"):
        assert list(how[of]) == list(blocks)
        assert all(value >= 0 for value in how[of].values())
    assert max(how["system_share"].values()) < 1
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
    assert blocks["SLA"]["memory_mib"] > first["memory_mib"]


def steps_of_their_own(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps whose seconds count up; which methods took them."""
    turns: list[str] = []

    def step(training: Training, batch_size: int, in_a_row: int = 1) -> StepTaken:
        assert (batch_size, in_a_row) == (4, 1)
        turns.append(training.spec.method.label + ("+listing1" if training.model.listing1 else ""))
        number = len(turns) - BEFORE
        return StepTaken(float(number), 10 * number, 1.0, 3.0)

    def peak(*_: object) -> float:
        turns.append("memory")
        return 100.0

    monkeypatch.setattr(cost, "take_step", step)
    monkeypatch.setattr(cost, "keep_freed_memory", lambda: turns.append("kept"))
    monkeypatch.setattr(cost, "_fresh_process_peak_mib", peak)
    return turns


def test_a_step_is_timed_without_an_epochs_random_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch has hundreds of steps; on a GPU its choices would take a tenth of one."""
    now = [0.0]

    def drawn(*given: Any) -> EpochTables:
        now[0] += 100
        return draw_epoch(*given)

    def trained(*_: object) -> None:
        now[0] += 2

    training = cost.training_of(SPEC, SPEC.variants[0], standin(SPEC.dataset), CPU)
    monkeypatch.setattr(augment, "draw_epoch", drawn)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(training, "train_step", trained)
    assert cost.take_step(training, 4).seconds == 2
    assert cost.take_step(training, 4, in_a_row=5).seconds == 2
    assert now[0] == 600 + 12


def test_a_gpu_is_waited_for_once_in_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its calls would be handed out to one that has nothing to do."""
    did: list[str] = []
    training = cost.training_of(SPEC, SPEC.variants[0], standin(SPEC.dataset), CPU)
    monkeypatch.setattr(training, "train_step", lambda *_: did.append("step"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: did.append("waits"))
    monkeypatch.setattr(training, "device", torch.device("cuda"))
    cost.take_step(training, 4, in_a_row=STEPS_IN_A_ROW["cuda"])
    assert did == ["waits", *["step"] * 10, "waits"]


THERE = ["baseline", "sfe+listing1", "sla"]
#: Memory is a process's that gives it back, as other people's code does; steps are timed as trainings take them.
MEMORY_FIRST = ["memory"] * 3 + ["kept"]
BEFORE = len(MEMORY_FIRST)


def test_variants_take_their_steps_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = steps_of_their_own(monkeypatch)
    blocks, how = measure(SPEC, standin(SPEC.dataset), CPU)
    assert turns == MEMORY_FIRST + [*THERE[::-1], *THERE, *THERE[::-1]] * 2
    first = 3 * WARM_UP_STEPS + 1  # what warms up is not counted
    assert how["step_seconds"] == {
        "baseline": [first + 2, first + 3, first + 8],
        "SFE": [first + 1, first + 4, first + 7],
        "SLA": [first, first + 5, first + 6],
    }
    assert blocks["baseline"]["seconds_per_step"] == first + 3
    assert blocks["SLA"]["seconds_per_step"] == first + 5
    assert blocks["SLA"]["time_overhead_percent"] == pytest.approx(100 * (first + 5) / (first + 3) - 100)
    assert how["page_faults_per_step"]["SLA"] == 10 * (first + 5)
    assert how["system_share"] == {"baseline": 0.25, "SFE": 0.25, "SLA": 0.25}


def test_what_is_recorded_is_no_step_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, recorded = steps_of_their_own(monkeypatch), []

    def training_of(*given: object) -> Training:
        recorded.append(given[-1])
        return plain(*given[:-1])  # type: ignore[arg-type]

    plain = cost.training_of
    monkeypatch.setattr(cost, "training_of", training_of)
    _, how = measure(SPEC, standin(SPEC.dataset), CPU, graphs=True)
    assert recorded == [True] * 3
    assert how["warm_up_steps"] == WARM_UP_STEPS + 1
    assert len(turns) - BEFORE == 3 * (WARM_UP_STEPS + 1 + 3)


def test_compiled_variants_have_a_process_each_and_steps_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []

    def one_variant(spec: CostSpec, variant: CostVariant, data: ImageSet, kind: str) -> Iterator[float | StepTaken]:
        assert (spec.numerics.compiled, kind) == (True, "cpu")
        began.append(variant.name)
        yield 100.0 * len(began)
        for number in range(1, 100):
            yield StepTaken(float(number), 0, 0.0, 1.0)

    monkeypatch.setattr(cost, "alone", one_variant)
    monkeypatch.setattr(cost, "Helper", Inline)
    compiled = SPEC.model_copy(update={"numerics": Numerics(compiled=True)})
    blocks, how = measure(compiled, standin(SPEC.dataset), CPU)
    assert began == ["baseline", "SFE", "SLA"]
    assert [block["memory_mib"] for block in blocks.values()] == [100, 200, 300]
    assert how["step_seconds"] == {name: [1.0, 2.0, 3.0] for name in began}


def test_a_process_of_its_own_says_its_memory_before_it_keeps_any(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = steps_of_their_own(monkeypatch)
    measured = alone(SPEC, SPEC.variants[0], standin(SPEC.dataset), "cpu")
    mib = next(measured)
    assert isinstance(mib, float)
    assert mib > 100  # of this process
    assert turns == ["baseline"] * 2
    assert isinstance(next(measured), StepTaken)
    assert turns == ["baseline"] * 2 + ["kept"] + ["baseline"] * (WARM_UP_STEPS + 1)


def interrupt_at(call: int) -> Callable[[], None]:
    calls = [0]

    def check() -> None:
        calls[0] += 1
        if calls[0] == call:
            raise InterruptedRun("signal 15")

    return check


def test_it_ends_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = steps_of_their_own(monkeypatch)
    with pytest.raises(InterruptedRun):
        measure(SPEC, standin(SPEC.dataset), CPU, interrupt_at(5))
    assert turns == [*MEMORY_FIRST, *THERE[::-1], THERE[0]]


def test_it_ends_while_it_waits_for_a_process_and_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "WAIT_SECONDS", 0.01)
    with pytest.raises(InterruptedRun):
        measure(SPEC, standin(SPEC.dataset), CPU, interrupt_at(3))
    assert not multiprocessing.active_children()


def too_few_views(*_: object) -> Iterator[float]:
    raise ValueError("4 views of 3")


def test_a_process_that_can_not_measure_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "alone", too_few_views)
    monkeypatch.setattr(cost, "Helper", Inline)
    with pytest.raises(RunError, match="the peak memory of baseline can't be measured: ValueError: 4 views of 3"):
        measure(SPEC, standin(SPEC.dataset), CPU)


def test_quartiles_lie_within_the_values() -> None:
    assert cost.quartiles([3.0]) == (3.0, 3.0)
    assert cost.quartiles([1.0, 2.0]) == (1.25, 1.75)
    assert cost.quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 4.0)
