"""What a plot is about: a suite's numbers as they are drawn, ours with intervals and seeds beside the paper's."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark.reports.judged import JudgedSuite
from benchmark.reports.table import Table
from benchmark.suites.suite import Suite
from benchmark.verdicts.differences import Difference, of_pairs, of_trials, term
from benchmark.verdicts.reading import Reading

#: What a picture has room for; the CSV has all of a larger table.
MOST_ROWS, MOST_COLUMNS, MOST_COSTS = 100, 12, 3


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One number of ours beside the paper's, a score or a difference of two.

    Attributes:
        seeds: ours by seed.
        mean: ours; None before the first trial.
        interval: of the mean, 95 %; None below two trials.
        trials: how many of ours.
        wanted: how many a complete cell has.
        printed: the paper's number, where the profile is held against it.
        spread: its ± as printed.
    """

    seeds: Mapping[int, float] = field(default_factory=dict)
    mean: float | None = None
    interval: tuple[float, float] | None = None
    trials: int = 0
    wanted: int = 0
    printed: float | None = None
    spread: float | None = None

    @property
    def incomplete(self) -> str:
        """``2 of 4``; empty where nothing or everything has run."""
        return f"{self.trials} of {self.wanted}" if 0 < self.trials < self.wanted else ""

    @property
    def drawn(self) -> list[float]:
        """Every value that is drawn, but the ends of the interval."""
        values = [*self.seeds.values()] if self.mean is None else [self.mean, *self.seeds.values()]
        if self.printed is None:
            return values
        spread = self.spread or 0.0
        return [*values, self.printed - spread, self.printed + spread]


@dataclass(frozen=True)
class Subject:
    """A suite with its results, asked for by row and column."""

    judged: JudgedSuite
    table: Table

    @property
    def suite(self) -> Suite:
        """The suite under its profile."""
        return self.judged.suite

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows, of a long table's first ones."""
        return self.table.rows[:MOST_ROWS]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that hold scores, of a wide table's first ones."""
        scores = {column for _, column in self.judged.readings}
        return tuple(name for name in self.table.columns if name in scores)[:MOST_COLUMNS]

    @property
    def costs(self) -> tuple[str, ...]:
        """Names of the columns that hold costs, the first ones."""
        scores = {column for _, column in self.judged.readings}
        return tuple(name for name in self.table.columns if name not in scores)[:MOST_COSTS]

    @property
    def lower_is_better(self) -> bool:
        """Whether scores are errors."""
        return self.suite.manifest.metric == "error"

    @property
    def unit(self) -> str:
        """A score's axis."""
        return "error rate (%), lower is better" if self.lower_is_better else "accuracy (%)"

    def spot(self, row: str, column: str) -> Spot:
        """A score; empty where the suite leaves the place blank."""
        reading = self.judged.readings.get((row, column))
        if reading is None:
            return Spot()
        scores, (printed, spread) = self._scores(reading), self._printed(reading)
        values = list(scores.values())
        return Spot(
            seeds=scores,
            mean=statistics.fmean(values) if values else None,
            interval=_interval(values),
            trials=len(values),
            wanted=self._wanted(row, column),
            printed=printed,
            spread=spread,
        )

    def gain(self, place: tuple[str, str], base: tuple[str, str]) -> Spot:
        """How much better one score is than another, in points, and paired by seed; positive is better."""
        readings = self.judged.readings
        one, other = readings.get(place), readings.get(base)
        if one is None or other is None:
            return Spot()
        ours, theirs = self._scores(one), self._scores(other)
        (a, _), (b, _) = self._printed(one), self._printed(other)
        means = [statistics.fmean(scores.values()) for scores in (ours, theirs) if scores]
        difference = self._difference(one, other)
        return Spot(
            seeds={seed: one.sign * (ours[seed] - theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())},
            mean=one.sign * (means[0] - means[1]) if len(means) == 2 else None,
            interval=difference.interval(0.95) if difference else None,
            trials=min(len(ours), len(theirs)),
            wanted=self._wanted(*place),
            printed=None if a is None or b is None else one.sign * (a - b),
        )

    def _wanted(self, row: str, column: str) -> int:
        return self.table.cells[row, column].trials_wanted

    def _scores(self, reading: Reading) -> Mapping[int, float]:
        return reading.scores(self.suite.variant.epoch_reported)

    def _printed(self, reading: Reading) -> tuple[float | None, float | None]:
        if reading.published is None or not self.suite.variant.against_paper:
            return None, None
        return reading.published.mean, reading.published.std

    def _difference(self, one: Reading, other: Reading) -> Difference | None:
        """Welch's, or by pairs where both are predictions of the same runs, as the claims decide."""
        ours, theirs = self._scores(one), self._scores(other)
        if min(len(ours), len(theirs)) < 2:
            return None
        if one.entry == other.entry:
            return of_pairs(ours, theirs, one.sign)
        return of_trials(list(ours.values()), list(theirs.values()), one.sign)


def _interval(values: list[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    return Difference(statistics.fmean(values), (term(statistics.stdev(values), len(values)),)).interval(0.95)
