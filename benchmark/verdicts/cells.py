"""Which printed numbers came out again: one verdict a score cell, Holm's correction over a suite.

A verdict is given by the headline reading of "±", a standard deviation with ddof 1. The others, and the pooled
one, are worked out for the whole suite likewise; they say whether the reading decides.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from scipy.special import stdtrit

from benchmark.verdicts.differences import ALPHA, MOST_TRIALS, NO_SPREAD, ROUNDING, Difference, Term, holm, term
from benchmark.verdicts.reading import PUBLISHED_TRIALS, Reading

Word = Literal["no verdict", "reproduced", "higher", "lower", "outside", "inconclusive"]

#: What else "±" may be, by the factor that makes of it a standard deviation with ddof 1.
READINGS = {"ddof0": math.sqrt(4 / 3), "sem": 2.0}
#: A printed spread of four trainings up to this is not credible.
INCREDIBLE_STD = 0.05

NOT_THE_PROTOCOL = "not the paper's protocol"
NOT_PUBLISHED = "no published number"
COST = "cost: see claim 4"
_INCREDIBLE = "; printed spread not credible at n = 4, see verdict_pooled"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a report says of one cell; None where the rules give nothing.

    Attributes:
        word: the verdict.
        reason: why, in a phrase.
        strong: whether the whole 90 % interval lies beyond the margin.
        robust: ``yes``, or the readings of "±" under which the word is another.
        pooled: the word with spreads pooled over the suite's cells.
        best_epoch: the word by the best epochs.
        difference: ours minus the paper's.
        interval90: of the difference.
        prediction95: where our mean should fall by the paper alone.
        p_equivalence: of TOST against the margin.
        p_difference: of no difference, Welch.
        p_difference_holm: the same after Holm.
        trials_needed: of ours until a verdict, or ``none``.
    """

    word: Word
    reason: str
    strong: bool = False
    robust: str | None = None
    pooled: Word | None = None
    best_epoch: Word | None = None
    difference: float | None = None
    interval90: tuple[float, float] | None = None
    prediction95: tuple[float, float] | None = None
    p_equivalence: float | None = None
    p_difference: float | None = None
    p_difference_holm: float | None = None
    trials_needed: int | str | None = None


@dataclass(frozen=True)
class _Case:
    """A distinct cell with a printed mean: our trials and how its two spreads are taken."""

    cell: Reading
    scores: tuple[float, ...]
    ours: Term | None = None  # None below two trials
    theirs: Term | None = None  # None without a printed spread

    @property
    def difference(self) -> Difference | None:
        assert self.cell.published is not None
        if self.ours is None or self.theirs is None:
            return None
        value = statistics.fmean(self.scores) - self.cell.published.mean
        return Difference(value, (self.ours, self.theirs), ROUNDING)


def judge(cells: Sequence[Reading], epoch: str = "last") -> list[Verdict]:
    """A verdict for each of a suite's score cells, all of the manifest's, in their order.

    Args:
        cells: of one suite under the paper's protocol.
        epoch: ``last`` or ``best``: which scores the headline reads.
    """
    headline = _judged(cells, epoch, _as_printed)
    best = headline if epoch == "best" else _judged(cells, "best", _as_printed)
    family = len({cell.distinct for cell in cells if cell.published and cell.published.std is not None})
    others = {name: _judged(cells, epoch, _spread_times(factor)) for name, factor in READINGS.items()}
    others["pooled"] = _judged(cells, epoch, _pooled)
    shared = _distinct(cells, epoch)
    verdicts = []
    for cell in cells:
        verdict = headline[cell.distinct]
        if verdict.word != "no verdict":
            verdict = replace(verdict, best_epoch=best[cell.distinct].word)
        if verdict.word == "inconclusive" and verdict.p_equivalence is not None:
            verdict = replace(verdict, trials_needed=_trials_needed(shared[cell.distinct], epoch, family))
        if verdict.p_equivalence is not None:
            words = {name: found[cell.distinct].word for name, found in others.items()}
            changed = "; ".join(f"{name}: {word}" for name, word in words.items() if word != verdict.word)
            verdict = replace(verdict, robust=changed or "yes", pooled=words["pooled"])
        verdicts.append(verdict)
    return verdicts


