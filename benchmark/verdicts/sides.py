"""The numbers of either side of a comparison: our trials, or the four that are printed as a mean and a spread."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.verdicts.differences import ROUNDING, Difference, term
from benchmark.verdicts.questions import Question
from benchmark.verdicts.reading import PUBLISHED_TRIALS, Reading


@dataclass(frozen=True)
class Side:
    """One cell's numbers: ours, or the four trials that are printed as a mean and a spread."""

    mean: float
    spread: float
    trials: int
    by_seed: Mapping[int, float]

    def difference(self, other: "Side", sign: float, rounding: float) -> Difference:
        """Welch's; positive where this side is better."""
        terms = term(self.spread, self.trials), term(other.spread, other.trials)
        return Difference(sign * (self.mean - other.mean), terms, rounding)


@dataclass(frozen=True)
class Sides:
    """The numbers of all cells of a part; ``rounding`` is that of their differences."""

    cells: tuple[Side | None, ...]
    rounding: float
    printed: bool

    @property
    def known(self) -> tuple[Side, ...] | None:
        """All of them; None where one is missing."""
        found = tuple(side for side in self.cells if side is not None)
        return found if len(found) == len(self.cells) else None


def ours(question: Question, epoch: str) -> Sides:
    """Our trials of a part's cells; a cell below two trials has no side."""

    def side(cell: Reading) -> Side | None:
        scores = cell.scores(epoch)
        values = list(scores.values())
        if len(values) < 2:
            return None
        return Side(statistics.fmean(values), statistics.stdev(values), len(values), scores)

    return Sides(tuple(map(side, question.cells)), 0.0, printed=False)


def as_printed(question: Question) -> Sides | None:
    """The paper's numbers of a part's cells; None where one isn't printed."""
    found = []
    for cell in question.cells:
        if cell.published is None or (spread := cell.published.upper_std) is None:
            return None
        found.append(Side(cell.published.mean, spread, PUBLISHED_TRIALS, {}))
    return Sides(tuple(found), 2 * ROUNDING, printed=True) if found else None


def printed_gain(question: Question) -> float | None:
    """The gain of A over B by the printed means, whatever is known of their spreads; None where one isn't printed."""
    a, b = (cell.published for cell in question.cells[:2])
    return None if a is None or b is None else question.cells[0].sign * (a.mean - b.mean)
