"""A manifest under a profile: every printed cell with the run it reads."""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from benchmark.errors import ManifestError, UserError
from benchmark.runs.metrics import COST_METRICS
from benchmark.runs.schema import dotted, fields_at, first_problem
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec
from benchmark.suites.asked import asked_of
from benchmark.suites.layers import (
    Layer,
    applies,
    nested,
    network_name,
    overlaid,
    value_at,
    without_beta,
    written_out,
)
from benchmark.suites.manifest import PAPER_SUITES, Column, Manifest, Published, Row, load_manifest
from benchmark.suites.profiles import PLAN_CHOICES, Variant, load_profile
from benchmark.system.paths import SUITES
from benchmark.wording import shortened

#: Stands for the device that a cost run measures where nothing is to be measured.
ANY_DEVICE = "any"
#: Fields of a run that are groups of fields.
GROUPS = tuple(name for name in TrainSpec.model_fields if fields_at(TrainSpec, [name]))
#: What a cell reads where probabilities are averaged instead of logits.
_PROBABILITIES = {
    "aggregated": "aggregated_probabilities",
    "aggregated_final_head": "aggregated_final_head_probabilities",
}


@dataclass(frozen=True)
class Cell:
    """One printed number: where it stands, what the paper says, and which run's metric it reads."""

    suite: str
    row: str
    column: str
    reads: str
    published: Published | None
    spec: TrainSpec | CostSpec

    @property
    def is_cost(self) -> bool:
        """Whether it is read from a cost run."""
        return isinstance(self.spec, CostSpec)


@dataclass(frozen=True)
class Suite:
    """A checked manifest with its cells; specs carry seed 0 and stand for every trial."""

    path: Path
    manifest: Manifest
    variant: Variant
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.manifest.suite

    @property
    def trials(self) -> int:
        """Trials a training has, unless the command says otherwise."""
        return min(self.manifest.trials, self.variant.profile.trials)


def load_suite(path: Path, variant: Variant, device: str = ANY_DEVICE) -> Suite:
    """Read a manifest and work out every cell's run.

    Args:
        path: the manifest.
        variant: profile and settings.
        device: model of the device that a cost run measures; whoever trains or plans says which, nobody here looks.

    Raises:
        ManifestError: the manifest, the profile or a setting is wrong somewhere.
    """
    manifest = load_manifest(path)
    builder = _Builder(path, manifest, variant, device)
    cells = [
        cell
        for index, row in enumerate(manifest.rows)
        for position, column in enumerate(manifest.columns)
        if row.columns is None or column.name in row.columns
        for cell in [builder.cell(index, row, position, column)]
    ]
    if variant.choice("sd_shares_run"):
        cells = _read_distilling_runs(cells)
    if variant.choice("aggregate") == "probabilities":
        cells = [replace(cell, reads=_PROBABILITIES.get(cell.reads, cell.reads)) for cell in cells]
    return Suite(path, manifest, variant, tuple(cells))


def load_suites(paths: Sequence[Path], variant: Variant, device: str = ANY_DEVICE) -> list[Suite]:
    """All named manifests; two of one name would overwrite each other's reports and are refused.

    Raises:
        ManifestError: see :func:`load_suite`; or a claim names a cell that isn't there or doesn't fit.
        UserError: a setting that touches no run of any suite, or two suites of one name.
    """
    suites: list[Suite] = []
    for path in paths:
        suite = load_suite(path, variant, device)
        if clash := next((other for other in suites if other.name == suite.name), None):
            raise ManifestError(path, "suite", f"{suite.name!r} is the name of {clash.path} too; give it another")
        suites.append(suite)
    specs = [cell.spec for suite in suites for cell in suite.cells]
    for setting in variant.settings:
        if setting.path[0] in ("method", "mixing") and not any(applies(setting, spec.model_dump()) for spec in specs):
            raise UserError(f"--set {setting.label}: no run of these suites has {'.'.join(setting.path)}")
    _check_claims(suites)
    return suites