def _distinct(cells: Sequence[Reading], epoch: str) -> dict[tuple[object, ...], Reading]:
    """Of cells that show one number the one with the most trials: a result may lack one of a number's names."""
    found: dict[tuple[object, ...], Reading] = {}
    for cell in cells:
        if cell.distinct not in found or len(cell.scores(epoch)) > len(found[cell.distinct].scores(epoch)):
            found[cell.distinct] = cell
    return found


Spreads = Callable[[Sequence[_Case]], list[_Case]]


def _judged(cells: Sequence[Reading], epoch: str, spreads: Spreads) -> dict[tuple[object, ...], Verdict]:
    """Verdicts of the distinct cells under one reading of the spreads."""
    distinct = _distinct(cells, epoch)
    printed = [cell for cell in distinct.values() if cell.published is not None]
    found = spreads([_Case(cell, tuple(cell.scores(epoch).values())) for cell in printed])
    family = [case for case in found if case.cell.published and case.cell.published.std is not None]
    ps = [1.0 if (difference := case.difference) is None else difference.p_zero for case in family]
    adjusted = dict(zip((case.cell.distinct for case in family), holm(ps), strict=True))
    verdicts = {case.cell.distinct: _verdict(case, adjusted.get(case.cell.distinct)) for case in found}
    return {key: verdicts.get(key, Verdict(word="no verdict", reason=NOT_PUBLISHED)) for key in distinct}


def _verdict(case: _Case, p_holm: float | None) -> Verdict:
    published, trials = case.cell.published, len(case.scores)
    assert published is not None
    if not trials:
        return Verdict(word="no verdict", reason="no runs")
    mean = statistics.fmean(case.scores)
    d, expected = mean - published.mean, prediction95(case.cell, trials)
    if trials == 1:
        return Verdict(word="no verdict", reason="one trial", difference=d, prediction95=expected)
    if expected is None:
        return Verdict(word="no verdict", reason="no spread published or assumed")
    if published.std is None or p_holm is None:
        inside = expected[0] <= mean <= expected[1]
        word: Word = "inconclusive" if inside else "outside"
        reason = f"{'within' if inside else 'outside'} the prediction interval, spread assumed"
        return Verdict(word=word, reason=reason, difference=d, prediction95=expected)
    difference = case.difference
    assert difference is not None
    word, reason, strong = _word(difference, case.cell.margin, p_holm)
    return Verdict(
        word=word,
        reason=reason + (_INCREDIBLE if published.std <= INCREDIBLE_STD else ""),
        strong=strong,
        difference=d,
        interval90=difference.interval(0.90),
        prediction95=expected,
        p_equivalence=difference.p_equivalent(case.cell.margin),
        p_difference=difference.p_zero,
        p_difference_holm=p_holm,
    )


def _word(difference: Difference, margin: float, p_holm: float) -> tuple[Word, str, bool]:
    if difference.p_equivalent(margin) < ALPHA:
        return "reproduced", "90 % interval inside the margin", False
    if p_holm < ALPHA:
        low, high = difference.interval(0.90)
        strong = low >= margin or high <= -margin
        reason = "90 % interval beyond the margin" if strong else "differs from the paper"
        return ("higher" if difference.value > 0 else "lower"), reason, strong
    if difference.p_zero < ALPHA:
        return "inconclusive", "differs before Holm only", False
    return "inconclusive", "interval reaches beyond the margin", False


