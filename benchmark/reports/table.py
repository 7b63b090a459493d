"""The printed table, before any format."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from benchmark.reports.frame import OVERHEADS, Record, main_metric
from benchmark.reports.images import grouped
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.suites.manifest import COST_METRICS, Published
from benchmark.suites.suite import Suite
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.summary import Summary
from benchmark.wording import counted


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
        verdict: what our trials say of the paper's number.
    """

    reads: str
    published: Published | None
    summary: Summary | None
    trials_wanted: int
    overhead_percent: float | None = None
    best_ours: bool = False
    best_published: bool = False
    verdict: Verdict | None = None

    @property
    def is_cost(self) -> bool:
        """Whether it shows memory or time instead of a score."""
        return self.reads in COST_METRICS


@dataclass(frozen=True)
class Table:
    """A suite as it is printed; places that the suite leaves blank are missing from ``cells``.

    ``trained`` says what stands behind the rows' names under the suite's profile: networks, images, epochs.
    ``mixed`` names what the trials of some cells do not share, and which cells those are; ``not_counted`` the
    result files that could not be, ``code_doubted`` those whose code nobody can look up for certain; ``copies`` the
    datasets with test images that are training images too.
    """

    title: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], TableCell]
    trained: str
    measured_on: str | None = None
    memory_kind: str | None = None
    time_kind: str | None = None
    not_counted: tuple[str, ...] = ()
    code_doubted: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
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
        printed = TableCell(cell.reads, cell.published, summary, wanted, _known(overhead), verdict=_verdict(record))
        cells[cell.row, cell.column] = printed
    manifest = suite.manifest
    shown = [
        (cell.spec, str(record["train_images"]), record["test_copies"])
        for cell in suite.cells
        if (record := records[cell.row, cell.column, main_metric(suite, cell.reads)])["trials"]
    ]
    columns = ("measured_on", "memory_kind", "time_kind")
    devices, kinds, times = ([text for text in frame[name] if isinstance(text, str)] for name in columns)
    return Table(
        title=manifest.title,
        corner=manifest.corner,
        rows=tuple(row.name for row in manifest.rows),
        columns=tuple(column.name for column in manifest.columns),
        cells=_with_best(cells, suite),
        trained=_trained([(spec, images) for spec, images, _ in shown]),
        copies=tuple(
            dict.fromkeys((spec.dataset.facts.title, grouped(text)) for spec, _, text in shown if isinstance(text, str))
        ),
        measured_on=devices[0] if devices else None,
        memory_kind=kinds[0] if kinds else None,
        time_kind=times[0] if times else None,
        not_counted=_files(frame["not_counted"]),
        code_doubted=_files(frame["code_doubted"]),
        mixed=_places_by_mixture(frame),
    )


def _files(listed: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted({file for text in listed if isinstance(text, str) for file in text.split(", ")}))


def _verdict(record: Record) -> Verdict:
    """As much of a verdict as a table shows."""
    robust = record["verdict_robust"] if isinstance(record["verdict_robust"], str) else None
    strong = record["verdict_strength"] == "strong"
    return Verdict(word=record["verdict"], reason=record["verdict_reason"], strong=strong, robust=robust)


def _trained(runs: Sequence[tuple[TrainSpec | CostSpec, str]]) -> str:
    """For instance ``resnet11; 10,000 training images; 6 epochs``; where specs differ, each of their values."""
    if not runs:
        return "nothing yet"
    specs = [spec for spec, _ in runs]
    facts = [
        [spec.network.label for spec in specs],
        [f"{grouped(images)} training images" for _, images in runs],
        [f"{spec.dataset.input_size} pixels" for spec in specs if spec.dataset.input_size],
        [counted(spec.schedule.epochs, "epoch") for spec in specs if isinstance(spec, TrainSpec)],
    ]
    return "; ".join(" or ".join(dict.fromkeys(values)) for values in facts if values)


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
