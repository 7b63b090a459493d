import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from scipy import stats

from benchmark.verdicts.claims import Answered, answer, join
from benchmark.verdicts.parts import median_interval
from benchmark.verdicts.questions import Cost, Finding, Question
from benchmark.verdicts.reading import Reading

from .made import reading, seeds

BASE = [74.2, 73.9, 74.6, 74.4]
BETTER = [76.1, 76.9, 76.4, 76.7]


def question(kind: str, *cells: Reading, **more: Any) -> Question:
    fields = {"claim": "1", "label": "part", "suite": "table1", "statement": "said", "kind": kind, "cells": cells}
    return Question(**(fields | more))


def found(kind: str, *cells: Reading, **more: Any) -> Finding:
    return answer([question(kind, *cells, **more)])[0].findings[0]


def whole(*questions: Question) -> Answered:
    (claim,) = answer(questions)
    return claim


def pair(
    a: Sequence[float] | Mapping[int, float],
    b: Sequence[float] | Mapping[int, float],
    printed: tuple[tuple[float, float | None], tuple[float, float | None]] | None = ((76.8, 0.22), (74.21, 0.35)),
    **more: Any,
) -> tuple[Reading, Reading]:
    one, other = printed or (None, None)
    return reading(a, one, entry="a", **more), reading(b, other, entry="b", **more)


# ------------------------------------------------------------------ greater


def test_a_gain_with_all_its_numbers() -> None:
    finding = found("greater", *pair(BETTER, BASE))
    wanted = stats.ttest_ind(BETTER, BASE, equal_var=False)
    paired = stats.ttest_rel(BETTER, BASE)
    assert (finding.direction, finding.word, finding.trials) == ("supported", "supported", 4)
    assert finding.difference == pytest.approx(statistics.fmean(BETTER) - statistics.fmean(BASE))
    assert finding.interval95 == pytest.approx(tuple(wanted.confidence_interval(0.95)))
    assert finding.bound95 == pytest.approx(tuple(wanted.confidence_interval(0.90)))
    assert finding.paired95 == pytest.approx(tuple(paired.confidence_interval(0.95)))
    assert finding.correlation == pytest.approx(stats.pearsonr(BETTER, BASE).statistic)
    spread = math.hypot(statistics.stdev(BETTER), statistics.stdev(BASE))
    assert finding.probability_better == pytest.approx(stats.norm.cdf((finding.difference or 0) / spread))
    assert finding.trials_needed is None


def test_losses_and_errors() -> None:
    against = found("greater", *pair(BASE, BETTER))
    assert against.direction == "contradicted"
    assert against.p == pytest.approx(stats.ttest_ind(BASE, BETTER, equal_var=False).pvalue)
    assert found("greater", *pair(BASE, BETTER, error=True)).direction == "supported"
    assert found("greater", *pair(BETTER, BASE)).p == 1.0


def test_one_entrys_predictions_are_paired() -> None:
    single = [75.0, 76.0, 77.0, 78.0]  # far apart, but aggregated is always a little better
    aggregated = [75.3, 76.4, 77.3, 78.4]
    cells = [reading(aggregated, entry="same", prediction="ag"), reading(single, entry="same", prediction="si")]
    finding = found("greater", *cells)
    assert finding.direction == "supported"
    assert finding.interval95 is not None
    assert finding.interval95[0] < 0, "Welch's interval stands beside it"
    assert finding.bound95 == pytest.approx(tuple(stats.ttest_rel(aggregated, single).confidence_interval(0.9)))


def test_absent_where_half_the_papers_gain_is_excluded() -> None:
    a = [74.3, 74.1, 74.5, 74.4]
    finding = found("greater", *pair(a, BASE))
    half = (76.8 - 74.21) / 2
    assert finding.direction == "absent"
    assert finding.bound95 is not None
    assert finding.bound95[1] < half
    test = stats.ttest_ind([value - half for value in a], BASE, equal_var=False, alternative="less")
    assert finding.p_absent == pytest.approx(test.pvalue)
    assert found("greater", *pair(a, BASE, None)).direction == "undecided", "without a printed gain nothing is absent"


def test_a_gain_may_be_absent_though_no_spread_is_printed() -> None:
    cells = reading(BASE, (76.8, None), entry="a"), reading(BASE, (74.21, None), entry="b")
    finding = found("greater", *cells)
    assert (finding.direction, finding.size) == ("absent", None)
    assert finding.p_absent == pytest.approx(stats.ttest_ind(BASE, [one + 1.295 for one in BASE]).pvalue / 2)


