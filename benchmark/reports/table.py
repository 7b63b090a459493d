"""The printed table, before any format."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmark.reports.images import grouped, test_copies, train_images
from benchmark.reports.judged import JudgedCell, JudgedSuite, Place
from benchmark.reports.origins import Mixture, code_doubted, memory_kind, mixture, time_kind
from benchmark.reports.standing import entry_of, measured, scores_of
from benchmark.runs.metrics import COST_METRICS, METRICS, OVERHEADS, Metric, of_epoch
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.suites.manifest import Published
from benchmark.suites.suite import Suite
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.summary import Summary, summarise
from benchmark.wording import counted


@dataclass(frozen=True)
class TableCell:
    """One printed cell.

    Attributes:
        reads: the prediction or cost it shows, as in the manifest.
        metric: which of :data:`~benchmark.runs.metrics.METRICS` that is.
        published: the paper's number.
        summary: ours; None before the first trial.
        trials_wanted: how many trials make it complete.
        overhead_percent: ours, for a cost only.
        best_ours: ours is the best of its row or table.
        best_published: the paper's is.
        verdict: what our trials say of the paper's number.
    """

    reads: str
    metric: str
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

    @property
    def is_complete(self) -> bool:
        """Whether it has all its trials; no other counts among the best, or is held for final."""
        return self.summary is not None and self.summary.trials >= self.trials_wanted


@dataclass(frozen=True)
class Table:
    """A suite as it is printed; places that the suite leaves blank are missing from ``cells``.

    ``trials`` is how many make a training complete; ``runs`` how many the cells can read, done and wanted, those that
    they share once. ``trained`` says what stands behind the rows' names under the suite's profile: networks, images,
    epochs.
    ``mixed`` names what the trials of some cells do not share, and which cells those are; ``not_counted`` the
    result files that could not be, ``code_doubted`` those whose code nobody can look up for certain; ``copies`` the
    datasets with test images that are training images too.
    """

    title: str
    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], TableCell]
    trials: int
    runs: tuple[int, int]
    trained: str
    measured_on: str | None = None
    memory_kind: str | None = None
    time_kind: str | None = None
    not_counted: tuple[str, ...] = ()
    code_doubted: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    mixed: Mapping[Mixture, Sequence[Place]] = field(default_factory=dict)


def tabulate(judged: JudgedSuite, trials_wanted: int | None = None) -> Table:
    """The printed table of a suite.

    Args:
        judged: the suite.
        trials_wanted: trials a complete training has; the suite's own number by default.
    """
    suite, manifest = judged.suite, judged.suite.manifest
    wanted = suite.trials if trials_wanted is None else trials_wanted
    cells = {place: _cell(judged, found, wanted) for place, found in judged.cells.items()}
    shown = [found for place, found in judged.cells.items() if cells[place].summary]
    costs = [result for found in judged.cells.values() if found.reading is None for result in found.results]
    measured = next(iter(costs), None)
    copies = [(one.cell.spec.dataset.facts.title, text) for one in shown if (text := _copies(one))]
    return Table(
        title=manifest.title,
        corner=manifest.corner,
        rows=tuple(row.name for row in manifest.rows),
        columns=tuple(column.name for column in manifest.columns),
        cells=_with_best(cells, suite),
        trials=wanted,
        runs=_runs(judged, cells),
        trained=_trained([(one.cell.spec, str(train_images(one.results))) for one in shown]),
        copies=tuple((title, grouped(text)) for title, text in dict.fromkeys(copies)),
        measured_on=measured.spec.device if measured and isinstance(measured.spec, CostSpec) else None,
        memory_kind=memory_kind(measured.cost) if measured else None,
        time_kind=time_kind(measured.cost) if measured else None,
        not_counted=_sorted(found.not_counted for found in judged.cells.values()),
        code_doubted=_sorted(code_doubted(found.results) for found in judged.cells.values()),
        mixed=_places_by_mixture(judged),
    )


def _cell(judged: JudgedSuite, found: JudgedCell, wanted: int) -> TableCell:
    cell, suite = found.cell, judged.suite
    summary = summarise(scores_of(judged, found))
    if cell.is_cost:
        overhead = measured(found, OVERHEADS[cell.reads])
        return TableCell(cell.reads, cell.reads, cell.published, summary, 1, overhead, verdict=found.verdict)
    metric = of_epoch(suite.manifest.metric, suite.variant.epoch_reported)
    return TableCell(cell.reads, metric, cell.published, summary, wanted, verdict=found.verdict)


def _runs(judged: JudgedSuite, cells: Mapping[Place, TableCell]) -> tuple[int, int]:
    done: dict[str, int] = {}
    wanted: dict[str, int] = {}
    for place, found in judged.cells.items():
        entry = entry_of(found)
        wanted[entry] = cells[place].trials_wanted
        done[entry] = max(done.get(entry, 0), min(len(found.results), wanted[entry]))
    return sum(done.values()), sum(wanted.values())


def _copies(found: JudgedCell) -> str | None:
    return test_copies(found.results) if found.reading is not None else None


def _sorted(files: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({file for some in files for file in some}))


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


def _places_by_mixture(judged: JudgedSuite) -> dict[Mixture, list[Place]]:
    out: dict[Mixture, list[Place]] = {}
    for place, found in judged.cells.items():
        if found.reading is not None and (what := mixture(found.results)):
            out.setdefault(what, []).append(place)
    return out


def _with_best(cells: Mapping[tuple[str, str], TableCell], suite: Suite) -> dict[tuple[str, str], TableCell]:
    """Flags the best means, ours of complete cells: among a row's or the whole table's, as the manifest says."""
    out = dict(cells)
    scores = [place for place, cell in cells.items() if not cell.is_cost]
    metric = METRICS[of_epoch(suite.manifest.metric, suite.variant.epoch_reported)]
    groups = {"none": [], "table": [scores]}.get(
        suite.manifest.best, [[place for place in scores if place[0] == row.name] for row in suite.manifest.rows]
    )
    for group in groups:
        complete = [place for place in group if cells[place].is_complete]
        ours = _best({place: cell.summary.mean for place in complete if (cell := cells[place]).summary}, metric)
        published = _best({place: cell.published.mean for place in group if (cell := cells[place]).published}, metric)
        for place in group:
            out[place] = replace(out[place], best_ours=place in ours, best_published=place in published)
    return out


def _best(means: Mapping[Place, float], metric: Metric) -> Sequence[Place]:
    """Places of the best mean and of what prints the same; none where there is nothing to compare it with."""
    if len(means) < 2:
        return []
    printed = {place: round(mean, metric.decimals) for place, mean in means.items()}
    best = min(printed.values()) if metric.lower_is_better else max(printed.values())
    return [place for place, mean in printed.items() if mean == best]
