"""Cells and claims with the trials that they read, ready to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.errors import ManifestError
from benchmark.results.plausible import ALLOCATOR_MEMORY, is_number
from benchmark.results.store import Result
from benchmark.results.trials import Runs
from benchmark.runs.schema import suggestion
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed
from benchmark.suites.claims import Part
from benchmark.suites.manifest import COST_METRICS
from benchmark.suites.suite import Cell, Suite
from benchmark.verdicts.cells import NOT_THE_PROTOCOL, Verdict, judge
from benchmark.verdicts.questions import Cost, Question
from benchmark.verdicts.reading import Published, Reading

Place = tuple[str, str]


@dataclass(frozen=True)
class Scored:
    """Completed trials of a cell that have its number, and the files of those that lack it."""

    results: tuple[Result, ...]
    lacking: tuple[str, ...]


def scored(cell: Cell, runs: Runs) -> Scored:
    """Trials of a score cell, by seed."""
    assert isinstance(cell.spec, TrainSpec)
    keys = [f"{cell.reads}_{epoch}" for epoch in ("last_epoch", "best_epoch")]
    trials = runs.trials(cell.spec)
    whole = [all(is_number(result.metrics.get(key)) for key in keys) for result in trials]
    return Scored(
        tuple(result for result, fits in zip(trials, whole, strict=True) if fits),
        tuple(f"{result.run_id}.json" for result, fits in zip(trials, whole, strict=True) if not fits),
    )


def score(result: Result, reads: str, epoch: str, metric: str) -> float:
    """One trial's number in the table's units, of its ``last`` or ``best`` epoch."""
    accuracy = float(result.metrics[f"{reads}_{epoch}_epoch"])
    return 100 - accuracy if metric == "error" else accuracy


def readings_of(suite: Suite, runs: Runs) -> dict[Place, Reading]:
    """Every score cell of a suite by its row and column, the whole manifest's, with or without trials."""
    metric = suite.manifest.metric
    rows = {row.name: row for row in suite.manifest.rows}
    found = {}
    for cell in suite.cells:
        if not isinstance(cell.spec, TrainSpec):
            continue
        row, method = rows[cell.row], cell.spec.method
        published = None
        if cell.published:
            assumed = row.assumed_std or suite.manifest.assumed_std
            published = Published(mean=cell.published.mean, std=cell.published.std, assumed_std=assumed)
        by_seed = {result.spec.seed: result for result in scored(cell, runs).results if result.spec.kind == "train"}
        found[cell.row, cell.column] = Reading(
            suite=suite.name,
            row=cell.row,
            column=cell.column,
            entry=run_id(with_seed(cell.spec, 0)),
            prediction=cell.reads if method.views * method.classifiers > 1 else "single",
            dataset=cell.spec.dataset.name,
            published=published,
            margin=row.margin or suite.manifest.margin,
            lower_is_better=metric == "error",
            last_epoch={seed: score(result, cell.reads, "last", metric) for seed, result in by_seed.items()},
            best_epoch={seed: score(result, cell.reads, "best", metric) for seed, result in by_seed.items()},
        )
    return found


def verdicts_of(suite: Suite, readings: Mapping[Place, Reading]) -> dict[Place, Verdict]:
    """A verdict for every score cell; none where the profile holds no number against the paper's."""
    if not suite.variant.against_paper:
        return dict.fromkeys(readings, Verdict(word="no verdict", reason=NOT_THE_PROTOCOL))
    return dict(zip(readings, judge(list(readings.values()), suite.variant.epoch_reported), strict=True))


# ------------------------------------------------------------------ claims


def questions_of(
    asking: Sequence[Suite],
    suites: Sequence[Suite],
    runs: Runs,
    readings: Mapping[str, Mapping[Place, Reading]] | None = None,
) -> list[Question]:
    """The parts of all claims that some manifests state, with the cells that they read.

    Args:
        asking: whose claims.
        suites: all that their claims may name, themselves included.
        runs: the results of the profile.
        readings: of each suite by its name, where they are at hand.

    Raises:
        ManifestError: a claim names a cell that isn't there, or one that does not fit its kind.
    """
    by_name = {suite.name: suite for suite in suites}
    readings = readings or {name: readings_of(suite, runs) for name, suite in by_name.items()}
    return [question for suite in asking for question in _Asker(suite, by_name, readings, runs).questions()]