def test_undecided_says_how_many_trials_would_tell() -> None:
    a, b = [75.0, 74.6, 74.0, 74.9], [74.2, 74.0, 74.9, 74.1]
    finding = found("greater", *pair(a, b, None))
    assert finding.direction == "undecided"
    n = finding.trials_needed
    assert isinstance(n, int)
    gain, spreads = statistics.fmean(a) - statistics.fmean(b), (statistics.variance(a), statistics.variance(b))
    for trials, decided in ((n - 1, False), (n, True)):
        one, other = (v / trials for v in spreads)
        freedom = (one + other) ** 2 * (trials - 1) / (one**2 + other**2)
        assert (gain > stats.t.ppf(0.975, freedom) * math.sqrt(one + other)) == decided
    assert found("greater", *pair([75.0, 74.0], [74.0, 75.0], None)).trials_needed == "none"


def test_paired_parts_say_how_many_pairs_would_tell() -> None:
    single, gains = [75.0, 76.0, 77.0, 78.0], [0.5, -0.3, 0.9, 0.1]
    aggregated = [one + gain for one, gain in zip(single, gains, strict=True)]
    cells = [reading(aggregated, entry="same", prediction="ag"), reading(single, entry="same", prediction="si")]
    n = found("greater", *cells).trials_needed
    assert isinstance(n, int)
    for pairs, decided in ((n - 1, False), (n, True)):
        reach = stats.t.ppf(0.975, pairs - 1) * statistics.stdev(gains) / math.sqrt(pairs)
        assert (statistics.fmean(gains) > reach) == decided


def test_the_epoch_that_is_reported_answers() -> None:
    cells = reading(BASE, entry="a", best=BETTER), reading(BETTER, entry="b", best=BASE)
    last, best = (answer([question("greater", *cells)], epoch)[0].findings[0] for epoch in ("last", "best"))
    assert (last.direction, best.direction) == ("contradicted", "supported")
    assert best.difference == pytest.approx(statistics.fmean(BETTER) - statistics.fmean(BASE))


def test_too_few_runs() -> None:
    finding = found("greater", *pair(BETTER, [74.0]))
    assert (finding.direction, finding.word, finding.trials) == ("not enough runs", "not enough runs", 1)
    assert (finding.difference, finding.interval95, finding.size) == (None, None, None)
    shown = found("shown", *pair(BETTER, []))
    assert (shown.direction, shown.word, shown.trials) == (None, None, 0)
    apart = [reading({0: 75.0, 1: 76.0}, entry="e"), reading({2: 75.0, 3: 76.0}, entry="e", prediction="ag")]
    assert found("greater", *apart).word == "not enough runs", "a paired decision needs two common seeds"


# ------------------------------------------------------------------ size


def test_a_gain_as_large_as_the_papers() -> None:
    finding = found("size", *pair([76.8, 76.9, 76.7, 76.8], [74.2, 74.3, 74.1, 74.2]))
    assert (finding.direction, finding.size, finding.size_strict, finding.word) == (
        "supported",
        "agrees",
        "agrees",
        "supported",
    )
    assert finding.p == 1.0


def test_a_gain_of_another_size() -> None:
    small = found("size", *pair([74.9, 75.0, 74.8, 74.9], [74.2, 74.3, 74.1, 74.2]))
    assert (small.direction, small.size, small.word) == ("supported", "differs", "contradicted")
    assert 0 < small.p < 0.05
    wide = found("size", *pair([75.0, 78.0], [73.0, 75.0]))
    assert (wide.size, wide.word) == ("unknown", "undecided")


@pytest.mark.parametrize(("beyond", "size"), [(0.015, "agrees"), (0.005, "unknown")])
def test_two_printed_means_round_a_size_by_a_hundredth(beyond: float, size: str) -> None:
    a, b = [76.8, 76.9, 76.7, 76.8], [74.5, 74.6, 74.4, 74.6]
    variances = [statistics.variance(a) / 4, statistics.variance(b) / 4, 0.225**2 / 4, 0.355**2 / 4]
    freedom = sum(variances) ** 2 / sum(v**2 / 3 for v in variances)
    excess = statistics.fmean(a) - statistics.fmean(b) - (76.8 - 74.21)
    reach = abs(excess) + stats.t.ppf(0.95, freedom) * math.sqrt(sum(variances))
    finding = found("size", *pair(a, b, margin=(reach + beyond) / math.sqrt(2)))
    assert finding.size == size


def test_of_a_size_nobody_printed_nothing_is_said() -> None:
    for printed in (None, ((76.8, None), (74.21, None))):
        finding = found("size", *pair(BETTER, BASE, printed))
        assert (finding.direction, finding.size, finding.word, finding.p) == ("supported", None, "undecided", 1.0)
        assert found("size", *pair(BASE, BETTER, printed)).word == "undecided"


def test_a_small_printed_gain_is_held_strictly_to_half_of_itself() -> None:
    finding = found("greater", *pair([74.6, 74.7, 74.5], [74.2, 74.3, 74.1], ((74.61, 0.1), (74.21, 0.1))))
    assert (finding.size, finding.size_strict) == ("agrees", "unknown")
    assert found("greater", *pair(BETTER, BASE, None)).size is None


