import math
import statistics

import numpy as np
import pytest
from scipy import stats

from benchmark.verdicts.cells import Verdict, _as_printed, _Case, _judged, _pooled, judge, prediction95
from benchmark.verdicts.differences import Term
from benchmark.verdicts.reading import Reading

from .made import reading

NEAR = [76.6, 76.9, 76.8, 77.0]  # beside 76.80 ± 0.22
FAR = [74.0, 74.3, 74.1, 73.9]


def alone(cell: Reading, epoch: str = "last") -> Verdict:
    return judge([cell], epoch)[0]


# ------------------------------------------------------------------ words


def test_a_number_that_came_out_again() -> None:
    found = alone(reading(NEAR, (76.80, 0.22)))
    assert (found.word, found.reason) == ("reproduced", "90 % interval inside the margin")
    mean, sd = statistics.fmean(NEAR), statistics.stdev(NEAR)
    assert found.difference == pytest.approx(mean - 76.80)
    se = math.sqrt(sd**2 / 4 + 0.225**2 / 4)  # the printed spread at its upper end
    df = se**4 / ((sd**2 / 4) ** 2 / 3 + (0.225**2 / 4) ** 2 / 3)
    reach = stats.t.ppf(0.95, df) * se + 0.005
    assert found.interval90 == pytest.approx((mean - 76.80 - reach, mean - 76.80 + reach))
    expected = stats.t.ppf(0.975, 3) * 0.225 * math.sqrt(0.5) + 0.005
    assert found.prediction95 == pytest.approx((76.80 - expected, 76.80 + expected))
    assert (found.robust, found.pooled, found.best_epoch) == ("yes", "reproduced", "reproduced")
    assert found.trials_needed is None


def test_a_number_that_did_not() -> None:
    lower = alone(reading(FAR, (76.80, 0.22)))
    assert (lower.word, lower.reason, lower.strong) == ("lower", "90 % interval beyond the margin", True)
    higher = alone(reading([77.7, 77.5, 77.6, 77.8], (76.80, 0.22)))
    assert (higher.word, higher.reason, higher.strong) == ("higher", "differs from the paper", False)


@pytest.mark.parametrize(
    ("scores", "printed", "reason"),
    [
        ([], (76.80, 0.22), "no runs"),
        ([76.8], (76.80, 0.22), "one trial"),
        ([76.8, 76.7], (76.80, None), "no spread published or assumed"),
        ([76.8, 76.7], None, "no published number"),
    ],
)
def test_no_verdict(scores: list[float], printed: tuple[float, float | None] | None, reason: str) -> None:
    found = alone(reading(scores, printed))
    assert (found.word, found.reason) == ("no verdict", reason)
    assert (found.robust, found.pooled, found.best_epoch, found.p_difference) == (None, None, None, None)
    if reason == "one trial":
        assert found.difference == pytest.approx(0.0)
        assert found.prediction95 is not None
    else:
        assert (found.difference, found.prediction95) == (None, None)


def test_an_assumed_spread_never_reproduces() -> None:
    inside = alone(reading([22.5, 22.6, 22.7], (22.59, None), assumed=0.09, error=True))
    assert (inside.word, inside.reason) == ("inconclusive", "within the prediction interval, spread assumed")
    nothing = inside.interval90, inside.p_equivalence, inside.robust, inside.pooled, inside.trials_needed
    assert set(nothing) == {None}
    assert inside.best_epoch == "inconclusive"
    outside = alone(reading([23.5, 23.6, 23.7], (22.59, None), assumed=0.09, error=True))
    assert (outside.word, outside.reason) == ("outside", "outside the prediction interval, spread assumed")


