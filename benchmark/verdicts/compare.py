"""Whether two sets of results say the same: cell by cell, paired by seed where both have the seeds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmark.verdicts.differences import ALPHA, Difference, holm, of_pairs, of_trials
from benchmark.verdicts.reading import Reading

Word = Literal["same", "higher", "lower", "undecided", "not enough runs"]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One cell in two sets of results; means are None without trials.

    Attributes:
        row: as printed.
        column: as printed.
        means: of either side.
        trials: of either side.
        paired: how many seeds were paired; 0 where Welch's test decides.
        difference: the second less the first, in the table's units.
        interval95: of the difference.
        p: of no difference, after Holm over the distinct cells.
        word: ``same`` within the margin, else whether the second is higher.
    """

    row: str
    column: str
    means: tuple[float | None, float | None]
    trials: tuple[int, int]
    paired: int = 0
    difference: float | None = None
    interval95: tuple[float, float] | None = None
    p: float | None = None
    word: Word = "not enough runs"


def compare(first: Sequence[Reading], second: Sequence[Reading], epoch: str = "last") -> list[Compared]:
    """Compare a suite's cells in two sets of results.

    Args:
        first: its score cells with the trials of one set.
        second: the same cells with those of the other.
        epoch: ``last`` or ``best``.
    """
    differences = [_difference(one, other, epoch) for one, other in zip(first, second, strict=True)]
    distinct = {(one.entry, one.prediction): found for one, found in zip(first, differences, strict=True)}
    adjusted = dict(zip(distinct, holm([d.p_zero if d else 1.0 for d in distinct.values()]), strict=True))
    out = []
    for one, other, difference in zip(first, second, differences, strict=True):
        scores = one.scores(epoch), other.scores(epoch)
        means = tuple(statistics.fmean(of.values()) if of else None for of in scores)
        found = Compared(
            row=one.row, column=one.column, means=(means[0], means[1]), trials=(len(scores[0]), len(scores[1]))
        )
        if difference is not None:
            p = adjusted[one.entry, one.prediction]
            paired = len(scores[0].keys() & scores[1].keys()) if len(difference.parts) == 1 else 0
            found = replace(
                found,
                paired=paired,
                difference=difference.value,
                interval95=difference.interval(0.95),
                p=p,
                word=_word(difference, one.margin, p),
            )
        out.append(found)
    return out


def _difference(one: Reading, other: Reading, epoch: str) -> Difference | None:
    a, b = one.scores(epoch), other.scores(epoch)
    if paired := of_pairs(b, a):
        return paired
    return of_trials(list(b.values()), list(a.values())) if min(len(a), len(b)) > 1 else None


def _word(difference: Difference, margin: float, p: float) -> Word:
    if difference.p_equivalent(margin) < ALPHA:
        return "same"
    if p < ALPHA:
        return "higher" if difference.value > 0 else "lower"
    return "undecided"
