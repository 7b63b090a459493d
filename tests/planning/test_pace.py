from typing import Any

import pytest

from benchmark.planning.estimates import TABLE_DEVICE, relative_work
from benchmark.planning.pace import (
    BENCH,
    GPU_EVALUATION_SECONDS,
    RESULTS,
    START_SECONDS,
    UNDER_WAY,
    Open,
    Pace,
    Seen,
    at_once,
)
from benchmark.runs.axes import Method, Numerics
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec
from tests.made import spec

#: Seconds of an epoch of the paper's ResNet-110 on CIFAR-100 with one core, by the table.
TRAIN = 0.0445 * 50_000
TEST = 0.3 * 0.0445 * 10_000
ONE = {"epochs": 1, "batch_size": 128, "learning_rate": 0.1}


def one_epoch(**changes: Any) -> TrainSpec:
    return spec(**{"schedule": ONE, **changes})


def seen(rate: float, source: str, of: TrainSpec | None = None, graphs: bool = False) -> Seen:
    of = of or one_epoch()
    kind = Pace("a device").seen_training(of, 1.0, source=source, graphs=graphs).kind
    return Seen(kind, rate, source)


SFE = one_epoch(method={"classifiers": 2, "beta": 0.5, "masks": {"views": 8}})
SLA = one_epoch(method={"rotations": 4})
RESNET164 = one_epoch(network={"family": "resnet", "depth": 164})
BF16 = one_epoch(numerics={"precision": "bf16"})


# ------------------------------------------------------------------ one run


def test_without_measurements_the_table_stands_in_on_a_processor() -> None:
    pace = Pace("a CPU")
    assert pace.seconds(one_epoch()) == pytest.approx(START_SECONDS + TRAIN + TEST)
    assert pace.seconds(SLA) == pytest.approx(START_SECONDS + 4 * (TRAIN + TEST))
    two = one_epoch(numerics={"threads": 2})
    assert pace.seconds(two) == pytest.approx(START_SECONDS + (TRAIN + TEST) / 2)
    assert Pace("a GPU", gpu=True).seconds(one_epoch()) is None


def test_a_run_is_as_fast_as_the_nearest_that_was_measured() -> None:
    known = [seen(3.0, BENCH, RESNET164), seen(2.0, RESULTS), seen(5.0, RESULTS, SLA), seen(9.0, BENCH, BF16)]
    pace = Pace("a CPU", seen=known)
    for of, rate in ((one_epoch(), 2.0), (SFE, 2.0), (RESNET164, 3.0), (SLA, 5.0), (BF16, 9.0)):
        work = (relative_work(of)) * rate
        assert pace.seconds(of) == pytest.approx(START_SECONDS + work), of.label


def test_where_two_are_as_near_what_is_under_way_comes_first_and_a_bench_second() -> None:
    known = [seen(1.0, RESULTS), seen(2.0, BENCH), seen(3.0, UNDER_WAY)]
    for count, rate in ((1, 1.0), (2, 2.0), (3, 3.0)):
        assert Pace("a CPU", seen=known[:count]).step_seconds(one_epoch()) == pytest.approx(rate * 0.0445 * 128)


def test_of_several_the_middle_one_counts() -> None:
    pace = Pace("a CPU", seen=[seen(rate, RESULTS) for rate in (1.0, 2.0, 50.0)])
    assert pace.step_seconds(one_epoch()) == pytest.approx(2.0 * 0.0445 * 128)


@pytest.mark.parametrize("graphs", [False, True])
def test_on_a_gpu_the_last_batch_is_eager_and_evaluation_takes_launches(graphs: bool) -> None:
    """390 full steps, one of 80 images that is never recorded, 0.12 s of evaluation."""
    known = [seen(0.010 / (0.0445 * 128), BENCH), seen(0.004 / (0.0445 * 128), BENCH, graphs=True)]
    pace = Pace("a GPU", gpu=True, graphs=graphs, seen=known)
    step = 0.004 if graphs else 0.010
    evaluation = max(GPU_EVALUATION_SECONDS, 0.3 * step * 10_000 / 128)
    assert pace.seconds(one_epoch()) == pytest.approx(START_SECONDS + 390 * step + 0.010 + evaluation)
    assert GPU_EVALUATION_SECONDS == 0.12


def test_a_cost_run_takes_the_steps_of_all_its_methods() -> None:
    tree = one_epoch()
    variants = [CostVariant(name="a", method=Method()), CostVariant(name="b", method=Method(rotations=4))]
    of = CostSpec(
        protocol=PROTOCOL,
        dataset=tree.dataset,
        network=tree.network,
        batch_size=128,
        steps=50,
        device="a CPU",
        variants=variants,
        numerics=Numerics(),
    )
    assert Pace("a CPU", seen=[seen(2.0, BENCH)]).seconds(of) == pytest.approx(START_SECONDS + 2 * relative_work(of))
    rows = of.model_copy(update={"steps": 500})  # a GPU's readings are of ten steps each
    found = Pace("a GPU", gpu=True, seen=[seen(2.0, BENCH)]).seconds(of)
    assert found == pytest.approx(START_SECONDS + 2 * relative_work(rows))