def test_wide_spreads_decide_nothing_and_say_how_many_trials_would() -> None:
    cell = reading([75.8, 78.2, 77.0, 75.9], (76.80, 0.22))
    found = alone(cell)
    assert (found.word, found.reason) == ("inconclusive", "interval reaches beyond the margin")
    assert isinstance(found.trials_needed, int)
    sd, d = statistics.stdev(cell.last_epoch.values()), found.difference
    assert d is not None
    for n, decided in ((found.trials_needed - 1, False), (found.trials_needed, True)):
        a, b = sd**2 / n, 0.225**2 / 4
        t = stats.t((a + b) ** 2 / (a**2 / (n - 1) + b**2 / 3))
        inside = abs(d) + t.ppf(0.95) * math.sqrt(a + b) + 0.005 < 1.0
        assert inside == decided
    wide = alone(reading([75.8, 78.2, 77.0, 75.9], (76.80, 2.5)))
    assert wide.trials_needed == "none"  # the paper's own four are the limit


def test_holm_runs_over_the_planned_distinct_cells() -> None:
    doubtful = reading([77.5, 77.25, 78.0, 77.9], (76.80, 0.22), entry="a")
    assert alone(doubtful).word == "higher"
    others = [reading([], (70.0 + n, 0.2), entry=f"o{n}") for n in range(23)]
    found = judge([doubtful, *others])[0]
    assert (found.word, found.reason) == ("inconclusive", "differs before Holm only")
    assert found.p_difference
    assert found.p_difference_holm == pytest.approx(min(1, 24 * found.p_difference))
    again = [reading([], (70.0, 0.2), entry="o0", column=f"again {n}") for n in range(23)]
    assert judge([doubtful, *again])[0].p_difference_holm == pytest.approx(2 * (found.p_difference or 0))
    assumed = [reading([], (70.0 + n, None), entry=f"o{n}", assumed=0.1) for n in range(23)]
    assert judge([doubtful, *assumed])[0].word == "higher"


def test_cells_that_show_one_number_share_one_verdict() -> None:
    twins = [reading(FAR, (76.80, 0.22), column=name) for name in ("SI", "AG")]
    one, other = judge(twins)
    assert one == other == alone(twins[0]), "Holm counts it once"
    two = judge([twins[0], reading(FAR, (76.80, 0.22), entry="another")])[0]
    assert two.p_difference_holm == pytest.approx(2 * (one.p_difference_holm or 0))


@pytest.mark.parametrize("lacking", [[], [76.8]])
def test_where_results_lack_a_name_of_the_number_the_other_is_taken(lacking: list[float]) -> None:
    wide = reading([75.0, 78.0, 76.2, 77.9], (76.80, 0.22), column="AG")
    less = reading(lacking, (76.80, 0.22), column="SI")
    assert judge([less, wide]) == judge([wide, less]) == [alone(wide)] * 2
    assert alone(wide).trials_needed is not None


def test_a_spread_of_four_trainings_can_be_too_small_to_believe() -> None:
    found = alone(reading(NEAR, (76.80, 0.05)))
    assert found.reason.endswith("; printed spread not credible at n = 4, see verdict_pooled")
    assert "credible" not in alone(reading(NEAR, (76.80, 0.06))).reason
    assert "credible" not in alone(reading([], (76.80, 0.01))).reason


def test_the_reading_of_the_spread_may_decide() -> None:
    found = alone(reading([76.9, 77.1, 77.0, 77.2], (76.80, 0.50)))
    assert (found.word, found.robust) == ("reproduced", "sem: inconclusive")


def test_pooled_spreads_are_a_datasets_own() -> None:
    cells = [
        reading([76.5, 77.1, 76.7, 76.9], (76.80, 0.01), entry="a"),
        reading([75.0, 75.4], (75.20, 0.30), entry="b", prediction="single"),
        reading([75.1, 75.6], (75.30, 0.40), entry="b", prediction="aggregated"),
        reading([70.0], (70.0, 0.50), entry="one trial"),
        reading([71.0, 71.9], (71.0, None), entry="unprinted", assumed=0.3),
        reading([61.0, 68.0], (64.00, 3.0), entry="t", dataset="tiny-imagenet"),
    ]
    first, second, _, lone, unprinted, other = _pooled([_Case(cell, tuple(cell.last_epoch.values())) for cell in cells])
    printed = statistics.fmean([0.015**2, 0.305**2, 0.405**2, 0.505**2])
    spreads = [statistics.variance(cell.last_epoch.values()) for cell in cells[:3]]
    ours = (3 * spreads[0] + spreads[1] + spreads[2]) / 5
    for case, trials in ((first, 4), (second, 2)):  # degrees of freedom by trainings, not cells
        assert case.ours is not None
        assert [case.ours.variance, case.ours.freedom] == pytest.approx([ours / trials, 3 + 1])
        assert case.theirs is not None
        assert [case.theirs.variance, case.theirs.freedom] == pytest.approx([printed / 4, 3 * 3])
    assert (lone.ours, unprinted.theirs) == (None, None)
    assert (other.ours, other.theirs) == (Term(24.5 / 2, 1), Term(3.005**2 / 4, 3)), "another dataset"


