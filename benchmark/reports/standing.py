"""Where a judged cell stands: our number, how many trials are wanted, what is best, what is mixed."""

import statistics

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.results.plausible import is_number
from benchmark.results.store import Result
from benchmark.runs.spec import CostSpec, run_id, with_seed
from benchmark.verdicts.summary import Summary, summarise


def entry_of(cell: JudgedCell) -> str:
    """The training or measurement that a cell reads, whatever the seed."""
    return run_id(with_seed(cell.cell.spec, 0))


def planned(one: JudgedSuite, cell: JudgedCell) -> list[str]:
    """Ids of the runs that make a cell complete."""
    spec = cell.cell.spec
    if isinstance(spec, CostSpec):
        return [run_id(spec)]
    return [run_id(with_seed(spec, seed)) for seed in range(one.suite.trials)]


def runs_of(one: JudgedSuite) -> tuple[int, int]:
    """How many of a suite's runs are done, and how many it asks for; a measurement counts on whatever device."""
    all_runs = {name for cell in one.cells.values() for name in planned(one, cell)}
    done = {result.run_id for cell in one.cells.values() for result in cell.results if not cell.cell.is_cost}
    costs = any(cell.results for cell in one.cells.values() if cell.cell.is_cost)
    return len(done & all_runs) + costs, len(all_runs)


def wanted(one: JudgedSuite, cell: JudgedCell) -> int:
    """How many trials make a cell complete."""
    return 1 if cell.cell.is_cost else one.suite.trials


def summary_of(one: JudgedSuite, cell: JudgedCell) -> Summary | None:
    """Our number, by the epoch that the variant reports; None before the first trial."""
    return summarise(scores_of(one, cell))


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


def best_places(one: JudgedSuite) -> frozenset[tuple[str, str, str]]:
    """Where ``ours`` or the ``paper`` is the best of its row or table, as the manifest asks; complete cells alone."""
    manifest = one.suite.manifest
    if manifest.best == "none":
        return frozenset()
    found: set[tuple[str, str, str]] = set()
    sign = -1.0 if manifest.metric == "error" else 1.0
    groups: dict[str, list[tuple[tuple[str, str], JudgedCell]]] = {}
    for place, cell in one.cells.items():
        if cell.reading is not None:
            groups.setdefault(place[0] if manifest.best == "row" else "", []).append((place, cell))
    for group in groups.values():
        ours, paper = {}, {}
        for place, cell in group:
            scores = scores_of(one, cell)
            if len(scores) >= wanted(one, cell):
                ours[place] = sign * round(statistics.fmean(scores), 2)
            if cell.cell.published:
                paper[place] = sign * round(cell.cell.published.mean, 2)
        for who, means in (("ours", ours), ("paper", paper)):
            if len(means) > 1:
                best = max(means.values())
                found |= {(who, *place) for place, mean in means.items() if mean == best}
    return frozenset(found)
