"""What stands behind a judged cell: the runs that it waits for, its trials, how they are named."""

from collections.abc import Collection

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.results.plausible import is_number
from benchmark.results.store import Result
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed, words_and_seed


def entry_of(cell: JudgedCell) -> str:
    """The training or measurement that a cell reads, whatever the seed."""
    return run_id(with_seed(cell.cell.spec, 0))


def failed_runs(spec: TrainSpec | CostSpec, failures: Collection[str]) -> tuple[str, ...]:
    """Those of failed runs that a spec has to do with; a measurement's on whatever device."""
    name = run_id(spec)
    if isinstance(spec, CostSpec):
        return tuple(sorted(one for one in failures if words_and_seed(one) == words_and_seed(name)))
    return (name,) if name in failures else ()


def failed_of(one: JudgedSuite, cell: JudgedCell, failures: Collection[str]) -> tuple[str, ...]:
    """Those of failed runs that a cell waits for."""
    if cell.cell.is_cost:
        return () if cell.results else failed_runs(cell.cell.spec, failures)
    seeds = range(one.suite.trials) if failures else ()
    return tuple(name for seed in seeds for name in failed_runs(with_seed(cell.cell.spec, seed), failures))


def scores_of(one: JudgedSuite, cell: JudgedCell) -> list[float]:
    """Our trials in the table's units, by seed; a cost has one."""
    if cell.reading is not None:
        return list(cell.reading.scores(one.suite.variant.epoch_reported).values())
    value = measured(cell, cell.cell.reads)
    return [] if value is None else [value]


def measured(cell: JudgedCell, metric: str) -> float | None:
    """One number of a cost cell's measurement."""
    block = cell.results[0].metrics.get(cell.cell.row) if cell.results else None
    value = block.get(metric) if isinstance(block, dict) else None
    return float(value) if is_number(value) else None


def short(value: str) -> str:
    """A commit's first twelve digits, a digest's first twelve; anything else as it is."""
    digest = value.removeprefix("sha256:")
    head, plus, rest = digest.partition("+")
    is_hex = len(head) >= 32 and all(sign in "0123456789abcdef" for sign in head)
    return head[:12] + plus + rest if is_hex else value


def seconds_of(result: Result) -> float | None:
    """What a run took to train."""
    value = result.cost.get("train_seconds")
    return float(value) if is_number(value) else None