# ------------------------------------------------------------------ other kinds


def test_not_greater() -> None:
    a, b = [76.8, 76.9, 76.7, 76.8], [76.7, 76.9, 76.8, 76.7]
    assert found("not_greater", *pair(a, b), bound=0.5).direction == "supported"
    beyond = found("not_greater", *pair([v + 1 for v in a], b), bound=0.5)
    assert beyond.direction == "contradicted"
    shifted = stats.ttest_ind([v + 0.5 for v in a], b, equal_var=False, alternative="greater")
    assert beyond.p == pytest.approx(shifted.pvalue)
    assert found("not_greater", *pair([v + 0.5 for v in a], b), bound=0.5).direction == "undecided"


def test_bounds_are_the_ends_of_the_deciding_90_percent_interval() -> None:
    a, b = [76.8, 76.9, 76.7, 76.8], [76.7, 76.9, 76.8, 76.7]
    finding = found("within", *pair(a, [v + 2 for v in b]), bound=1.0)
    wanted = stats.ttest_ind(a, [v + 2 for v in b], equal_var=False).confidence_interval(0.9)
    assert finding.bound95 == pytest.approx(tuple(wanted))
    shifted = stats.ttest_ind([v + 1.0 for v in a], [v + 2 for v in b], equal_var=False, alternative="less")
    assert finding.p == pytest.approx(shifted.pvalue)


def test_within() -> None:
    a, b = [76.8, 76.9, 76.7, 76.8], [77.2, 77.3, 77.1, 77.2]
    assert found("within", *pair(a, b), bound=1.0).direction == "supported"
    assert found("within", *pair(a, [v + 2 for v in b]), bound=1.0).direction == "contradicted"
    assert found("within", *pair(a, [v + 0.6 for v in b]), bound=1.0).direction == "undecided"


def test_best_of_several() -> None:
    others = [reading([72.0, 72.2, 71.9], entry="c"), reading([75.0, 75.2, 75.1], entry="d")]
    finding = found("best", reading(BETTER, entry="a"), *others)
    assert finding.direction == "supported"
    assert finding.difference == pytest.approx(statistics.fmean(BETTER) - 75.1), "the nearest is shown"
    assert finding.bound95 is None
    beaten = found("best", reading([72.0, 72.2, 71.9], entry="a"), *others[1:], reading(BETTER, entry="e"))
    ps = [stats.ttest_ind([72.0, 72.2, 71.9], list(b), equal_var=False).pvalue for b in ([75.0, 75.2, 75.1], BETTER)]
    assert beaten.direction == "contradicted"
    assert beaten.p == pytest.approx(min(2 * min(ps), max(ps)))


def test_trend() -> None:
    cells = [reading([70.0 + k, 70.1 + k, 70.2 + k], entry=f"k{k}") for k in range(4)]
    up = found("trend", *cells, settings=(5.0, 9.0, 17.0, 33.0))
    assert (up.direction, up.p) == ("supported", 1.0)
    assert up.difference is not None
    assert up.difference > 0.9
    down = found("trend", *cells, settings=(5.0, 9.0, 17.0, 33.0), rising=False)
    assert down.direction == "contradicted"
    assert down.p < 1e-3
    flat = [reading([70.0, 70.0], entry=f"k{k}") for k in range(4)]
    still = found("trend", *flat, settings=(5.0, 9.0, 17.0, 33.0))
    assert (still.direction, still.difference, still.interval95) == ("undecided", None, None)


def test_a_trend_of_errors_goes_where_their_numbers_go() -> None:
    cells = [reading([30.0 + 10 * k, 30.1 + 10 * k], entry=f"k{k}", error=True) for k in range(2)]
    rising = found("trend", *cells, settings=(1.0, 2.0))
    assert rising.difference == pytest.approx(stats.spearmanr([1, 1, 2, 2], [30.0, 30.1, 40.0, 40.1]).statistic)
    wide = [reading([30.0 + k, 30.1 + k, 30.2 + k], entry=f"k{k}", error=True) for k in range(4)]
    assert found("trend", *wide, settings=(1.0, 2.0, 3.0, 4.0)).direction == "supported"
    assert found("trend", *wide, settings=(1.0, 2.0, 3.0, 4.0), rising=False).direction == "contradicted"


def test_the_papers_trend_by_its_printed_spreads() -> None:
    printed, settings = [(75.0, 0.2), (75.1, 0.3), (75.0, 0.1), (75.4, 0.2)], (5.0, 9.0, 17.0, 33.0)
    cells = [reading([], one, entry=f"k{k}") for k, one in enumerate(printed)]
    found = whole(question("trend", *cells, settings=settings)).by_print[0]
    points = [
        (setting, mean + (std + 0.005) * step / math.sqrt(20 / 3))
        for setting, (mean, std) in zip(settings, printed, strict=True)
        for step in (-3, -1, 1, 3)
    ]
    assert found is not None
    assert found.difference == pytest.approx(stats.spearmanr(*zip(*points, strict=True)).statistic)