def prediction95(cell: Reading, trials: int) -> tuple[float, float] | None:
    """Where the mean of so many trials of ours should fall by the paper alone; None without any spread.

    m_p ± (t₀.₉₇₅,₃ · s_p · √(1/4 + 1/n) + rounding), s_p at its upper end.
    """
    published = cell.published
    if published is None or published.upper_std is None or not trials:
        return None
    reach = _T3 * published.upper_std * math.sqrt(1 / PUBLISHED_TRIALS + 1 / trials) + ROUNDING
    return published.mean - reach, published.mean + reach


_T3 = float(stdtrit(PUBLISHED_TRIALS - 1, 0.975))


def _trials_needed(cell: Reading, epoch: str, family: int) -> int | str:
    """The least number of trials at which the same means and spreads decide; our spread stays, its error shrinks."""
    scores = cell.scores(epoch)
    (case,) = _as_printed([_Case(cell, tuple(scores.values()))])
    now, spread = case.difference, statistics.stdev(case.scores)
    assert now is not None
    for more in range(len(scores) + 1, MOST_TRIALS + 1):
        then = replace(now, terms=(term(spread, more), *now.terms[1:]))
        if then.p_equivalent(cell.margin) < ALPHA or family * then.p_zero < ALPHA:
            return more
    return "none"


# ------------------------------------------------------------------ how spreads are taken


def _as_printed(cases: Sequence[_Case]) -> list[_Case]:
    return _spread_times(1.0)(cases)


@cache
def _spread_times(factor: float) -> Spreads:
    def taken(cases: Sequence[_Case]) -> list[_Case]:
        return [replace(case, ours=_ours(case), theirs=_theirs(case, factor)) for case in cases]

    return taken


def _ours(case: _Case) -> Term | None:
    return term(statistics.stdev(case.scores), len(case.scores)) if len(case.scores) > 1 else None


def _theirs(case: _Case, factor: float) -> Term | None:
    published = case.cell.published
    if published is None or published.std is None or published.upper_std is None:
        return None
    return term(factor * published.upper_std, PUBLISHED_TRIALS)


def _pooled(cases: Sequence[_Case]) -> list[_Case]:
    """One spread a dataset on either side, with the degrees of freedom of its different trainings."""
    by_dataset: dict[str, list[_Case]] = {}
    for case in cases:
        if _theirs(case, 1.0) is not None:
            by_dataset.setdefault(case.cell.dataset, []).append(case)
    spreads = {name: (_pooled_of_ours(alike), _pooled_as_printed(alike)) for name, alike in by_dataset.items()}
    out = []
    for case in cases:
        ours, printed = spreads.get(case.cell.dataset, (None, None))
        out.append(
            replace(
                case,
                ours=_over(ours, len(case.scores)) if len(case.scores) > 1 else None,
                theirs=_over(printed, PUBLISHED_TRIALS) if _theirs(case, 1.0) else None,
            )
        )
    return out


def _over(pooled: Term | None, trials: int) -> Term | None:
    """The mean of some trials; ``pooled`` is the variance of one."""
    return None if pooled is None else Term(pooled.variance / trials, pooled.freedom)


def _pooled_as_printed(alike: Sequence[_Case]) -> Term:
    spreads = [case.cell.published.upper_std for case in alike if case.cell.published]
    trainings = {case.cell.entry for case in alike}
    variance = statistics.fmean(spread**2 for spread in spreads if spread is not None)
    return Term(variance, (PUBLISHED_TRIALS - 1) * len(trainings))


def _pooled_of_ours(alike: Sequence[_Case]) -> Term | None:
    several = [case for case in alike if len(case.scores) > 1]
    if not several:
        return None
    within = math.fsum((len(case.scores) - 1) * statistics.variance(case.scores) for case in several)
    variance = within / sum(len(case.scores) - 1 for case in several)
    freedom: dict[str, int] = {}
    for case in several:
        freedom[case.cell.entry] = max(freedom.get(case.cell.entry, 0), len(case.scores) - 1)
    return Term(0.0 if variance < NO_SPREAD**2 else variance, sum(freedom.values()))
