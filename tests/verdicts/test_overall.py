import math
import statistics

import pytest
from scipy import stats

from benchmark.verdicts.overall import Overall, overall

from .made import reading


def test_trainings_count_once() -> None:
    cells = [
        reading([74.0, 74.4], (74.0, 0.3), entry="a"),
        reading([74.0, 74.4], (74.0, 0.3), entry="a", column="again"),
        reading([76.0, 76.2], (76.8, 0.2), entry="b", prediction="single"),
        reading([76.9, 77.1], (76.8, 0.2), entry="b", prediction="aggregated"),
        reading([20.0, 20.4], (19.5, None), entry="c", assumed=0.09, error=True),
        reading([], (70.0, 0.2), entry="not run"),
        reading([50.0], None, entry="not printed"),
    ]
    found = overall("table1", cells)
    each = [0.2, ((76.1 - 76.8) + (77.0 - 76.8)) / 2, -(20.2 - 19.5)]
    mean, reach = statistics.fmean(each), stats.t.ppf(0.975, 2) * statistics.stdev(each) / math.sqrt(3)
    assert found.mean_difference == pytest.approx(mean)
    assert found.interval95 == pytest.approx((mean - reach, mean + reach))
    assert (found.trainings, found.better, found.worse) == (3, 1, 2)
    assert (found.covered, found.predicted) == (2, 4)  # 76.1 and the error of 20.2 are too far off


def test_without_runs_and_with_one() -> None:
    assert overall("all", [reading([], (70.0, 0.2))]) == Overall(suite="all")
    one = overall("all", [reading([70.0], (70.0, 0.2))])
    assert (one.trainings, one.mean_difference, one.interval95, one.better, one.worse) == (1, 0.0, None, 0, 0)


def test_the_best_epoch_can_be_read() -> None:
    assert overall("x", [reading([70.0], (70.0, 0.2), best=[71.0])], "best").mean_difference == pytest.approx(1.0)