@pytest.mark.parametrize(
    ("percent", "direction"), [(24.1, "supported"), (13.0, "supported"), (5.0, "contradicted"), (50.0, "contradicted")]
)
def test_ratio_without_steps(percent: float, direction: str) -> None:
    finding = found("ratio", cost=Cost(printed_percent=24.1, percent=percent))
    assert (finding.direction, finding.difference, finding.interval95) == (direction, 1 + percent / 100, None)
    assert finding.p == (0.0 if direction == "contradicted" else 1.0)


def test_ratio_with_steps() -> None:
    steps = [1.2, 1.22, 1.24, 1.26, 1.28, 1.3]
    assert found("ratio", cost=Cost(printed_percent=24.1, percent=25.0, step_ratios=steps)).interval95 == (1.2, 1.3)
    wide = found("ratio", cost=Cost(printed_percent=24.1, percent=25.0, step_ratios=[1.0, *steps]))
    assert wide.direction == "undecided"
    nothing = found("ratio", cost=Cost(printed_percent=24.1, percent=None))
    assert (nothing.word, nothing.trials) == ("not enough runs", 0)
    other = found("ratio", cost=Cost(printed_percent=24.1, percent=None, trials=1))
    assert (other.word, other.trials) == ("not enough runs", 1), "measured, but not in a way that compares"


def test_interval_of_a_median() -> None:
    values = [float(n) for n in range(1, 21)]
    low, high = median_interval(values) or (0, 0)
    assert (low, high) == (6.0, 15.0)  # the textbook's ranks for twenty
    assert stats.binom.cdf(5, 20, 0.5) <= 0.025 < stats.binom.cdf(6, 20, 0.5)
    assert median_interval(values[:5]) is None


# ------------------------------------------------------------------ a claim as a whole


def finding(word: str, p: float = 1.0, p_absent: float = 1.0) -> Finding:
    return Finding(direction=word, word=word, p=p, p_absent=p_absent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "word"),
    [
        ([finding("supported"), finding("supported")], "supported"),
        ([finding("supported"), finding("undecided")], "undecided"),
        ([], "undecided"),
        ([finding("contradicted", 0.01), finding("not enough runs")], "contradicted"),
        ([finding("contradicted", 0.03), finding("supported")], "undecided"),  # 0.06 after Holm
        ([finding("supported"), finding("not enough runs")], "not enough runs"),
        ([finding("absent", p_absent=0.01), finding("supported")], "absent"),
        ([finding("absent", p_absent=0.04), finding("supported")], "undecided"),
        ([finding("absent", p_absent=0.01), finding("not enough runs")], "not enough runs"),
    ],
)
def test_a_claims_word(findings: list[Finding], word: str) -> None:
    assert join(findings).word == word
    assert join(findings).parts == len(findings)


def test_what_is_only_shown_counts_nothing() -> None:
    cells = pair(BETTER, BASE)
    claim = whole(question("greater", *cells), question("shown", *cells, label="beside"))
    assert (claim.verdict.supported, claim.verdict.parts) == (1, 1)
    assert claim.findings[1].difference is not None
    assert claim.findings[1].direction is None


def test_the_paper_by_the_same_rule() -> None:
    claim = whole(question("greater", *pair([], [])))
    assert claim.verdict.word == "not enough runs"
    printed = claim.by_print[0]
    assert printed is not None
    se = math.sqrt((0.225**2 + 0.355**2) / 4)
    freedom = (0.225**2 + 0.355**2) ** 2 * 3 / (0.225**4 + 0.355**4)
    reach = stats.t.ppf(0.975, freedom) * se + 0.01
    assert printed.interval95 == pytest.approx((2.59 - reach, 2.59 + reach))
    assert claim.published is not None
    assert claim.published.word == "supported"
    unprinted = whole(question("greater", *pair([], [], None)))
    assert (unprinted.by_print, unprinted.published) == ((None,), None)


def test_of_the_papers_sizes_the_direction_is_asked() -> None:
    claim = whole(question("size", *pair([], [])))
    assert claim.published is not None
    assert claim.published.word == "supported"


def test_common_seeds_alone_are_paired() -> None:
    a, b = reading(seeds(BETTER), entry="a"), reading({0: 74.2, 1: 73.9, 8: 70.0}, entry="b")
    finding = found("greater", a, b)
    assert finding.paired95 == pytest.approx(tuple(stats.ttest_rel(BETTER[:2], [74.2, 73.9]).confidence_interval(0.95)))
    assert finding.correlation is None
