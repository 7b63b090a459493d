import statistics

import pytest
from scipy import stats

from benchmark.verdicts.compare import compare_cells

from .made import reading

A = [74.2, 73.9, 74.6, 74.4]


def test_the_same_seeds_are_paired() -> None:
    b = [value + shift for value, shift in zip(A, (1.9, 2.1, 2.0, 2.0), strict=True)]
    (found,) = compare_cells([reading(A)], [reading(b)])
    assert (found.word, found.paired, found.trials) == ("higher", 4, (4, 4))
    assert found.difference == pytest.approx(2.0)
    assert found.interval95 == pytest.approx(tuple(stats.ttest_rel(b, A).confidence_interval(0.95)))
    (back,) = compare_cells([reading(b)], [reading(A)])
    assert back.word == "lower"
    assert back.difference == pytest.approx(-2.0)


def test_other_seeds_are_not() -> None:
    (found,) = compare_cells([reading(A)], [reading({8: 74.1, 9: 74.4, 10: 74.2})])
    wanted = stats.ttest_ind([74.1, 74.4, 74.2], A, equal_var=False)
    assert (found.word, found.paired) == ("same", 0)
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.means[1] == pytest.approx(74.2333, abs=1e-3)


def test_a_few_common_seeds_of_many_are_not_paired() -> None:
    first = {0: 70.0, 1: 70.4, 2: 70.9, 3: 70.6, 4: 70.5, 5: 70.7}
    second = {0: 72.0, 1: 72.1, 12: 64.0, 13: 60.1, 14: 59.0, 15: 58.0}
    (found,) = compare_cells([reading(first)], [reading(second)])
    assert (found.paired, found.trials) == (0, (6, 6))
    assert found.difference == pytest.approx(statistics.fmean(second.values()) - statistics.fmean(first.values()))
    (found,) = compare_cells([reading(first)], [reading({0: 72.0, 1: 72.3})])
    assert (found.paired, found.trials) == (2, (2, 2))
    assert found.means == pytest.approx((70.2, 72.15))
    assert found.difference == pytest.approx(72.15 - 70.2), "means are of what is compared"


def test_either_side_is_read_by_its_own_epoch() -> None:
    cell = reading(A, best=[value + shift for value, shift in zip(A, (0.2, 0.3, 0.1, 0.2), strict=True)])
    (found,) = compare_cells([cell], [cell], ("last", "best"))
    assert found.difference == pytest.approx(0.2)
    assert compare_cells([cell], [cell], ("best", "best"))[0].difference == 0


def test_wide_differences_are_undecided_and_holm_counts_distinct_cells() -> None:
    wide = reading([70.0, 76.0])
    assert compare_cells([wide], [reading([75.0, 71.0])])[0].word == "undecided"
    first = [reading(A, entry=str(n)) for n in range(3)]
    second = [reading([v + d for v, d in zip(A, (3.0, 1.2, 4.0, 1.5), strict=True)], entry=str(n)) for n in range(3)]
    alone, together = compare_cells(first[:1], second[:1])[0], compare_cells(first, second)[0]
    assert together.p == pytest.approx(3 * (alone.p or 0))
    twice = compare_cells(first[:1] * 2, second[:1] * 2)[0]
    assert twice.p == alone.p


def test_too_few_trials() -> None:
    (found,) = compare_cells([reading([74.0])], [reading([74.0])])
    assert (found.word, found.difference, found.means) == ("not enough runs", None, (74.0, 74.0))
    assert compare_cells([reading([])], [reading(A)])[0].means == (None, statistics.fmean(A))
