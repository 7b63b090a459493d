"""How each kind of part is decided (docs/statistics.md)."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.special import bdtr, ndtr

from benchmark.suites.claims import Kind
from benchmark.verdicts.differences import (
    ALPHA,
    MOST_TRIALS,
    NO_SPREAD,
    ROUNDING,
    Difference,
    holm,
    of_pairs,
    term,
)
from benchmark.verdicts.questions import Agreement, Answer, Cost, Ends, Finding, Question
from benchmark.verdicts.sides import Side, Sides, as_printed, printed_gain
from benchmark.verdicts.trends import spearman, spread_out

#: By how much a ratio of costs may differ from the printed one.
RATIO_TOLERANCE = 1.1


def find(question: Question, sides: Sides) -> Finding:
    """What trials, or the printed numbers in their place, say of one part."""
    if question.cost is not None:
        return _ratio(question.cost)
    trials = min((len(cell.last_epoch) for cell in question.cells), default=0)
    if sides.known is None or (not sides.printed and _too_few_pairs(question, sides.known)):
        missing: Answer | None = None if question.kind == "shown" else "not enough runs"
        return Finding(direction=missing, word=missing, trials=trials)
    finding = _KINDS[question.kind](question, sides.known, sides)
    finding = replace(finding, trials=trials)
    return finding if finding.word else replace(finding, word=finding.direction)


def find_printed(question: Question) -> Finding | None:
    """The same rule on the paper's numbers; always unpaired, and a size is judged by its direction."""
    sides = as_printed(question)
    if sides is None:
        return None
    finding = find(question, sides)
    return replace(finding, word=finding.direction)


def _too_few_pairs(question: Question, known: Sequence[Side]) -> bool:
    return _is_paired(question) and len(known[0].by_seed.keys() & known[1].by_seed.keys()) < 2


def _is_paired(question: Question) -> bool:
    """Whether A and B read one entry, two predictions of the same runs."""
    kinds = ("greater", "size", "not_greater", "within", "shown")
    return question.kind in kinds and question.cells[0].entry == question.cells[1].entry


@dataclass(frozen=True)
class _Compared:
    """A against B: Welch's difference, the paired one, and which of them decides."""

    welch: Difference
    paired: Difference | None
    deciding: Difference
    correlation: float | None
    probability_better: float


def _compare(question: Question, a: Side, b: Side, rounding: float) -> _Compared:
    sign = question.cells[0].sign
    welch = a.difference(b, sign, rounding)
    paired = of_pairs(a.by_seed, b.by_seed, sign)
    deciding = paired if paired is not None and _is_paired(question) else welch
    return _Compared(welch, paired, deciding, _correlation(a, b), _probability(welch.value, a, b))


def _correlation(a: Side, b: Side) -> float | None:
    """Pearson's over the common seeds, from three on."""
    seeds = sorted(a.by_seed.keys() & b.by_seed.keys())
    one, other = [a.by_seed[seed] for seed in seeds], [b.by_seed[seed] for seed in seeds]
    if len(seeds) < 3 or statistics.stdev(one) < NO_SPREAD or statistics.stdev(other) < NO_SPREAD:
        return None
    return statistics.correlation(one, other)


def _probability(gain: float, a: Side, b: Side) -> float:
    """P(A > B) of two single trainings, as if both were normal."""
    spread = math.hypot(*(0.0 if s < NO_SPREAD else s for s in (a.spread, b.spread)))
    if spread == 0:
        return 0.5 if gain == 0 else float(gain > 0)
    return float(ndtr(gain / spread))


def _beside(compared: _Compared) -> Finding:
    """Everything of a comparison that no kind decides by."""
    return Finding(
        difference=compared.welch.value,
        interval95=compared.welch.interval(0.95),
        bound95=compared.deciding.interval(0.90),
        paired95=compared.paired.interval(0.95) if compared.paired else None,
        paired=compared.deciding.paired,
        correlation=compared.correlation,
        probability_better=compared.probability_better,
    )


def _shown(question: Question, known: Sequence[Side], sides: Sides) -> Finding:
    return _beside(_compare(question, known[0], known[1], sides.rounding))


def _greater(question: Question, known: Sequence[Side], sides: Sides) -> Finding:
    compared = _compare(question, known[0], known[1], sides.rounding)
    deciding, printed = compared.deciding, as_printed(question)
    low, high = deciding.interval(0.95)
    direction: Answer = "supported" if low > 0 else "contradicted" if high < 0 else "undecided"
    p_absent = 1.0
    if direction == "undecided":
        half = (printed_gain(question) or 0.0) / 2
        if half > 0 and deciding.interval(0.90)[1] < half:
            direction, p_absent = "absent", deciding.p_below(half)
    finding = replace(
        _beside(compared),
        direction=direction,
        p=deciding.p_zero if deciding.value < 0 else 1.0,
        p_absent=p_absent,
        trials_needed=_trials_needed(known, deciding) if direction == "undecided" else None,
    )
    if sides.printed:
        return finding
    if not printed or not printed.known:  # of a size nothing can be said, whatever the direction
        return replace(finding, word="undecided", p=1.0, p_absent=1.0) if question.kind == "size" else finding
    return _with_size(question, finding, deciding, printed.known)