class _Asker:
    """Finds the cells that one manifest's claims name."""

    def __init__(
        self, suite: Suite, suites: Mapping[str, Suite], readings: Mapping[str, Mapping[Place, Reading]], runs: Runs
    ) -> None:
        self.suite, self.suites, self.readings, self.runs = suite, suites, readings, runs
        self.rows = {name: tuple(row.name for row in one.manifest.rows) for name, one in suites.items()}

    def questions(self) -> list[Question]:
        out = []
        for index, claim in enumerate(self.suite.manifest.claims):
            try:
                for part, suite, row in claim.spread_out(self.suite.name, self.rows):
                    out.append(self._question(claim.claim, claim.statement, part, suite, row))
            except KeyError as error:
                reason = f"there is no suite {error.args[0]!r}; {suggestion(str(error.args[0]), list(self.rows))}"
                raise ManifestError(self.suite.path, f"claims[{index}]", reason) from None
            except ValueError as error:
                raise ManifestError(self.suite.path, f"claims[{index}]", str(error)) from None
        return out

    def _question(self, claim: str, statement: str, part: Part, suite: str, row: str | None) -> Question:
        places = part.places(suite, row)
        label = part.label.replace("{row}", row or "")
        question = Question(claim=claim, label=label, suite=suite, statement=statement, kind=part.kind)
        if places:
            question = replace(question, suite=places[0][0])
        if part.kind == "ratio":
            return replace(question, cost=self._cost(*places[0]))
        if part.kind == "trend":
            settings = part.settings or {}
            cells = [self._reading(suite, name, part.column or "") for name in settings]
            return replace(question, cells=tuple(cells), settings=tuple(settings.values()), rising=part.goes == "up")
        cells = [self._reading(*place) for place in places]
        if part.kind == "best":
            first = cells[0]
            column = [one for (_, column), one in self.readings[first.suite].items() if column == first.column]
            cells += [one for one in column if one.row != first.row]
        if len(cells) < 2:
            raise ValueError(f"{label!r} has nothing to compare {cells[0].row!r} with")
        return replace(question, cells=tuple(cells), bound=(part.margins or 0.0) * cells[0].margin)

    def _reading(self, suite: str, row: str, column: str) -> Reading:
        found = self.readings[suite].get((row, column))
        if found is None:
            raise ValueError(f"{suite} has no score at row {row!r}, column {column!r}")
        return found

    def _cost(self, suite: str, row: str, column: str) -> Cost:
        asked = self.suites[suite]
        cell = next((one for one in asked.cells if (one.row, one.column) == (row, column)), None)
        if cell is None or not isinstance(cell.spec, CostSpec):
            raise ValueError(f"{suite} has no cost at row {row!r}, column {column!r}")
        if cell.published is None or cell.published.overhead_percent is None:
            raise ValueError(f"{suite} prints no overhead at row {row!r}, column {column!r}")
        first = cell.spec.variants[0].name
        return _measured(cell, self.runs.cost(cell.spec), first, cell.published.overhead_percent)


def _measured(cell: Cell, result: Result | None, first: str, printed: float) -> Cost:
    """Our overhead of one cost; memory counts only where torch's allocator was asked."""
    nothing = Cost(printed_percent=printed, percent=None)
    block = result.metrics.get(cell.row) if result is not None else None
    if result is None or not isinstance(block, dict):
        return nothing
    memory = cell.reads == COST_METRICS[0]
    percent = block.get("memory_overhead_percent" if memory else "time_overhead_percent")
    if not is_number(percent) or (memory and result.cost.get("memory_kind") != ALLOCATOR_MEMORY):
        return nothing
    ratios = [] if memory else _step_ratios(result.cost.get("step_seconds"), cell.row, first)
    return Cost(printed_percent=printed, percent=float(percent), step_ratios=ratios)


def _step_ratios(steps: object, name: str, first: str) -> list[float]:
    """A variant's steps over the first one's, turn by turn; none where a file holds no such numbers."""
    each = [steps.get(variant) for variant in (name, first)] if isinstance(steps, dict) else []
    if not all(isinstance(times, list) and all(map(is_number, times)) for times in each):
        return []
    return [one / other for one, other in zip(*each, strict=False) if other > 0]
