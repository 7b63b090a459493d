import statistics

import pytest
from scipy import stats

from benchmark.verdicts.compare import compare

from .made import reading

A = [74.2, 73.9, 74.6, 74.4]


def test_the_same_seeds_are_paired() -> None:
    b = [value + shift for value, shift in zip(A, (1.9, 2.1, 2.0, 2.0), strict=True)]
    (found,) = compare([reading(A)], [reading(b)])
    assert (found.word, found.paired, found.trials) == ("higher", 4, (4, 4))
    assert found.difference == pytest.approx(2.0)
    assert found.interval95 == pytest.approx(tuple(stats.ttest_rel(b, A).confidence_interval(0.95)))
    (back,) = compare([reading(b)], [reading(A)])
    assert back.word == "lower"
    assert back.difference == pytest.approx(-2.0)


def test_other_seeds_are_not() -> None:
    (found,) = compare([reading(A)], [reading({8: 74.1, 9: 74.4, 10: 74.2})])
    wanted = stats.ttest_ind([74.1, 74.4, 74.2], A, equal_var=False)
    assert (found.word, found.paired) == ("same", 0)
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.means[1] == pytest.approx(74.2333, abs=1e-3)


def test_wide_differences_are_undecided_and_holm_counts_distinct_cells() -> None:
    wide = reading([70.0, 76.0])
    assert compare([wide], [reading([75.0, 71.0])])[0].word == "undecided"
    first = [reading(A, entry=str(n)) for n in range(3)]
    second = [reading([v + d for v, d in zip(A, (3.0, 1.2, 4.0, 1.5), strict=True)], entry=str(n)) for n in range(3)]
    alone, together = compare(first[:1], second[:1])[0], compare(first, second)[0]
    assert together.p == pytest.approx(3 * (alone.p or 0))
    twice = compare(first[:1] * 2, second[:1] * 2)[0]
    assert twice.p == alone.p


def test_too_few_trials() -> None:
    (found,) = compare([reading([74.0])], [reading([74.0])])
    assert (found.word, found.difference, found.means) == ("not enough runs", None, (74.0, 74.0))
    assert compare([reading([])], [reading(A)])[0].means == (None, statistics.fmean(A))
