"""Whether two sets of results say the same: cell by cell, paired by seed where both have the seeds."""

import statistics
from collections.abc import Mapping, Sequence
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
        means: of either side, over the trials that are compared.
        trials: of either side, those that are compared.
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


def compare_cells(
    first: Sequence[Reading], second: Sequence[Reading], epochs: tuple[str, str] = ("last", "last")
) -> list[Compared]:
    """Compare a suite's cells in two sets of results.

    Args:
        first: its score cells with the trials of one set.
        second: the same cells with those of the other.
        epochs: of either side ``last`` or ``best``.
    """
    pairs = [_alike(one.scores(epochs[0]), other.scores(epochs[1])) for one, other in zip(first, second, strict=True)]
    differences = [_difference(a, b) for a, b in pairs]
    distinct = {(one.entry, one.prediction): found for one, found in zip(first, differences, strict=True)}
    adjusted = dict(zip(distinct, holm([d.p_zero if d else 1.0 for d in distinct.values()]), strict=True))
    out = []
    for cell, (a, b), difference in zip(first, pairs, differences, strict=True):
        mean, other = (statistics.fmean(scores.values()) if scores else None for scores in (a, b))
        found = Compared(row=cell.row, column=cell.column, means=(mean, other), trials=(len(a), len(b)))
        if difference is not None:
            p = adjusted[cell.entry, cell.prediction]
            found = replace(
                found,
                paired=len(a) if difference.paired else 0,
                difference=difference.value,
                interval95=difference.interval(0.95),
                p=p,
                word=_word(difference, cell.margin, p),
            )
        out.append(found)
    return out


Scores = Mapping[int, float]


def _alike(one: Scores, other: Scores) -> tuple[Scores, Scores]:
    """What is compared: of either side the seeds that both have, if those are all of one side's; else everything.

    Pairing on a few of many seeds would give up more than it gains.
    """
    common = one.keys() & other.keys()
    if len(common) < max(2, min(len(one), len(other))):
        return one, other
    return {seed: one[seed] for seed in sorted(common)}, {seed: other[seed] for seed in sorted(common)}


def _difference(a: Scores, b: Scores) -> Difference | None:
    if a.keys() == b.keys():
        return of_pairs(b, a)
    return of_trials(list(b.values()), list(a.values())) if min(len(a), len(b)) > 1 else None


def _word(difference: Difference, margin: float, p: float) -> Word:
    if difference.p_equivalent(margin) < ALPHA:
        return "same"
    if p < ALPHA:
        return "higher" if difference.value > 0 else "lower"
    return "undecided"