def _check_claims(suites: Sequence[Suite]) -> None:
    """Find out before anything runs that a claim names no cell; it may name those of the paper's suites too."""
    known = {suite.name: suite.manifest for suite in suites}
    known |= {name: load_manifest(SUITES / f"{name}.yaml") for name in PAPER_SUITES if name not in known}
    for suite in suites:
        asked_of(suite.path, suite.manifest, known)


def select(suite: Suite, patterns: Sequence[str]) -> tuple[Cell, ...]:
    """Cells that one of the patterns means; all without any.

    A pattern is a shell glob over a whole row's or column's name, ``ROW / COLUMN`` or ``SUITE: ROW / COLUMN``,
    case-insensitive. A name with brackets or stars in it also means itself.
    """
    wanted = [pattern.lower() for pattern in patterns]
    return tuple(cell for cell in suite.cells if not wanted or any(_means(pattern, cell) for pattern in wanted))


def _means(pattern: str, cell: Cell) -> bool:
    return _fits(pattern, cell.row) or _fits(pattern, cell.column) or is_cell(pattern, cell)


def is_cell(pattern: str, cell: Cell) -> bool:
    """Whether a pattern in lower case, ``ROW / COLUMN`` as ``plan`` prints it, means this cell."""
    parts = pattern.removeprefix(f"{cell.suite}: ").split(" / ")
    halves = [(" / ".join(parts[:place]), " / ".join(parts[place:])) for place in range(1, len(parts))]
    return any(_fits(row, cell.row) and _fits(column, cell.column) for row, column in halves)


def _fits(pattern: str, name: str) -> bool:
    return pattern == name.lower() or fnmatch.fnmatchcase(name.lower(), pattern)


def _read_distilling_runs(cells: Sequence[Cell]) -> list[Cell]:
    """``sd_shares_run``: where a suite trains the distilling twin of an entry, read the twin instead."""
    trained = {cell.spec.model_dump_json() for cell in cells}
    out = []
    for cell in cells:
        spec = cell.spec
        if isinstance(spec, TrainSpec) and spec.method.views > 1:
            twin = spec.model_copy(update={"method": spec.method.model_copy(update={"distillation": True})})
            spec = twin if twin.model_dump_json() in trained else spec
        out.append(replace(cell, spec=spec))
    return out