def _with_size(question: Question, finding: Finding, ours_: Difference, printed: Sequence[Side]) -> Finding:
    """Whether our gain is as large as the paper's."""
    theirs = printed[0].difference(printed[1], question.cells[0].sign, 2 * ROUNDING)
    excess = Difference(ours_.value - theirs.value, (*ours_.terms, *theirs.terms), 2 * ROUNDING)
    margin = question.cells[0].margin * math.sqrt(2)
    size, strict = _agreement(excess, margin), _agreement(excess, min(margin, abs(theirs.value) / 2))
    finding = replace(finding, size=size, size_strict=strict)
    if question.kind != "size":
        return finding
    words: Mapping[Agreement, Answer] = {"agrees": "supported", "differs": "contradicted", "unknown": "undecided"}
    return replace(finding, word=words[size], p=1.0 if size == "agrees" else excess.p_zero, p_absent=1.0)


def _agreement(excess: Difference, margin: float) -> Agreement:
    if excess.p_equivalent(margin) < ALPHA:
        return "agrees"
    return "differs" if excess.p_zero < ALPHA else "unknown"


def _bounded(question: Question, known: Sequence[Side], sides: Sides) -> Finding:
    """Whether a gain stays below M (``not_greater``), or a loss does (``within``): by one-sided 95 % bounds."""
    compared = _compare(question, known[0], known[1], sides.rounding)
    sign, deciding = (1.0 if question.kind == "not_greater" else -1.0), compared.deciding
    least, most = sorted(sign * end for end in deciding.interval(0.90))
    direction: Answer = (
        "supported" if most < question.bound else "contradicted" if least > question.bound else "undecided"
    )
    p = deciding.p_above(question.bound) if sign > 0 else deciding.p_below(-question.bound)
    return replace(_beside(compared), direction=direction, p=p)


def _best(question: Question, known: Sequence[Side], sides: Sides) -> Finding:
    """A against each other; the one shown is that with the smallest lower end."""
    each = [_compare(question, known[0], other, sides.rounding) for other in known[1:]]
    ps = holm([compared.welch.p_zero for compared in each])
    against = [p for compared, p in zip(each, ps, strict=True) if compared.welch.value < 0]
    lows = [compared.welch.interval(0.95)[0] for compared in each]
    direction: Answer = (
        "supported" if min(lows) > 0 else "contradicted" if min(against, default=1.0) < ALPHA else "undecided"
    )
    shown = each[lows.index(min(lows))]
    return replace(_beside(shown), bound95=None, direction=direction, p=min(against, default=1.0))


def _trend(question: Question, known: Sequence[Side], sides: Sides) -> Finding:
    """Of setting and score as they are printed: a trend of errors that rise is claimed to rise."""
    points = [
        (setting, score)
        for setting, side in zip(question.settings, known, strict=True)
        for score in (spread_out(side.mean, side.spread) if sides.printed else side.by_seed.values())
    ]
    found = spearman(points)
    if found is None:
        return Finding(direction="undecided")
    low, high = found.interval
    claimed = found.rho if question.rising else -found.rho
    ends = (low, high) if question.rising else (-high, -low)
    direction: Answer = "supported" if ends[0] > 0 else "contradicted" if ends[1] < 0 else "undecided"
    p = 1.0 if claimed >= 0 else found.p
    return Finding(direction=direction, p=p, difference=found.rho, interval95=found.interval)


def _ratio(cost: Cost) -> Finding:
    """A method's cost over the baseline's against the printed overhead."""
    if cost.percent is None:
        return Finding(direction="not enough runs", word="not enough runs", trials=cost.trials)
    ratio, printed = 1 + cost.percent / 100, 1 + cost.printed_percent / 100
    interval = median_interval(cost.step_ratios)
    low, high = interval or (ratio, ratio)
    least, most = printed / RATIO_TOLERANCE, printed * RATIO_TOLERANCE
    direction: Answer = "undecided"
    if least <= low and high <= most:
        direction = "supported"
    elif high < least or low > most:
        direction = "contradicted"
    p = 0.0 if direction == "contradicted" else 1.0
    return Finding(direction=direction, word=direction, p=p, difference=ratio, interval95=interval, trials=cost.trials)


def median_interval(values: Sequence[float]) -> Ends | None:
    """Distribution-free 95 % interval of the median; None below six values, where there is none."""
    count = len(values)
    if count < 6:
        return None
    k = max(k for k in range(1, count // 2 + 1) if bdtr(k - 1, count, 0.5) <= 0.025)
    ordered = sorted(values)
    return ordered[k - 1], ordered[-k]


def _trials_needed(known: Sequence[Side], deciding: Difference) -> int | str:
    """The least number of trials each, or pairs, at which the deciding interval leaves zero out."""
    begin = max(side.trials for side in known)
    spreads = [side.spread for side in known]
    if deciding.paired:
        (only,) = deciding.terms
        spreads = [math.sqrt(only.variance * (only.freedom + 1))]
    for more in range(begin + 1, MOST_TRIALS + 1):
        then = replace(deciding, terms=tuple(term(spread, more) for spread in spreads))
        low, high = then.interval(0.95)
        if low > 0 or high < 0:
            return more
    return "none"


_KINDS: Mapping[Kind, Callable[[Question, Sequence[Side], Sides], Finding]] = {
    "greater": _greater,
    "size": _greater,
    "best": _best,
    "not_greater": _bounded,
    "within": _bounded,
    "trend": _trend,
    "shown": _shown,
}
