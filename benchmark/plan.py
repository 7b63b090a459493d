"""From suites and results on disk to what must still run (floor 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.errors import UserError
from benchmark.schema import suggestion
from benchmark.spec import CostSpec, TrainSpec, run_id
from benchmark.store import with_seed
from benchmark.suite import Cell, Suite, select


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

    def as_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        runs = [
            {
                "run_id": run.run_id,
                "spec": run.spec.model_dump(mode="json"),
                "cells": [{"suite": c.suite, "row": c.row, "column": c.column} for c in run.cells],
                "done": run.done,
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
        only: globs over row and column names, see :func:`~benchmark.suite.select`.
        trials: seeds an entry; None for the suites' own number.

    Raises:
        UserError: ``only`` selects nothing.
    """
    cells: dict[str, list[Cell]] = {}
    wanted: dict[str, int] = {}
    entries: set[tuple[str, str]] = set()
    for suite in suites:
        for cell in select(suite, only):
            name = run_id(cell.spec)
            cells.setdefault(name, []).append(cell)
            wanted[name] = max(wanted.get(name, 0), 1 if cell.is_cost else trials or suite.trials)
            if not cell.is_cost:
                entries.add((suite.name, name))
    if only and not cells:
        names = list(dict.fromkeys(name for suite in suites for c in suite.cells for name in (c.row, c.column)))
        raise UserError(f"--only {' '.join(only)}: no row or column has such a name; {suggestion(only[0], names)}")
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


# ------------------------------------------------------------------ how much work a run is

#: Multiply-adds of one image forward, in units of 10⁹, and activations kept for backward in MiB an image
#: (fp32), of each network at its own size: read off the models; a guide for ordering and packing, no measurement.
_WORK: Mapping[str, tuple[float, float]] = {
    "resnet": (0.173 / 108, 17.0 / 108),  # a convolution layer
    "seresnet": (0.173 / 108, 18.5 / 108),
    "densenet": (0.296 / 96, 24.0 / 96),
    "wrn": (5.25 / 24 / 100, 30.0 / 24 / 10),  # a layer and width², a layer and width
    "pyramidnet": (4.73 / 108 / 270**2, 32.0 / 108 / 270),
    "resnet_imagenet": (1.82, 23.0),
}


#: What a set of one's own is taken to hold before it is read.
UNKNOWN_IMAGES = 10_000


def relative_work(spec: TrainSpec | CostSpec) -> float:
    """About how many multiply-adds a run takes, in units of 10⁹; only ratios mean anything."""
    forward, _ = _per_image(spec)
    if isinstance(spec, CostSpec):
        return 3 * forward * spec.batch_size * spec.steps * len(spec.variants) * 3
    facts = spec.dataset.facts
    train = spec.dataset.train_images or facts.train_images or UNKNOWN_IMAGES
    test = spec.dataset.test_images or facts.test_images or UNKNOWN_IMAGES
    return forward * (3 * train + test) * spec.schedule.epochs


def memory_gib(spec: TrainSpec | CostSpec) -> float:
    """About how much memory a run's process takes on a CPU, in GiB."""
    _, activations = _per_image(spec)
    batch = spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size
    return 1.2 + activations * batch / 1024


def _per_image(spec: TrainSpec | CostSpec) -> tuple[float, float]:
    """10⁹ multiply-adds forward and MiB of activations of one training image, all its views counted."""
    network = spec.network
    forward, activations = _WORK[network.family]
    if network.family != "resnet_imagenet":
        forward, activations = forward * network.depth, activations * network.depth
    if network.family in ("wrn", "pyramidnet"):
        assert network.width is not None
        forward, activations = forward * network.width**2, activations * network.width
    native = 224 if network.family == "resnet_imagenet" else 32
    copies = (spec.dataset.image_size / native) ** 2 * _copies(spec)
    return forward * copies, activations * copies


def _copies(spec: TrainSpec | CostSpec) -> float:
    """How many times an image goes through the network, carried views counted by the part they take."""
    methods = [spec.method] if isinstance(spec, TrainSpec) else [variant.method for variant in spec.variants]
    most = 1.0
    for method in methods:
        copies = float(method.rotations)
        if method.masks and method.masks.carry_from:
            stages = len(spec.network.stage_channels)
            behind = (stages - method.masks.carry_from) / stages
            copies *= 1 - behind + behind * (method.masks.views + 1)
        most = max(most, copies)
    return most
