"""Results as a worker would leave them, without any training."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmark.reports.judged import JudgedSuite, judge_suite
from benchmark.reports.renderers import tidy_csv
from benchmark.results.provenance import Provenance
from benchmark.results.store import Result, Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Cell, Suite, load_suite
from benchmark.system.paths import SUITES
from tests.made import MACHINE

PREDICTIONS = ("single", "aggregated", "aggregated_probabilities", "aggregated_final_head", "distilled")


def paper(name: str, settings: Sequence[str] = ()) -> Suite:
    return load_suite(SUITES / f"{name}.yaml", load_variant("paper", settings))


def under(profile: str, name: str, settings: Sequence[str] = ()) -> Suite:
    return load_suite(SUITES / f"{name}.yaml", load_variant(profile, settings))


def own(tmp_path: Path, profile: str = "paper", **changes: Any) -> Suite:
    """A manifest of somebody's own: two rows, two columns of one network."""
    tree = {
        "suite": "mine",
        "title": "Mine",
        "source": "nowhere",
        "metric": "accuracy",
        "margin": 1.0,
        "corner": "Setting",
        "best": "row",
        "defaults": {"dataset": "cifar100", "network": "resnet110"},
        "columns": [
            {"name": "SI", "reads": "single", "train": {"method": {"classifiers": 2, "masks": {"views": 8}}}},
            {"name": "Plain", "reads": "single"},
        ],
        "rows": [
            {"name": "one", "published": ["76.80 ± 0.22", "74.21 ± 0.35"]},
            {"name": "two", "train": {"mixing": {"mixup_alpha": 1.0}}},
        ],
    }
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({**tree, **changes}, allow_unicode=True), encoding="utf-8")
    return load_suite(path, load_variant(profile))


def cell(suite: Suite, row: str, column: str) -> Cell:
    return next(cell for cell in suite.cells if (cell.row, cell.column) == (row, column))


def judged(suite: Suite, store: Store) -> JudgedSuite:
    return judge_suite(suite, Trials(store))


def collect(suite: Suite, store: Store) -> pd.DataFrame:
    """What a suite's CSV holds, with every digit."""
    numbers = dict.fromkeys(("published_mean", "published_std", "mean", "std"), "float64")
    return pd.DataFrame(tidy_csv.rows(judged(suite, store)), columns=list(tidy_csv.COLUMNS)).astype(numbers)


def result(spec: TrainSpec | CostSpec, metrics: Mapping[str, Any], **cost: Any) -> Result:
    """A plausible result with these metrics."""
    return Result(
        schema_version=2,
        run_id=run_id(spec),
        spec=spec,
        status="completed",
        metrics=dict(metrics),
        history=[] if isinstance(spec, CostSpec) else _history(spec, metrics),
        cost=cost,
        provenance=Provenance.model_validate(MACHINE),
    )


def _history(spec: TrainSpec, metrics: Mapping[str, float]) -> list[dict[str, float]]:
    """Every epoch as good as the best, but the last."""
    best = {name.removesuffix("_best_epoch"): value for name, value in metrics.items() if name.endswith("_best_epoch")}
    last = {name: metrics[f"{name}_last_epoch"] for name in best}
    epochs = spec.schedule.epochs
    return [
        {"epoch": n, "learning_rate": 0.1, "train_loss": 1.0, **(best if n < epochs else last)}
        for n in range(1, epochs + 1)
    ]


def train(store: Store, cell: Cell, last: Iterable[float], seeds: Sequence[int] | None = None) -> None:
    """Trials of a cell's entry with these accuracies; predictions differ by 0.1, best epochs are 0.5 better."""
    values = list(last)
    for seed, value in zip(seeds or range(len(values)), values, strict=True):
        metrics = {}
        for index, name in enumerate(PREDICTIONS):
            metrics[f"{name}_last_epoch"] = value + index / 10
            metrics[f"{name}_best_epoch"] = value + index / 10 + 0.5
        store.put(result(with_seed(cell.spec, seed), metrics))


def measure(
    store: Store,
    suite: Suite,
    *,
    device: str | None = None,
    scale: float = 1.0,
    kind: str = "peak of torch's allocator",
    **how: Any,
) -> None:
    """A cost run: 1000 MiB and 0.1 s for the first variant, half as much again for each further one."""
    spec = next(cell.spec for cell in suite.cells if isinstance(cell.spec, CostSpec))
    spec = spec.model_copy(update={"device": device}) if device else spec
    blocks = {
        variant.name: {
            "memory_mib": 1000.0 * (1 + index / 2),
            "seconds_per_step": 0.1 * scale * (1 + index / 2),
            "memory_overhead_percent": 50.0 * index,
            "time_overhead_percent": 50.0 * index,
        }
        for index, variant in enumerate(spec.variants)
    }
    store.put(result(spec, blocks, memory_kind=kind, **how))


def fill(store: Store, suites: Iterable[Suite]) -> None:
    """Some trials of everything; what was filled once keeps its numbers."""
    filled: set[str] = set()
    for suite in suites:
        for place, cell in enumerate(suite.cells):
            name = run_id(cell.spec)
            if name in filled:
                continue
            filled.add(name)
            if isinstance(cell.spec, CostSpec):
                measure(store, suite)
            else:
                train(store, cell, [70.0 + place, 70.6 + place, 70.3 + place, 70.1 + place])