class _Builder:
    """Lays protocol, manifest, profile and settings over each other for one manifest."""

    def __init__(self, path: Path, manifest: Manifest, variant: Variant, device: str) -> None:
        self.path, self.manifest, self.variant, self.device = path, manifest, variant, device
        self.ground = load_profile("paper")
        self.cost: CostSpec | None = None

    def cell(self, index: int, row: Row, position: int, column: Column) -> Cell:
        if column.reads in COST_METRICS:
            spec: TrainSpec | CostSpec = self.cost_spec()
        else:
            spec = self.train_spec(index, row, position, column)
            if column.reads == "distilled" and not spec.method.distillation:
                where = f"columns[{position}].reads"
                reason = f"row {row.name!r} trains nothing distilled; set method.distillation: true"
                raise ManifestError(self.path, where, reason)
        printed = row.published[position] if row.published else None
        published = Published.parse(printed) if printed is not None else None
        return Cell(self.manifest.suite, row.name, column.name, column.reads, published, spec)

    def train_spec(self, index: int, row: Row, position: int, column: Column) -> TrainSpec:
        layers = [
            Layer(self.path, "defaults", self.manifest.defaults),
            Layer(self.path, f"rows[{index}].train", row.train),
            Layer(self.path, f"columns[{position}].train", column.train),
            Layer(self.path, f"rows[{index}].cells[{column.name!r}]", row.cells.get(column.name, {})),
        ]
        return self._validated([written_out(layer) for layer in layers], f"row {row.name!r}, column {column.name!r}")

    def _validated(self, entry: list[Layer], place: str) -> TrainSpec:
        for layer in entry:
            for group in GROUPS:
                if not isinstance(layer.tree.get(group, {}), dict):
                    given = "null" if layer.tree[group] is None else repr(layer.tree[group])
                    reason = f"should be a valid dictionary of its fields, not {shortened(given, 120)}"
                    raise ManifestError(layer.file, f"{layer.at}.{group}", reason)
            if fixed := next((key for key in ("kind", "protocol", "seed") if key in layer.tree), None):
                raise ManifestError(layer.file, f"{layer.at}.{fixed}", "can't be set by a manifest; leave it out")
        layers = self._layers(entry)
        try:
            return TrainSpec.model_validate({"protocol": PROTOCOL, "method": {}, **overlaid(layers)})
        except ValidationError as error:
            raise self._mistake(error, layers, place) from None

    def _layers(self, entry: list[Layer]) -> list[Layer]:
        """All that a run is made of, the weakest first: protocol, manifest, profile, settings."""
        tree = overlaid(entry)
        dataset, network = str(value_at(tree, "dataset", "name")), network_name(tree)
        ground = [Layer(self.ground.path, at, part) for at, part in self.ground.layers(dataset, network)]
        if value_at(tree, "method", "classifiers") in (None, 1):  # the protocol's β is for several classifiers
            ground = [Layer(layer.file, layer.at, without_beta(layer.tree)) for layer in ground]
        profile = self.variant.profile
        patch = profile.layers(dataset, network) if profile.profile != "paper" else []
        layers = [
            *ground,
            *map(written_out, entry),
            *(written_out(Layer(profile.path, at, part)) for at, part in patch),
        ]
        tree = overlaid(layers)
        settings = [setting for setting in self.variant.settings if setting.path[-1] not in PLAN_CHOICES]
        return layers + [Layer("--set", "", nested(setting)) for setting in settings if applies(setting, tree)]

    def _mistake(self, error: ValidationError, layers: list[Layer], place: str) -> ManifestError:
        """Names the strongest layer that holds the field, or what of it the manifest or a setting holds.

        What is nowhere is no mistake of a profile's, which patches whatever the manifest asks for.
        """
        path, reason = first_problem(error, TrainSpec)
        asked = [layer for layer in layers if layer.file in (self.path, "--set")]
        for length in range(len(path), 0, -1):
            for layer in (layers if length == len(path) else asked)[::-1]:
                if layer.holds(path[:length]):
                    return ManifestError(layer.file, ".".join(filter(None, [layer.at, dotted(path)])), reason)
        return ManifestError(self.path, place, f"{dotted(path)} {reason}")

    def cost_spec(self) -> CostSpec:
        """The suite's one measurement: all rows that print a cost, interleaved."""
        if self.cost:
            return self.cost
        position, column = next((i, c) for i, c in enumerate(self.manifest.columns) if c.reads in COST_METRICS)
        specs = {
            row.name: self.train_spec(index, row, position, column)
            for index, row in enumerate(self.manifest.rows)
            if row.columns is None or column.name in row.columns
        }
        self._check_cost_rows(specs)
        first = next(iter(specs.values()))
        listing1 = {row.name for row in self.manifest.rows if row.listing1}
        self.cost = CostSpec(
            protocol=PROTOCOL,
            dataset=first.dataset,
            network=first.network,
            batch_size=first.schedule.batch_size,
            steps=self.variant.profile.cost_steps,
            device=self.device,
            variants=[
                CostVariant(name=name, method=spec.method, listing1=name in listing1) for name, spec in specs.items()
            ],
            numerics=first.numerics,
        )
        return self.cost

    def _check_cost_rows(self, specs: Mapping[str, TrainSpec]) -> None:
        for index, row in enumerate(self.manifest.rows):
            if row.listing1 and not (row.name in specs and specs[row.name].method.masks):
                raise ManifestError(self.path, f"rows[{index}].listing1", "has no meaning without masks; leave it out")
        wanted = _shared_by_variants(next(iter(specs.values())))
        for name, spec in specs.items():
            if _shared_by_variants(spec) != wanted:
                reason = "a cost table is about one dataset, network, mixing and batch size"
                raise ManifestError(self.path, f"row {name!r}", reason)


def _shared_by_variants(spec: TrainSpec) -> tuple[object, ...]:
    return spec.dataset, spec.network, spec.mixing, spec.schedule.batch_size, spec.numerics
