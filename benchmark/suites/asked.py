"""What claims ask of which cells: found in the manifests alone, so that mistakes show before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import ManifestError
from benchmark.runs.metrics import COST_METRICS
from benchmark.runs.schema import suggestion
from benchmark.suites.claims import Claim, FullPlace, Part
from benchmark.suites.manifest import Column, Manifest, Published, Row


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One part of a claim with the cells that it names.

    Attributes:
        claim: the claim's number.
        statement: the claim in words.
        label: the part's name.
        suite: whose part it is: A's.
        part: as declared.
        places: A, then B or, of ``best``, the others of its column; of a trend its column's cells in order.
    """

    claim: str
    statement: str
    label: str
    suite: str
    part: Part
    places: tuple[FullPlace, ...]


def asked_of(path: Path, manifest: Manifest, known: Mapping[str, Manifest]) -> list[Asked]:
    """Every part of a manifest's claims; of each claim the counted ones first.

    Args:
        path: the manifest's file.
        manifest: what it holds.
        known: all that its claims may name, itself included.

    Raises:
        ManifestError: a claim names a cell that isn't there or does not fit its kind, or nothing to tell it by.
    """
    out: list[Asked] = []
    rows = {name: tuple(row.name for row in one.rows) for name, one in known.items()}
    for index, claim in enumerate(manifest.claims):
        try:
            if claim.claim in [other.claim for other in manifest.claims[:index]]:
                raise ValueError(f"{claim.claim!r} is the number of a claim above too; give it another")
            parts = claim.spread_out(manifest.suite, rows)
            asked = [_asked(claim, part, suite, row, known) for part, suite, row in parts]
            _check_labels(asked)
        except KeyError as error:
            name = str(error.args[0])
            reason = (
                f"there is no suite {name!r} among the paper's and those named here; {suggestion(name, list(known))}"
            )
            raise ManifestError(path, f"claims[{index}]", reason) from None
        except ValueError as error:
            raise ManifestError(path, f"claims[{index}]", str(error)) from None
        out += asked
    return out


def _check_labels(asked: list[Asked]) -> None:
    labels = [one.label for one in asked]
    if twice := next((label for place, label in enumerate(labels) if label in labels[:place]), None):
        raise ValueError(f"two parts are called {twice!r}; give each a label of its own")


def _asked(claim: Claim, part: Part, suite: str, row: str | None, known: Mapping[str, Manifest]) -> Asked:
    if row is None and "{row}" in part.label:
        raise ValueError("a part needs a label; {row} stands for a row's name in rows_of alone")
    label = part.label.replace("{row}", row or "")
    places = part.places(suite, row)
    if part.kind == "trend":
        places = tuple((suite, name, part.column or "") for name in part.settings or {})
    cells = [_Named.at(place, known) for place in places]
    if part.kind == "ratio":
        cells[0].check_ratio()
    else:
        for cell in cells:
            cell.check_score()
    if part.kind == "best":
        places += cells[0].others()
        if len(places) < 2:
            raise ValueError(f"{label!r} has nothing to compare {cells[0].row.name!r} with")
    if len(set(places)) < len(places):
        raise ValueError(f"{label!r} compares a cell with itself")
    if len({cell.manifest.metric for cell in cells}) > 1:
        raise ValueError(f"{label!r} compares accuracies with errors")
    if part.kind == "size" and not all(cell.prints_spread for cell in cells):
        raise ValueError(f"{label!r} asks for the size of a gain whose printed numbers or spreads are missing")
    return Asked(
        claim=claim.claim,
        statement=claim.statement,
        label=label,
        suite=places[0][0],
        part=part,
        places=places,
    )


@dataclass(frozen=True)
class _Named:
    """A cell as a manifest declares it."""

    manifest: Manifest
    row: Row
    column: Column

    @classmethod
    def at(cls, place: FullPlace, known: Mapping[str, Manifest]) -> "_Named":
        suite, row_name, column_name = place
        manifest = known[suite]
        row = next((row for row in manifest.rows if row.name == row_name), None)
        column = next((column for column in manifest.columns if column.name == column_name), None)
        if row is None or column is None or (row.columns is not None and column_name not in row.columns):
            raise ValueError(f"{suite} has no cell at row {row_name!r}, column {column_name!r}")
        return cls(manifest, row, column)

    def __str__(self) -> str:
        return f"row {self.row.name!r}, column {self.column.name!r}"

    def check_score(self) -> None:
        if self.column.reads in COST_METRICS:
            raise ValueError(f"{self.manifest.suite} has no score at {self}, but a cost")

    def check_ratio(self) -> None:
        if self.column.reads not in COST_METRICS:
            raise ValueError(f"{self.manifest.suite} has no cost at {self}")
        if self.printed is None or self.printed.overhead_percent is None:
            raise ValueError(f"{self.manifest.suite} prints no overhead at {self}")

    @property
    def printed(self) -> Published | None:
        text = self.row.published[self.manifest.columns.index(self.column)] if self.row.published else None
        return None if text is None else Published.parse(text)

    @property
    def prints_spread(self) -> bool:
        assumed = self.row.assumed_std or self.manifest.assumed_std
        return self.printed is not None and (self.printed.std or assumed) is not None

    def others(self) -> tuple[FullPlace, ...]:
        """The other cells of its column."""
        rows = [row for row in self.manifest.rows if row.columns is None or self.column.name in row.columns]
        return tuple((self.manifest.suite, row.name, self.column.name) for row in rows if row != self.row)
