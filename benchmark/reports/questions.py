"""The parts of claims with the trials that their cells read, ready to be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.errors import ManifestError
from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.results.plausible import ALLOCATOR_MEMORY, is_number
from benchmark.runs.schema import suggestion
from benchmark.runs.spec import CostSpec
from benchmark.suites.claims import Part
from benchmark.suites.manifest import COST_METRICS
from benchmark.verdicts.questions import Cost, Question
from benchmark.verdicts.reading import Reading


def questions_of(asking: Sequence[JudgedSuite], known: Sequence[JudgedSuite]) -> list[Question]:
    """The parts of all claims that some manifests state, with the cells that they read.

    Args:
        asking: whose claims.
        known: all that their claims may name, themselves included.

    Raises:
        ManifestError: a claim names a cell that isn't there, or one that does not fit its kind.
    """
    by_name = {one.suite.name: one for one in known}
    return [question for one in asking for question in _Asker(one, by_name).questions()]


class _Asker:
    """Finds the cells that one manifest's claims name."""

    def __init__(self, asking: JudgedSuite, known: Mapping[str, JudgedSuite]) -> None:
        self.suite, self.known = asking.suite, known
        self.rows = {name: tuple(row.name for row in one.suite.manifest.rows) for name, one in known.items()}

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
            column = [one for one in self.known[first.suite].readings.values() if one.column == first.column]
            cells += [one for one in column if one.row != first.row]
        if len(cells) < 2:
            raise ValueError(f"{label!r} has nothing to compare {cells[0].row!r} with")
        return replace(question, cells=tuple(cells), bound=(part.margins or 0.0) * cells[0].margin)

    def _cell(self, suite: str, row: str, column: str) -> JudgedCell | None:
        if suite not in self.known:
            raise KeyError(suite)
        return self.known[suite].cells.get((row, column))

    def _reading(self, suite: str, row: str, column: str) -> Reading:
        found = self._cell(suite, row, column)
        if found is None or found.reading is None:
            raise ValueError(f"{suite} has no score at row {row!r}, column {column!r}")
        return found.reading

    def _cost(self, suite: str, row: str, column: str) -> Cost:
        found = self._cell(suite, row, column)
        if found is None or not isinstance(found.cell.spec, CostSpec):
            raise ValueError(f"{suite} has no cost at row {row!r}, column {column!r}")
        printed = found.cell.published
        if printed is None or printed.overhead_percent is None:
            raise ValueError(f"{suite} prints no overhead at row {row!r}, column {column!r}")
        return _measured(found, found.cell.spec.variants[0].name, printed.overhead_percent)


def _measured(found: JudgedCell, first: str, printed: float) -> Cost:
    """Our overhead of one cost; memory counts only where torch's allocator was asked."""
    if not found.results:
        return Cost(printed_percent=printed, percent=None)
    (result,), row = found.results, found.cell.row
    nothing = Cost(
        printed_percent=printed, percent=None, trials=int(is_number(result.metrics[row].get(found.cell.reads)))
    )
    memory = found.cell.reads == COST_METRICS[0]
    percent = result.metrics[row].get("memory_overhead_percent" if memory else "time_overhead_percent")
    if not is_number(percent) or (memory and result.cost.get("memory_kind") != ALLOCATOR_MEMORY):
        return nothing
    ratios = [] if memory else _step_ratios(result.cost.get("step_seconds"), row, first)
    return Cost(printed_percent=printed, percent=float(percent), trials=1, step_ratios=ratios)


def _step_ratios(steps: object, name: str, first: str) -> list[float]:
    """A variant's steps over the first one's, turn by turn; none where a file holds no such numbers."""
    each = [steps.get(variant) for variant in (name, first)] if isinstance(steps, dict) else []
    if not all(isinstance(times, list) and all(map(is_number, times)) for times in each):
        return []
    return [one / other for one, other in zip(*each, strict=False) if other > 0]
