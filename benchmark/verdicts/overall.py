"""How far a suite as a whole lies from the paper: one number a training, so that no training counts twice."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.verdicts.cells import prediction95
from benchmark.verdicts.differences import Difference, term
from benchmark.verdicts.reading import Reading

#: Differences of less than this are none.
_EQUAL = 1e-9


@dataclass(frozen=True, kw_only=True)
class Overall:
    """A suite's trainings against the paper.

    Attributes:
        suite: its name, or ``all``.
        trainings: k, those with a printed number and a trial.
        mean_difference: of their mean differences, positive where ours is better; None without any.
        interval95: of it, over trainings; None below two.
        better: trainings with a positive difference.
        worse: with a negative one.
        covered: distinct cells whose mean of ours lies in the prediction interval.
        predicted: those that have one and a trial.
    """

    suite: str
    trainings: int = 0
    mean_difference: float | None = None
    interval95: tuple[float, float] | None = None
    better: int = 0
    worse: int = 0
    covered: int = 0
    predicted: int = 0


def overall(name: str, cells: Sequence[Reading], epoch: str = "last") -> Overall:
    """Sum up score cells; one that is printed twice counts where it stands first.

    Args:
        name: of the suite, or ``all``.
        cells: in the order of the suites.
        epoch: ``last`` or ``best``.
    """
    distinct: dict[tuple[str, str], Reading] = {}
    for cell in cells:
        if cell.published is not None and cell.scores(epoch):
            distinct.setdefault((cell.entry, cell.prediction), cell)
    by_training: dict[str, list[float]] = {}
    covered = predicted = 0
    for cell in distinct.values():
        scores = cell.scores(epoch)
        mean = statistics.fmean(scores.values())
        assert cell.published is not None
        by_training.setdefault(cell.entry, []).append(cell.sign * (mean - cell.published.mean))
        if expected := prediction95(cell, len(scores)):
            predicted += 1
            covered += expected[0] <= mean <= expected[1]
    each = [statistics.fmean(values) for values in by_training.values()]
    if not each:
        return Overall(suite=name)
    mean = statistics.fmean(each)
    interval = None
    if len(each) > 1:
        interval = Difference(mean, (term(statistics.stdev(each), len(each)),)).interval(0.95)
    return Overall(
        suite=name,
        trainings=len(each),
        mean_difference=mean,
        interval95=interval,
        better=sum(d > _EQUAL for d in each),
        worse=sum(d < -_EQUAL for d in each),
        covered=covered,
        predicted=predicted,
    )
