"""The parts of claims with the trials that their cells read, ready to be answered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.results.plausible import is_number
from benchmark.runs.metrics import ALLOCATOR_MEMORY, OVERHEADS
from benchmark.runs.spec import CostSpec
from benchmark.suites.asked import Asked, asked_of
from benchmark.verdicts.questions import Cost, Question


def questions_of(asking: Sequence[JudgedSuite], known: Sequence[JudgedSuite]) -> list[Question]:
    """The parts of all claims that some manifests state, with the cells that they read.

    Args:
        asking: whose claims.
        known: all that their claims may name, themselves included.

    Raises:
        ManifestError: a claim names a cell that isn't there, or one that does not fit its kind.
    """
    by_name = {one.suite.name: one for one in known}
    manifests = {name: one.suite.manifest for name, one in by_name.items()}
    return [
        _question(asked, by_name) for one in asking for asked in asked_of(one.suite.path, one.suite.manifest, manifests)
    ]


def _question(asked: Asked, known: Mapping[str, JudgedSuite]) -> Question:
    part = asked.part
    question = Question(
        claim=asked.claim, label=asked.label, suite=asked.suite, statement=asked.statement, kind=part.kind
    )
    found = [known[suite].cells[row, column] for suite, row, column in asked.places]
    if part.kind == "ratio":
        return replace(question, cost=_cost(found[0]))
    cells = tuple(one.reading for one in found if one.reading is not None)
    if part.kind == "trend":
        settings = tuple((part.settings or {}).values())
        return replace(question, cells=cells, settings=settings, rising=part.goes == "up")
    return replace(question, cells=cells, bound=(part.margins or 0.0) * cells[0].margin)


def _cost(found: JudgedCell) -> Cost:
    """Our overhead of one cost; memory counts only where torch's allocator was asked."""
    cell, printed = found.cell, found.cell.published
    assert isinstance(cell.spec, CostSpec)
    assert printed is not None
    assert printed.overhead_percent is not None
    cost = Cost(printed_percent=printed.overhead_percent, percent=None)
    if not found.results:
        return cost
    (result,) = found.results
    block, memory = result.metrics[cell.row], cell.reads == "memory_mib"
    cost = replace(cost, trials=int(is_number(block.get(cell.reads))))
    percent = block.get(OVERHEADS[cell.reads])
    if not is_number(percent) or (memory and result.cost.get("memory_kind") != ALLOCATOR_MEMORY):
        return cost
    first = cell.spec.variants[0].name
    ratios = [] if memory else _step_ratios(result.cost.get("step_seconds"), cell.row, first)
    return replace(cost, percent=float(percent), trials=1, step_ratios=ratios)


def _step_ratios(steps: object, name: str, first: str) -> list[float]:
    """A variant's steps over the first one's, turn by turn; none where a file holds no such numbers."""
    each = [steps.get(variant) for variant in (name, first)] if isinstance(steps, dict) else []
    if not all(isinstance(times, list) and all(map(is_number, times)) for times in each):
        return []
    return [one / other for one, other in zip(*each, strict=False) if other > 0]
