"""From suites and results on disk to what must still run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.planning.estimates import device_memory_gib, relative_work
from benchmark.planning.names import the_run
from benchmark.planning.pace import Pace
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed
from benchmark.suites.suite import Cell, Suite, select


@dataclass(frozen=True)
class PlannedRun:
    """One run with every cell that reads it; shared entries have several."""

    run_id: str
    spec: TrainSpec | CostSpec
    cells: tuple[Cell, ...]
    done: bool


@dataclass(frozen=True)
class Plan:
    """What a command asks for: runs in order, and how many entries and trainings they serve."""

    runs: tuple[PlannedRun, ...]
    entries: int
    trainings: int

    @property
    def missing(self) -> tuple[PlannedRun, ...]:
        """Runs without a result."""
        return tuple(run for run in self.runs if not run.done)

    def totals(self) -> dict[str, int]:
        """Counts, as ``plan --format json`` prints them."""
        cost = sum(isinstance(run.spec, CostSpec) for run in self.runs)
        return {
            "entries": self.entries,
            "trainings": self.trainings,
            "train_runs": len(self.runs) - cost,
            "cost_runs": cost,
            "done": sum(run.done for run in self.runs),
        }

    def as_json(self, pace: Pace) -> dict[str, Any]:
        """The plan as plain data, with what each run takes on a device."""
        runs = [
            {
                "run_id": run.run_id,
                "spec": run.spec.model_dump(mode="json"),
                "cells": [{"suite": c.suite, "row": c.row, "column": c.column} for c in run.cells],
                "done": run.done,
                "estimate": {
                    "seconds": pace.seconds(run.spec),
                    "memory_gib": device_memory_gib(run.spec, gpu=pace.gpu, graphs=pace.graphs),
                },
            }
            for run in self.runs
        ]
        return {"runs": runs, "totals": self.totals()}


def make_plan(
    suites: Sequence[Suite], completed: set[str], *, only: Sequence[str] = (), trials: int | None = None
) -> Plan:
    """Work out the runs of some suites.

    An entry that several suites ask for is planned once, with as many trials as the keenest wants. Seeds
    go from the outside in: every entry's first trial comes before any second one, so that a table fills
    evenly.

    Args:
        suites: what to run.
        completed: ids that have a result.
        only: globs over row and column names, see :func:`~benchmark.suites.suite.select`, and parts of run ids.
        trials: seeds an entry; None for the suites' own number.

    Raises:
        UserError: one of ``only`` means nothing, or as a part of run ids several.
    """
    names = [text for text in only if any(select(suite, [text]) for suite in suites)]
    if len(names) == len(only):
        return _plan_of(suites, completed, names, trials)
    whole = _plan_of(suites, completed, (), trials)
    found = {run.run_id: run for run in (_plan_of(suites, completed, names, trials).runs if names else ())}
    ids, cells = {run.run_id for run in whole.runs}, [cell for suite in suites for cell in suite.cells]
    wanted = found.keys() | {the_run(text, ids, cells, "--only ") for text in only if text not in names}
    runs = tuple(found.get(run.run_id, run) for run in whole.runs if run.run_id in wanted)
    trained = [run for run in runs if isinstance(run.spec, TrainSpec)]
    entries = {(cell.suite, run_id(with_seed(run.spec, 0))) for run in trained for cell in run.cells}
    return Plan(runs, len(entries), len({name for _, name in entries}))


def _plan_of(suites: Sequence[Suite], completed: set[str], names: Sequence[str], trials: int | None) -> Plan:
    """The plan of what some names mean, of everything without any."""
    cells: dict[str, list[Cell]] = {}
    wanted: dict[str, int] = {}
    entries: set[tuple[str, str]] = set()
    for suite in suites:
        for cell in select(suite, names):
            name = run_id(cell.spec)
            cells.setdefault(name, []).append(cell)
            wanted[name] = max(wanted.get(name, 0), 1 if cell.is_cost else trials or suite.trials)
            if not cell.is_cost:
                entries.add((suite.name, name))
    runs = []
    for seed in range(max(wanted.values(), default=0)):
        for name, readers in cells.items():
            if seed < wanted[name]:
                runs.append(_planned(with_seed(readers[0].spec, seed), readers, completed))
    trainings = len({name for _, name in entries})
    return Plan(tuple(runs), len(entries), trainings)


def _planned(spec: TrainSpec | CostSpec, cells: Sequence[Cell], completed: set[str]) -> PlannedRun:
    name = run_id(spec)
    return PlannedRun(name, spec, tuple(cells), name in completed)


def runs_to_train(
    runs: Sequence[PlannedRun], failed: set[str], *, retry_failed: bool
) -> tuple[list[PlannedRun], list[PlannedRun]]:
    """Those of the open runs that an invocation trains, and those that wait as failed.

    Args:
        runs: the open ones.
        failed: ids with a failure on record, which wait until somebody asks for them.
        retry_failed: somebody does, and for no others.
    """
    before = [run for run in runs if run.run_id in failed]
    return (before, []) if retry_failed else ([run for run in runs if run.run_id not in failed], before)


def headline(suites: Sequence[Suite], made: Plan) -> str:
    """One line on a plan: entries, trainings, runs, done."""
    totals = made.totals()
    names = ", ".join(suite.name for suite in suites)
    text = f"{names} ({suites[0].variant.reports_name}): {totals['entries']} entries served by {totals['trainings']} "
    text += f"trainings, {totals['train_runs']} training runs"
    if totals["cost_runs"]:
        text += f" and {totals['cost_runs']} cost run"
    return f"{text}, {totals['done']} of them done"


def longest_first(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """In the order to start them: one seed after another, so that tables fill evenly, and the long ones of each first.

    Where few are left, no long one then keeps a single place busy while all others wait.
    """
    return sorted(
        runs, key=lambda run: (run.spec.seed if isinstance(run.spec, TrainSpec) else 0, -relative_work(run.spec))
    )
