"""Everything known of a suite as a tidy frame, one row a cell and metric."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.reports.images import test_copies, train_images
from benchmark.reports.readings import readings_of, score, scored, verdicts_of
from benchmark.results.plausible import KEPT, PROCESS_MEMORY, is_number
from benchmark.results.store import Result, Store
from benchmark.results.trials import Runs
from benchmark.runs.spec import CostSpec
from benchmark.suites.manifest import COST_METRICS, Published
from benchmark.suites.suite import Cell, Suite
from benchmark.verdicts.cells import COST, NOT_PUBLISHED, NOT_THE_PROTOCOL, Verdict
from benchmark.verdicts.summary import Summary, summarise

#: Columns of the tidy frame and of the CSV. The first ten are a contract; the others may grow.
FRAME_COLUMNS = (
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
#: A printed cost -> the metric of the percentage that stands in brackets behind it.
OVERHEADS: Mapping[str, str] = {
    "memory_mib": "memory_overhead_percent",
    "seconds_per_step": "time_overhead_percent",
}
#: A commit, of which twelve digits are enough to find it.
_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")
_NUMBERS = ("published_mean", "published_std", "mean", "std")

Record = dict[str, Any]


def collect(suite: Suite, store: Store | Runs, trials_wanted: int | None = None) -> pd.DataFrame:
    """Everything known of a suite, one row a cell and metric, in the table's printed units.

    Args:
        suite: the suite under its profile.
        store: that profile's results; ``Runs`` where several suites read the same ones.
        trials_wanted: trials a complete training has; the suite's own number by default.

    A result that can't be read, or lacks the number that a cell prints, counts as missing and is named.
    """
    runs = store if isinstance(store, Runs) else Runs(store)
    wanted = suite.trials if trials_wanted is None else trials_wanted
    verdicts = verdicts_of(suite, readings_of(suite, runs))
    records = [
        record
        for cell in suite.cells
        for record in _records(cell, suite, runs, wanted, verdicts.get((cell.row, cell.column)))
    ]
    frame = pd.DataFrame(records, columns=list(FRAME_COLUMNS))
    return frame.astype(dict.fromkeys(_NUMBERS, "float64") | {"trials": "int64", "trials_wanted": "int64"})


def main_metric(suite: Suite, reads: str) -> str:
    """The frame's metric that the printed cell shows: a cost itself, or the score of the epoch reported."""
    return reads if reads in COST_METRICS else f"{suite.manifest.metric}_{suite.variant.epoch_reported}_epoch"


def _records(cell: Cell, suite: Suite, runs: Runs, wanted: int, verdict: Verdict | None) -> Iterator[Record]:
    place: Record = {"suite": cell.suite, "row": cell.row, "column": cell.column}
    if isinstance(cell.spec, CostSpec):
        for record in _cost_records(cell, cell.spec, place, runs):
            yield {**record, **_judged(_not_judged(suite, NOT_PUBLISHED if _unprinted(record) else COST))}
        return
    found, metric = scored(cell, runs), suite.manifest.metric
    place["not_counted"] = ", ".join([*runs.not_counted(cell.spec), *found.lacking]) or None
    place |= {"train_images": train_images(found.results), "test_copies": test_copies(found.results)}
    place["code_doubted"] = _doubted(found.results)
    mixed = _mixed(found.results)
    for epoch in ("last", "best"):
        reported = epoch == suite.variant.epoch_reported
        scores = [score(result, cell.reads, epoch, metric) for result in found.results]
        record = {**place, "metric": f"{metric}_{epoch}_epoch", "trials_wanted": wanted, "mixed": mixed}
        record |= _published(cell.published if reported else None) | _summary(summarise(scores))
        yield record | _judged(verdict if reported and verdict else _not_judged(suite, NOT_PUBLISHED))


def _unprinted(record: Record) -> bool:
    return record["published_mean"] is None


def _not_judged(suite: Suite, reason: str) -> Verdict:
    return Verdict(word="no verdict", reason=reason if suite.variant.against_paper else NOT_THE_PROTOCOL)


def _judged(verdict: Verdict) -> Record:
    """A verdict in the frame's columns."""
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
        "trials_needed": None if verdict.trials_needed is None else str(verdict.trials_needed),
    }


def _cost_records(cell: Cell, spec: CostSpec, place: Record, runs: Runs) -> Iterator[Record]:
    result = runs.cost(spec)
    broken = runs.not_counted(spec)
    if result is not None and not isinstance(result.metrics.get(cell.row), dict):
        broken, result = [*broken, f"{result.run_id}.json"], None
    place |= {"not_counted": ", ".join(broken) or None, "train_images": train_images([result] if result else [])}
    place["code_doubted"] = _doubted([result] if result else [])
    overhead = cell.published.overhead_percent if cell.published else None
    for metric, printed in (
        (cell.reads, cell.published),
        (OVERHEADS[cell.reads], None if overhead is None else Published(overhead)),
    ):
        value = result.metrics[cell.row].get(metric) if result is not None else None
        record = {**place, "metric": metric, "trials_wanted": 1, **_published(printed)}
        record |= _summary(summarise([float(value)] if is_number(value) else []))
        if result is not None and isinstance(result.spec, CostSpec):
            record["measured_on"] = result.spec.device
            record["memory_kind"] = str(result.cost.get("memory_kind", "unknown"))
            record["time_kind"] = _time_kind(result.cost)
        yield record


def _time_kind(cost: Mapping[str, Any]) -> str | None:
    """How the memory of timed steps was handled, where a processor took them; None of a GPU, whose torch keeps it."""
    if cost.get("memory_kind") != PROCESS_MEMORY:
        return None
    shares = cost.get("system_share")
    most = max(filter(is_number, shares.values()), default=None) if isinstance(shares, dict) else None
    if cost.get("freed_memory") != KEPT or most is None:
        return (
            "while freed memory went back to the system, whose handing it out again is part of the time, the more of "
            "it the larger a method's tensors"
        )
    return (
        f"with freed memory kept, as trainings keep it; the system had at most {most:.0%} of a method's processor time"
    )


def _mixed(results: Sequence[Result]) -> str | None:
    """What trials of one cell, and the sessions of each, should share and don't; None where they do.

    For instance ``device A, B; torch 2.11, 2.15``.
    """
    origins = [result.provenance.origin() for result in results]
    names = list(origins[0]) if origins else []
    found = {name: sorted({value for one in origins for value in one[name]}) for name in names}
    text = "; ".join(f"{name} {', '.join(values)}" for name, values in found.items() if len(values) > 1)
    return _COMMIT.sub(r"\1", text) or None


def _doubted(results: Sequence[Result]) -> str | None:
    """The files whose code nobody can look up for certain."""
    return ", ".join(f"{result.run_id}.json" for result in results if result.provenance.code_doubt()) or None


def _published(printed: Published | None) -> Record:
    return {"published_mean": printed and printed.mean, "published_std": printed and printed.std}


def _summary(summary: Summary | None) -> Record:
    if summary is None:
        return {"mean": None, "std": None, "trials": 0}
    return {"mean": summary.mean, "std": summary.std, "trials": summary.trials}
