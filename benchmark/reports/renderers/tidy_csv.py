"""``<suite>.csv``: everything known of a suite, one row a cell and metric, in the table's printed units."""

from collections.abc import Iterator
from typing import Any

from benchmark.reports.images import test_copies, train_images
from benchmark.reports.judged import JudgedCell, JudgedSuite, not_judged
from benchmark.reports.origins import code_doubted, memory_kind, mixed, time_kind
from benchmark.reports.renderers.csv_text import csv_text
from benchmark.results.plausible import is_number
from benchmark.runs.metrics import EPOCHS, METRICS, OVERHEADS, of_epoch
from benchmark.runs.spec import CostSpec
from benchmark.suites.manifest import Published
from benchmark.suites.suite import Suite
from benchmark.verdicts.cells import COST, NOT_PUBLISHED, Verdict
from benchmark.verdicts.reading import Reading
from benchmark.verdicts.summary import Summary, summarise

#: The first ten are a contract; the others may grow.
COLUMNS = (
    "suite",
    "row",
    "column",
    "metric",
    "published_mean",
    "published_std",
    "mean",
    "std",
    "trials",
    "verdict",
    "verdict_reason",
    "verdict_strength",
    "verdict_robust",
    "verdict_pooled",
    "verdict_best_epoch",
    "difference",
    "interval90_low",
    "interval90_high",
    "prediction95_low",
    "prediction95_high",
    "p_equivalence",
    "p_difference",
    "p_difference_holm",
    "trials_needed",
    "trials_wanted",
    "train_images",
    "test_copies",
    "measured_on",
    "memory_kind",
    "time_kind",
    "not_counted",
    "code_doubted",
    "mixed",
)

Record = dict[str, Any]


def render(judged: JudgedSuite, trials_wanted: int | None = None) -> str:
    """The file's text; the same results give the same text on every system."""
    return csv_text(COLUMNS, map(_rounded, rows(judged, trials_wanted)))


def _rounded(record: Record) -> Record:
    """Means and deviations in fixed decimals, whatever their size."""
    decimals = METRICS[record["metric"]].csv_decimals
    return record | {
        name: None if record[name] is None else repr(round(record[name], decimals)) for name in ("mean", "std")
    }


def rows(judged: JudgedSuite, trials_wanted: int | None = None) -> list[Record]:
    """One a cell and metric, with every digit; None where there is nothing.

    Args:
        judged: the suite.
        trials_wanted: trials a complete training has; the suite's own number by default.
    """
    wanted = judged.suite.trials if trials_wanted is None else trials_wanted
    return [record for found in judged.cells.values() for record in _records(judged.suite, found, wanted)]


def _records(suite: Suite, found: JudgedCell, wanted: int) -> Iterator[Record]:
    cell, results = found.cell, found.results
    common = dict.fromkeys(COLUMNS) | {
        "suite": cell.suite,
        "row": cell.row,
        "column": cell.column,
        "train_images": train_images(results),
        "not_counted": ", ".join(found.not_counted) or None,
        "code_doubted": ", ".join(code_doubted(results)) or None,
    }
    if found.reading is None:
        yield from _of_cost(suite, found, common)
    else:
        common |= {"trials_wanted": wanted, "test_copies": test_copies(results), "mixed": mixed(results)}
        yield from _of_score(suite, found, found.reading, common)


def _of_score(suite: Suite, found: JudgedCell, reading: Reading, common: Record) -> Iterator[Record]:
    for epoch in EPOCHS:
        reported = epoch == suite.variant.epoch_reported
        record = common | {"metric": of_epoch(suite.manifest.metric, epoch)}
        record |= _published(found.cell.published if reported else None)
        record |= _summary(summarise(list(reading.scores(epoch).values())))
        yield record | _judged(found.verdict if reported else not_judged(suite, NOT_PUBLISHED))


def _of_cost(suite: Suite, found: JudgedCell, common: Record) -> Iterator[Record]:
    cell, result = found.cell, next(iter(found.results), None)
    common |= {"trials_wanted": 1}
    if result is not None and isinstance(result.spec, CostSpec):
        kinds = {"memory_kind": memory_kind(result.cost), "time_kind": time_kind(result.cost)}
        common |= {"measured_on": result.spec.device, **kinds}
    overhead = cell.published.overhead_percent if cell.published else None
    for metric, printed in (
        (cell.reads, cell.published),
        (OVERHEADS[cell.reads], None if overhead is None else Published(overhead)),
    ):
        value = result.metrics[cell.row].get(metric) if result is not None else None
        record = common | {"metric": metric, **_published(printed)}
        record |= _summary(summarise([float(value)] if is_number(value) else []))
        yield record | _judged(not_judged(suite, COST if printed else NOT_PUBLISHED))


def _judged(verdict: Verdict) -> Record:
    """A verdict in its columns."""
    low90, high90 = verdict.interval90 or (None, None)
    low95, high95 = verdict.prediction95 or (None, None)
    return {
        "verdict": verdict.word,
        "verdict_reason": verdict.reason,
        "verdict_strength": "strong" if verdict.strong else None,
        "verdict_robust": verdict.robust,
        "verdict_pooled": verdict.pooled,
        "verdict_best_epoch": verdict.best_epoch,
        "difference": verdict.difference,
        "interval90_low": low90,
        "interval90_high": high90,
        "prediction95_low": low95,
        "prediction95_high": high95,
        "p_equivalence": verdict.p_equivalence,
        "p_difference": verdict.p_difference,
        "p_difference_holm": verdict.p_difference_holm,
        "trials_needed": verdict.trials_needed,
    }


def _published(printed: Published | None) -> Record:
    return {"published_mean": printed and printed.mean, "published_std": printed and printed.std}


def _summary(summary: Summary | None) -> Record:
    if summary is None:
        return {"mean": None, "std": None, "trials": 0}
    return {"mean": summary.mean, "std": summary.std, "trials": summary.trials}
