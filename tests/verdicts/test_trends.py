import math

import numpy as np
import pytest
from scipy import stats

from benchmark.verdicts.trends import ranks, spearman, spread_out


def test_rho_and_ranks_are_scipys() -> None:
    rng = np.random.default_rng(3)
    settings = [5.0, 9.0, 17.0, 33.0] * 4
    scores = [float(round(s / 20 + noise, 1)) for s, noise in zip(settings, rng.normal(75, 0.6, 16), strict=True)]
    assert len(set(scores)) < 16, "ties are tried"
    found = spearman(list(zip(settings, scores, strict=True)))
    assert found is not None
    assert found.rho == pytest.approx(stats.spearmanr(settings, scores).statistic)
    assert ranks(scores) == list(stats.rankdata(scores))
    z, se = math.atanh(found.rho), math.sqrt((1 + found.rho**2 / 2) / 13)
    assert found.interval == pytest.approx((math.tanh(z - 1.959964 * se), math.tanh(z + 1.959964 * se)))
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z / se)))


def test_a_perfect_order_is_certain() -> None:
    for sign in (1.0, -1.0):
        found = spearman([(n, sign * n) for n in range(8)])
        assert found is not None
        assert (found.rho, found.interval, found.p) == (sign, (sign, sign), 0.0)


@pytest.mark.parametrize(
    "points", [[], [(1, 2), (2, 3), (3, 4)], [(n, 5) for n in range(8)], [(5, n) for n in range(8)]]
)
def test_nothing_is_said_where_one_side_is_constant(points: list[tuple[float, float]]) -> None:
    assert spearman(points) is None


def test_four_values_have_the_printed_mean_and_spread() -> None:
    values = spread_out(76.8, 0.225)
    assert (np.mean(values), np.std(values, ddof=1)) == pytest.approx((76.8, 0.225))
    assert np.diff(values) == pytest.approx([values[1] - values[0]] * 3)