def test_a_word_may_turn_by_pooling() -> None:
    wide = reading([75.8, 77.8, 76.2, 77.4], (76.80, 0.22), entry="wide")
    assert (alone(wide).word, alone(wide).pooled) == ("inconclusive", "inconclusive")
    steady = [reading([70.0, 70.1, 69.9, 70.0], (70.0, 0.2), entry=f"steady {n}") for n in range(6)]
    found = judge([wide, *steady])[0]
    assert (found.word, found.pooled, found.robust) == ("inconclusive", "reproduced", "pooled: reproduced")


def test_the_best_epoch_stands_beside_and_can_lead() -> None:
    cell = reading(FAR, (76.80, 0.22), best=NEAR)
    found = alone(cell)
    assert (found.word, found.best_epoch) == ("lower", "reproduced")
    best = alone(cell, "best")
    assert (best.word, best.best_epoch) == ("reproduced", "reproduced")


# ------------------------------------------------------------------ edges


def test_equal_values() -> None:
    same = alone(reading([76.8, 76.8, 76.8], (76.80, 0.22)))
    assert same.word == "reproduced"
    assert alone(reading([70.0, 70.0], (76.80, 0.22))).strong


def test_eight_trials_are_all_read() -> None:
    cell = reading([*NEAR, *NEAR], (76.80, 0.22))
    assert prediction95(cell, 8) == pytest.approx(
        (76.8 - (w := stats.t.ppf(0.975, 3) * 0.225 * math.sqrt(1 / 4 + 1 / 8) + 0.005), 76.8 + w)
    )
    assert alone(cell).word == "reproduced"


def test_of_no_cells_nothing_is_said() -> None:
    assert judge([]) == []


# ------------------------------------------------------------------ how often it is right, by simulation


def rates(*, bias: float, trials: int, repeats: int = 1000) -> tuple[float, float]:
    """Parts of repeats in which a cell is called reproduced, and in which Welch's test sees a difference.

    Spreads of 0.5 on both sides, a margin of two of them; the paper's four trials printed as a mean and a spread.
    """
    rng = np.random.default_rng(7)
    inside = differs = 0
    for _ in range(repeats):
        printed, scores = rng.normal(75.0, 0.5, 4), rng.normal(75.0 + bias, 0.5, trials)
        shown = round(float(printed.mean()), 2), round(float(printed.std(ddof=1)), 2)
        found = _judged([reading(list(map(float, scores)), shown)], "last", _as_printed)
        (verdict,) = found.values()
        inside += verdict.word == "reproduced"
        differs += (verdict.p_difference or 0) < 0.05
    return inside / repeats, differs / repeats


@pytest.mark.parametrize(("trials", "power", "alarms"), [(4, 0.57, 0.041), (8, 0.76, 0.050), (16, 0.81, 0.062)])
def test_power_and_false_alarms(trials: int, power: float, alarms: float) -> None:
    inside, differs = rates(bias=0.0, trials=trials)
    assert inside == pytest.approx(power, abs=0.04)
    assert differs == pytest.approx(alarms, abs=0.02)


@pytest.mark.parametrize(("trials", "most"), [(4, 0.045), (16, 0.055)])
def test_at_a_true_bias_of_the_margin_few_are_reproduced(trials: int, most: float) -> None:
    inside, _ = rates(bias=1.0, trials=trials)
    assert inside < most + 0.014  # two standard errors
