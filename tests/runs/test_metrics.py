import math

import pytest

from benchmark.runs.metrics import (
    COST_METRICS,
    METRICS,
    NO_PREDICTIONS,
    OVERHEADS,
    from_accuracy,
    from_history,
    of_epoch,
    overhead_percent,
)

HISTORY = [
    {"epoch": 1, "learning_rate": 0.1, "train_loss": 2.0, "single": 40.0, "aggregated": 39.0},
    {"epoch": 2, "learning_rate": 0.1, "train_loss": 1.0, "single": 50.0, "aggregated": 48.0},
    {"epoch": 3, "learning_rate": 0.1, "train_loss": 0.9, "single": 45.0, "aggregated": 49.0},
]


def test_a_history_gives_the_last_and_each_predictions_own_best_epoch() -> None:
    found = from_history(HISTORY)
    assert found == {
        "single_last_epoch": 45.0,
        "aggregated_last_epoch": 49.0,
        "single_best_epoch": 50.0,
        "aggregated_best_epoch": 49.0,
    }
    assert list(found)[:2] == ["single_last_epoch", "aggregated_last_epoch"], "as results of before are written"
    assert not {of_epoch(name, "last") for name in NO_PREDICTIONS} & set(found)


def test_an_error_is_what_accuracy_leaves() -> None:
    assert (from_accuracy(76.8, "accuracy"), from_accuracy(75.0, "error")) == (76.8, 25.0)


def test_an_overhead_is_over_the_baseline() -> None:
    assert overhead_percent(3.0, 2.0) == 50.0
    assert overhead_percent(2.0, 2.0) == 0.0


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("accuracy_last_epoch", [0.0, 76.8, 100.0], [-0.01, 100.01, math.nan]),
        ("error_best_epoch", [0.0, 100.0], [-1.0, 101.0]),
        ("memory_mib", [0.5, 1e5], [0.0, -1.0]),
        ("seconds_per_step", [1e-9, 10.0], [0.0, -0.1]),
        ("time_overhead_percent", [-99.9, 0.0, 289.3], [-100.0, -150.0]),
    ],
)
def test_what_a_number_can_be(name: str, good: list[float], bad: list[float]) -> None:
    assert all(map(METRICS[name].allows, good))
    assert not any(map(METRICS[name].allows, bad))


def test_every_number_of_a_table_has_its_metric() -> None:
    scores = {of_epoch(score, epoch) for score in ("accuracy", "error") for epoch in ("last", "best")}
    assert {*scores, *COST_METRICS, *OVERHEADS.values()} <= set(METRICS)
    assert [METRICS[name].decimals for name in ("error_last_epoch", *COST_METRICS, *OVERHEADS.values())] == [
        2,
        0,
        3,
        1,
        1,
    ]
    assert {name for name, one in METRICS.items() if not one.lower_is_better} == {
        "accuracy_last_epoch",
        "accuracy_best_epoch",
    }
