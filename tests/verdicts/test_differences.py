import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from benchmark.verdicts.differences import Difference, holm, of_pairs, of_trials, term

ONE, OTHER = [74.2, 73.9, 74.6, 74.4], [76.1, 76.9, 76.4]


def test_welch_is_scipys() -> None:
    found, wanted = of_trials(ONE, OTHER), stats.ttest_ind(ONE, OTHER, equal_var=False)
    assert found.p_zero == pytest.approx(wanted.pvalue, rel=1e-12)
    assert found.freedom == pytest.approx(wanted.df, rel=1e-12)
    assert found.interval(0.95) == pytest.approx(tuple(wanted.confidence_interval(0.95)), rel=1e-12)


def test_tost_is_statsmodels() -> None:
    for margin in (1.0, 2.5, 4.0):
        wanted, _, _ = ttost_ind(np.array(ONE), np.array(OTHER), -margin, margin, usevar="unequal")
        assert of_trials(ONE, OTHER).p_equivalent(margin) == pytest.approx(wanted, rel=1e-9)


def test_pairs_are_scipys_and_statsmodels() -> None:
    one, other = dict(enumerate(ONE)), {0: 73.0, 1: 72.9, 3: 73.1, 7: 0.0}
    common = [0, 1, 3]
    a, b = [one[seed] for seed in common], [other[seed] for seed in common]
    found = of_pairs(one, other)
    assert found is not None
    wanted = stats.ttest_rel(a, b)
    assert found.p_zero == pytest.approx(wanted.pvalue, rel=1e-12)
    assert found.interval(0.9) == pytest.approx(tuple(wanted.confidence_interval(0.9)), rel=1e-12)
    tost, _, _ = ttost_paired(np.array(a), np.array(b), -1.5, 1.5)
    assert found.p_equivalent(1.5) == pytest.approx(tost, rel=1e-9)
    assert of_pairs(one, other, -1.0) == replace(found, value=-found.value)
    assert of_pairs(one, {0: 1.0, 9: 2.0}) is None


@pytest.mark.parametrize("rounding", [0.0, 0.005, 0.01])
@pytest.mark.parametrize("value", [-1.3, -0.004, 0.0, 0.3, 0.95])
def test_tost_passes_just_where_the_90_percent_interval_lies_inside(value: float, rounding: float) -> None:
    difference = Difference(value, (term(0.3, 4), term(0.2, 4)), rounding)
    low, high = difference.interval(0.90)
    for margin in np.linspace(0.01, 2, 400):
        assert (difference.p_equivalent(float(margin)) < 0.05) == (-margin < low and high < margin)


def test_rounding_widens_intervals_and_hardens_tests() -> None:
    exact, rounded = (Difference(0.8, (term(0.3, 4), term(0.3, 4)), r) for r in (0.0, 0.01))
    assert rounded.interval(0.95)[0] == pytest.approx(exact.interval(0.95)[0] - 0.01)
    assert rounded.interval(0.95)[1] == pytest.approx(exact.interval(0.95)[1] + 0.01)
    assert rounded.p_zero == pytest.approx(Difference(0.79, exact.terms).p_zero)
    assert rounded.p_equivalent(1.0) == pytest.approx(exact.p_equivalent(0.99))


def test_without_any_spread_a_difference_is_certain() -> None:
    for spread in (0.0, 1e-10):
        parts = (term(spread, 4), term(0.0, 2))
        assert Difference(0.5, parts, 0.005).interval(0.95) == pytest.approx((0.495, 0.505))
        assert [Difference(d, parts, 0.005).p_zero for d in (0.0, 0.004, -0.006)] == [1, 1, 0]
        assert [Difference(d, parts, 0.005).p_equivalent(1.0) for d in (0.9, -0.994, 0.996, 2.0)] == [0, 0, 1, 1]
        assert [Difference(0.5, parts).p_above(m) for m in (0.4, 0.6)] == [0, 1]
        assert [Difference(0.5, parts).p_below(m) for m in (0.4, 0.6)] == [1, 0]


def test_equal_means_of_equal_values_do_not_differ() -> None:
    found = Difference(1e-14, (term(0.0, 4),))
    assert (found.value, found.interval(0.95), found.p_zero) == (0.0, (0.0, 0.0), 1.0)
    assert Difference(1e-14, (term(1.0, 4),)).value == 1e-14, "beside a spread it is nothing"


def test_a_part_without_spread_leaves_the_others_freedom() -> None:
    found = Difference(1.0, (term(0.4, 4), term(0.0, 4)))
    assert found.freedom == pytest.approx(3)
    assert found.error == pytest.approx(0.2)


def test_holm_is_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 3, 24):
        ps = list(rng.uniform(0, 0.2, count))
        assert holm(ps) == pytest.approx(list(multipletests(ps, method="holm")[1]), rel=1e-12)
    assert holm([]) == []


def test_freedom_of_equal_parts() -> None:
    assert Difference(0.0, (term(1.0, 4), term(1.0, 4))).freedom == pytest.approx(6)
    assert math.isfinite(Difference(0.0, ()).freedom)
