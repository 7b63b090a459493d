"""What a report says, before any format: the tidy frame and the printed table (floor 3)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from benchmark.axes import Dataset
from benchmark.manifest import COST_METRICS, Published
from benchmark.plausible import is_number
from benchmark.provenance import origin
from benchmark.reports.runs import Runs
from benchmark.spec import CostSpec, TrainSpec
from benchmark.statistics import Summary, summarise
from benchmark.store import Result, Store
from benchmark.suite import Cell, Suite
from benchmark.wording import counted

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
    "trials_wanted",
    "measured_on",
    "memory_kind",
    "not_counted",
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
    records = [record for cell in suite.cells for record in _records(cell, suite, runs, wanted)]
    frame = pd.DataFrame(records, columns=list(FRAME_COLUMNS))
    return frame.astype(dict.fromkeys(_NUMBERS, "float64") | {"trials": "int64", "trials_wanted": "int64"})


def main_metric(suite: Suite, reads: str) -> str:
    """The frame's metric that the printed cell shows: a cost itself, or the last epoch's score."""
    return reads if reads in COST_METRICS else f"{suite.manifest.metric}_last_epoch"


def _records(cell: Cell, suite: Suite, runs: Runs, wanted: int) -> Iterator[Record]:
    place: Record = {"suite": cell.suite, "row": cell.row, "column": cell.column, "verdict": "no verdict"}
    if isinstance(cell.spec, CostSpec):
        yield from _cost_records(cell, cell.spec, place, runs)
        return
    keys = [f"{cell.reads}_{epoch}" for epoch in ("last_epoch", "best_epoch")]
    trials = runs.trials(cell.spec)
    whole = [all(is_number(result.metrics.get(key)) for key in keys) for result in trials]
    results = [result for result, fits in zip(trials, whole, strict=True) if fits]
    lacking = [f"{result.run_id}.json" for result, fits in zip(trials, whole, strict=True) if not fits]
    place["not_counted"] = ", ".join([*runs.not_counted(cell.spec), *lacking]) or None
    mixed = _mixed(results)
    for epoch in ("last_epoch", "best_epoch"):
        scores = [float(result.metrics[f"{cell.reads}_{epoch}"]) for result in results]
        if suite.manifest.metric == "error":
            scores = [100 - score for score in scores]
        record = {**place, "metric": f"{suite.manifest.metric}_{epoch}", "trials_wanted": wanted, "mixed": mixed}
        printed = cell.published if epoch == "last_epoch" else None
        yield {**record, **_published(printed), **_summary(summarise(scores))}


def _cost_records(cell: Cell, spec: CostSpec, place: Record, runs: Runs) -> Iterator[Record]:
    result = runs.cost(spec)
    broken = runs.not_counted(spec)
    if result is not None and not isinstance(result.metrics.get(cell.row), dict):
        broken, result = [*broken, f"{result.run_id}.json"], None
    place["not_counted"] = ", ".join(broken) or None
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
        yield record


def _mixed(results: Sequence[Result]) -> str | None:
    """What trials of one cell, and the sessions of each, should share and don't; None where they do.

    For instance ``device A, B; torch 2.11, 2.15``.
    """
    origins = [origin(result.provenance) for result in results]
    names = list(origins[0]) if origins else []
    found = {name: sorted({value for one in origins for value in one[name]}) for name in names}
    text = "; ".join(f"{name} {', '.join(values)}" for name, values in found.items() if len(values) > 1)
    return _COMMIT.sub(r"\1", text) or None


def _published(printed: Published | None) -> Record:
    return {"published_mean": printed and printed.mean, "published_std": printed and printed.std}


def _summary(summary: Summary | None) -> Record:
    if summary is None:
        return {"mean": None, "std": None, "trials": 0}
    return {"mean": summary.mean, "std": summary.std, "trials": summary.trials}


@dataclass(frozen=True)
class TableCell:
    """One printed cell.

    Attributes:
        reads: the prediction or cost it shows, as in the manifest.
        published: the paper's number.
        summary: ours; None before the first trial.
        trials_wanted: how many trials make it complete.
        overhead_percent: ours, for a cost only.
        best_ours: ours is the best of its row or table.
        best_published: the paper's is.
    """

    reads: str
    published: Published | None
    summary: Summary | None
    trials_wanted: int
    overhead_percent: float | None = None
    best_ours: bool = False
    best_published: bool = False

    @property
    def is_cost(self) -> bool:
        """Whether it shows memory or time instead of a score."""
        return self.reads in COST_METRICS


@dataclass(frozen=True)
class Table:
    """A suite as it is printed; places that the suite leaves blank are missing from ``cells``.

    ``trained`` says what stands behind the rows' names under the suite's profile: networks, images, epochs.
    ``mixed`` names what the trials of some cells do not share, and which cells those are; ``not_counted`` the
    result files that could not be.
    """

    title: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], TableCell]
    trained: str
    measured_on: str | None = None
    memory_kind: str | None = None
    not_counted: tuple[str, ...] = ()
    mixed: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def tabulate(suite: Suite, frame: pd.DataFrame) -> Table:
    """The printed table of a frame that :func:`collect` made of the same suite."""
    records: dict[tuple[str, str, str], Record] = {
        (record["row"], record["column"], record["metric"]): {str(key): value for key, value in record.items()}
        for record in frame.to_dict("records")
    }
    cells = {}
    for cell in suite.cells:
        record = records[cell.row, cell.column, main_metric(suite, cell.reads)]
        overhead = records[cell.row, cell.column, OVERHEADS[cell.reads]]["mean"] if cell.is_cost else None
        trials = int(record["trials"])
        summary = Summary(float(record["mean"]), _known(record["std"]), trials) if trials else None
        wanted = int(record["trials_wanted"])
        cells[cell.row, cell.column] = TableCell(cell.reads, cell.published, summary, wanted, _known(overhead))
    manifest = suite.manifest
    columns = ("measured_on", "memory_kind", "not_counted")
    devices, kinds, broken = ([text for text in frame[name] if isinstance(text, str)] for name in columns)
    return Table(
        title=manifest.title,
        corner=manifest.corner,
        rows=tuple(row.name for row in manifest.rows),
        columns=tuple(column.name for column in manifest.columns),
        cells=_with_best(cells, suite),
        trained=_trained([cell.spec for cell in suite.cells if cells[cell.row, cell.column].summary]),
        measured_on=devices[0] if devices else None,
        memory_kind=kinds[0] if kinds else None,
        not_counted=tuple(sorted({file for text in broken for file in text.split(", ")})),
        mixed=_places_by_mixture(frame),
    )


def _trained(specs: Sequence[TrainSpec | CostSpec]) -> str:
    """For instance ``resnet11; 10,000 training images; 6 epochs``; where specs differ, each of their values."""
    if not specs:
        return "nothing yet"
    facts = [
        [spec.network.label for spec in specs],
        [f"{_images(spec.dataset)} training images" for spec in specs],
        [f"{spec.dataset.input_size} pixels" for spec in specs if spec.dataset.input_size],
        [counted(spec.schedule.epochs, "epoch") for spec in specs if isinstance(spec, TrainSpec)],
    ]
    return "; ".join(" or ".join(dict.fromkeys(values)) for values in facts if values)


def _images(dataset: Dataset) -> str:
    count = dataset.train_images or dataset.facts.train_images
    return f"{count:,}" if count else "all"  # nobody has counted a folder of one's own


def _places_by_mixture(frame: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = {}
    for record in frame.to_dict("records"):
        if isinstance(text := record["mixed"], str):
            places = out.setdefault(text, [])
            if (place := (record["row"], record["column"])) not in places:
                places.append(place)
    return out


def _known(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _with_best(cells: Mapping[tuple[str, str], TableCell], suite: Suite) -> dict[tuple[str, str], TableCell]:
    """Flags the best means: among those of a row or of the whole table, as the manifest says."""
    out = dict(cells)
    scores = [place for place, cell in cells.items() if not cell.is_cost]
    groups = {"none": [], "table": [scores]}.get(
        suite.manifest.best, [[place for place in scores if place[0] == row.name] for row in suite.manifest.rows]
    )
    lower = suite.manifest.metric == "error"
    for group in groups:
        ours = _best({place: cell.summary.mean for place in group if (cell := cells[place]).summary}, lower)
        published = _best({place: cell.published.mean for place in group if (cell := cells[place]).published}, lower)
        for place in group:
            out[place] = replace(out[place], best_ours=place in ours, best_published=place in published)
    return out


def _best(means: Mapping[tuple[str, str], float], lower: bool) -> Sequence[tuple[str, str]]:
    """Places of the best mean and of what prints the same; none where there is nothing to compare it with."""
    if len(means) < 2:
        return []
    printed = {place: round(mean, 2) for place, mean in means.items()}
    best = min(printed.values()) if lower else max(printed.values())
    return [place for place, mean in printed.items() if mean == best]