def test_what_a_training_shows_is_its_steps_alone() -> None:
    shown = Pace("a CPU").seen_training(one_epoch(), TRAIN / 4, 0.5, source=UNDER_WAY, graphs=False)
    assert shown.rate == pytest.approx(0.5)
    threads = one_epoch(numerics={"threads": 2})
    assert Pace("a CPU").seen_training(threads, TRAIN / 4, 0.5, source=UNDER_WAY, graphs=False).rate == pytest.approx(
        1.0
    )


# ------------------------------------------------------------------ what is left


def test_runs_beside_each_other_end_when_the_last_one_does() -> None:
    pace, whole = Pace("a CPU"), TRAIN + TEST
    runs = [Open(one_epoch())] * 3
    assert pace.left(runs, 1) == pytest.approx(3 * (START_SECONDS + whole))
    assert pace.left(runs, 2) == pytest.approx(2 * (START_SECONDS + whole))
    assert pace.left(runs, 8) == pytest.approx(START_SECONDS + whole)
    assert pace.left([], 2) == 0
    assert Pace("a GPU", gpu=True).left(runs, 2) is None


def test_what_is_done_is_not_done_again() -> None:
    pace, whole = Pace("a CPU"), TRAIN + TEST
    half = Open(one_epoch(), done=0.5, seconds=TRAIN / 2)
    assert pace.left([half], 1) == pytest.approx(START_SECONDS + whole / 2)
    running = Open(one_epoch(), done=0.5, seconds=TRAIN / 2, running=True)
    assert pace.left([running], 1) == pytest.approx(whole / 2)


def test_a_run_under_way_goes_on_before_one_that_waits() -> None:
    long, short = Open(SLA, running=True), Open(one_epoch())
    assert Pace("a CPU").left([short, short, short, short, long], 2) == pytest.approx(
        4 * (START_SECONDS + TRAIN + TEST)
    )


def test_runs_under_way_tell_their_pace() -> None:
    runs = [Open(one_epoch(), done=0.5, seconds=TRAIN, running=True), Open(SFE)]
    pace = Pace("a CPU", seen=[seen(1.0, RESULTS)]).with_progress(runs)
    assert pace.left(runs, 2) == pytest.approx(START_SECONDS + 2 * (TRAIN + TEST))
    too_early = Open(one_epoch(), done=0.0001, seconds=0.4, running=True)
    assert Pace("a CPU").with_progress([too_early]).seen == []


def test_a_run_shows_the_pace_of_the_steps_that_it_takes() -> None:
    """Not of those that it was asked for: recording may have failed."""
    runs = [Open(one_epoch(), done=0.5, seconds=TRAIN, running=True, graphs=replays) for replays in (True, False)]
    shown = Pace("a GPU", gpu=True, graphs=True).with_progress(runs).seen
    assert [one.kind.graphs for one in shown] == [True, False]


@pytest.mark.parametrize(
    ("running", "beside", "devices", "expected"),
    [
        ([], [], 1, 7),  # none ever began
        ([False, False], [1, 1], 1, 2),  # two went on together before they were interrupted
        ([True, False], [0, None], 1, 1),
        ([True, True, True], [1, 1, 0], 1, 3),  # of two runners
        ([True], [1], 1, 2),  # the other has just ended
        ([False], [0], 4, 4),
        ([False, False], [2, None], 4, 12),
    ],
)
def test_as_many_go_on_as_did_before(
    running: list[bool], beside: list[int | None], devices: int, expected: int
) -> None:
    runs = [Open(one_epoch(), running=now, beside=count) for now, count in zip(running, beside, strict=True)]
    assert at_once([*runs, Open(one_epoch())], devices, otherwise=7) == expected


# ------------------------------------------------------------------ where it comes from


def test_it_says_where_a_time_comes_from() -> None:
    assert (
        Pace(TABLE_DEVICE).basis([one_epoch()]).startswith("by the built-in table, measured on this processor: of 28")
    )
    elsewhere = Pace("a CPU").basis([one_epoch()])
    assert elsewhere.startswith(
        f"by the built-in table of another processor, {TABLE_DEVICE}: up to four times too much"
    )
    assert Pace("a GPU", gpu=True).basis([one_epoch()]) == (
        "unknown, as nobody has measured this GPU: `run_suite.py bench` does"
    )
    known = [seen(2.0, BENCH), seen(1.0, RESULTS, SLA)]
    pace = Pace("a CPU", seen=known)
    assert pace.basis([one_epoch()]) == "from a bench of this device"
    assert pace.basis([SLA]) == "by the pace of completed results of this device"
    assert pace.basis([one_epoch(), SLA, RESNET164, RESNET164]) == (
        "2 of the runs scaled from a bench of this device, of another network, method, batch or precision; "
        "1 of the runs from a bench of this device; 1 of the runs by the pace of completed results of this device"
    )
    assert pace.basis([]) == "nothing is left"
