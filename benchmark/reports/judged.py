"""A suite's cells, each with the results that it reads and what they say of its number; judged once a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.results.store import Result
from benchmark.results.trials import Trials, score
from benchmark.runs.metrics import EPOCHS, METRICS, of_epoch
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed
from benchmark.suites.suite import Cell, Suite
from benchmark.verdicts.cells import COST, NOT_PUBLISHED, NOT_THE_PROTOCOL, Verdict, judge
from benchmark.verdicts.reading import Printed, Reading

#: Row and column.
Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class JudgedCell:
    """One printed cell with all that stands behind it.

    Attributes:
        cell: its place, the paper's number and the spec that it reads.
        reading: its scores by seed, in the table's units, beside the paper's number; None for a cost.
        verdict: what our trials say of the paper's number; ``no verdict`` with its reason for a cost.
        results: the completed results that it reads, a training's by seed; at most one for a cost.
        not_counted: names of result files that count as missing.
    """

    cell: Cell
    reading: Reading | None
    verdict: Verdict
    results: tuple[Result, ...]
    not_counted: tuple[str, ...] = ()

    @property
    def by_seed(self) -> dict[int, Result]:
        """The results of a score cell by their seeds; empty for a cost."""
        return {result.spec.seed: result for result in self.results if isinstance(result.spec, TrainSpec)}


@dataclass(frozen=True, kw_only=True)
class JudgedSuite:
    """A suite under its profile with every printed cell judged, in the order of its rows."""

    suite: Suite
    cells: Mapping[Place, JudgedCell]

    @property
    def readings(self) -> dict[Place, Reading]:
        """Those of the score cells."""
        return {place: found.reading for place, found in self.cells.items() if found.reading is not None}

    @property
    def verdicts(self) -> dict[Place, Verdict]:
        """Those of the score cells."""
        return {place: found.verdict for place, found in self.cells.items() if found.reading is not None}


def judge_suite(suite: Suite, trials: Trials) -> JudgedSuite:
    """Read every cell of a suite, the whole manifest's, with or without results, and judge it."""
    read = {(cell.row, cell.column): _read(suite, cell, trials) for cell in suite.cells}
    verdicts = _verdicts(suite, {place: one.reading for place, one in read.items() if one.reading is not None})
    cells = {place: replace(one, verdict=verdicts.get(place, one.verdict)) for place, one in read.items()}
    return JudgedSuite(suite=suite, cells=cells)


def not_judged(suite: Suite, reason: str) -> Verdict:
    """For this reason, or because the profile holds no number against the paper's."""
    return Verdict(word="no verdict", reason=reason if suite.variant.against_paper else NOT_THE_PROTOCOL)


def _verdicts(suite: Suite, readings: Mapping[Place, Reading]) -> dict[Place, Verdict]:
    if not suite.variant.against_paper:
        return {}
    return dict(zip(readings, judge(list(readings.values()), suite.variant.epoch_reported), strict=True))


def _read(suite: Suite, cell: Cell, trials: Trials) -> JudgedCell:
    """A cell before its suite is judged."""
    verdict = not_judged(suite, COST if cell.is_cost and cell.published else NOT_PUBLISHED)
    broken = tuple(trials.not_counted(cell.spec))
    if isinstance(cell.spec, CostSpec):
        result = trials.cost(cell.spec)
        if result is not None and not isinstance(result.metrics.get(cell.row), dict):
            broken, result = (*broken, f"{result.run_id}.json"), None
        results = () if result is None else (result,)
        return JudgedCell(cell=cell, reading=None, verdict=verdict, results=results, not_counted=broken)
    found = trials.scored(cell.spec, cell.reads)
    reading = _reading(suite, cell, cell.spec, found.results)
    broken += found.lacking
    return JudgedCell(cell=cell, reading=reading, verdict=verdict, results=found.results, not_counted=broken)


def _reading(suite: Suite, cell: Cell, spec: TrainSpec, results: Sequence[Result]) -> Reading:
    metric = suite.manifest.metric
    row = next(row for row in suite.manifest.rows if row.name == cell.row)
    published = None
    if cell.published:
        assumed = row.assumed_std or suite.manifest.assumed_std
        published = Printed(mean=cell.published.mean, std=cell.published.std, assumed_std=assumed)
    by_seed = {result.spec.seed: result for result in results if isinstance(result.spec, TrainSpec)}
    last, best = (
        {seed: score(result, cell.reads, epoch, metric) for seed, result in by_seed.items()} for epoch in EPOCHS
    )
    return Reading(
        suite=suite.name,
        row=cell.row,
        column=cell.column,
        entry=run_id(with_seed(spec, 0)),
        prediction=cell.reads if spec.method.views * spec.method.classifiers > 1 else "single",
        dataset=spec.dataset.name,
        published=published,
        margin=row.margin or suite.manifest.margin,
        lower_is_better=METRICS[of_epoch(metric, "last")].lower_is_better,
        last_epoch=last,
        best_epoch=best,
    )
