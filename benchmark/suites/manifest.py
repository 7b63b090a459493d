"""Suite manifests: YAML checked against a schema. What they ask for is worked out in ``suite``."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from benchmark.errors import ManifestError, UserError
from benchmark.runs.metrics import CostMetric, Score
from benchmark.runs.schema import MANY, MANY_RUNS, Frozen, dotted, first_problem, refuse, suggestion
from benchmark.runs.spec import Prediction
from benchmark.suites.claims import Claim
from benchmark.suites.yaml_files import read_yaml
from benchmark.system.files import user_path
from benchmark.system.paths import SUITES

#: What ``all`` means: the paper's tables and its one sweep.
PAPER_SUITES = ("table1", "table2", "table3", "table4", "table5", "table6", "table7", "figure4")

#: Names of reports, and words for several suites, that no suite may have.
RESERVED = ("all", "bench", "claims", "differences", "index", "scoreboard", "summary", "trials")

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PRINTED = re.compile(rf"({_NUMBER})(?: ± ({_NUMBER})| \(([+-]{_NUMBER})%\))?")
_Name = Annotated[str, Field(min_length=1, max_length=1000)]
_Text = Annotated[str, Field(max_length=1000)]


@dataclass(frozen=True)
class Published:
    """One number as the paper prints it, in the table's units."""

    mean: float
    std: float | None = None
    overhead_percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Published":
        """Read ``74.21 ± 0.35``, ``25.79`` or ``3455 (+21.3%)``.

        Raises:
            ValueError: it is none of these.
        """
        match = _PRINTED.fullmatch(text)
        if not match:
            raise ValueError(f"should read like '74.21 ± 0.35', '25.79' or '3455 (+21.3%)', not {text!r}")
        mean, std, overhead = (None if part is None else float(part) for part in match.groups())
        assert mean is not None
        return cls(mean, std, overhead)


class Column(Frozen):
    """A printed column: what it trains, on top of the row, and which number of the run it reads."""

    name: _Name
    reads: Literal[Prediction, CostMetric]
    train: dict[str, Any] = Field(default={})


class Row(Frozen):
    """A printed row: what it trains, on top of the defaults, and the paper's numbers in column order.

    ``columns`` leaves the others blank; ``cells`` lays something over single cells; ``listing1`` makes
    this row's cost the one of the paper's Listing 1; ``margin`` and ``assumed_std`` override the suite's.
    """

    name: _Name
    train: dict[str, Any] = Field(default={})
    published: list[str | None] | None = None
    columns: list[str] | None = Field(default=None, min_length=1)
    cells: dict[str, dict[str, Any]] = Field(default={})
    listing1: bool = False
    margin: float | None = Field(default=None, gt=0, le=MANY)
    assumed_std: float | None = Field(default=None, gt=0, le=MANY)

    @field_validator("published")
    @classmethod
    def _printed(cls, texts: list[str | None] | None) -> list[str | None] | None:
        for index, text in enumerate(texts or []):
            try:
                Published.parse(text) if text is not None else None
            except ValueError as error:
                raise refuse(str(index), str(error)) from None
        return texts


class Manifest(Frozen):
    """One table or figure of the paper, or an experiment of somebody's own.

    ``margin`` is δ, the points within which two means count as equal; ``assumed_std`` stands in for the spread
    of printed numbers without one.
    """

    suite: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    title: _Text
    source: _Text
    metric: Score
    margin: float = Field(gt=0, le=MANY)
    assumed_std: float | None = Field(default=None, gt=0, le=MANY)
    corner: _Text
    best: Literal["row", "table", "none"]
    plot: Literal["dots", "lines", "maps"] = "dots"
    trials: int = Field(default=4, ge=1, le=MANY_RUNS)
    footnotes: list[_Text] = Field(default=[], max_length=100)
    defaults: dict[str, Any] = Field(default={})
    columns: list[Column] = Field(min_length=1, max_length=100)
    rows: list[Row] = Field(min_length=1, max_length=MANY_RUNS)
    claims: list[Claim] = Field(default=[])

    @model_validator(mode="after")
    def _check(self) -> "Manifest":
        names = [column.name for column in self.columns]
        for kind, found in (("columns", names), ("rows", [row.name for row in self.rows])):
            for index, name in enumerate(found):
                if name in found[:index]:
                    raise refuse(f"{kind}.{index}.name", f"{name!r} stands twice; every name needs its own")
        for index, row in enumerate(self.rows):
            for kind, columns in (("columns", row.columns or []), ("cells", list(row.cells))):
                for name in columns:
                    if name not in names:
                        raise refuse(f"rows.{index}.{kind}", f"there is no column {name!r}; {suggestion(name, names)}")
            if row.published is not None and len(row.published) != len(names):
                raise refuse(
                    f"rows.{index}.published",
                    f"holds {len(row.published)} numbers for {len(names)} columns; write null where none is printed",
                )
        return self


def suite_names() -> list[str]:
    """Names of the manifests in ``suites/``, the paper's first."""
    found = sorted(path.stem for path in SUITES.glob("*.yaml"))
    return [name for name in PAPER_SUITES if name in found] + [name for name in found if name not in PAPER_SUITES]


def find_manifests(names: list[str]) -> list[Path]:
    """Paths of the named suites, each once, however it is spelt.

    A name is one of :func:`suite_names`, ``all``, or a manifest's own path. Whoever compares paths may rely on this: a
    manifest of the project's is ``SUITES / <name>``, also where it was named by its path or a link to it.

    Raises:
        UserError: no such suite or file.
    """
    paths: list[Path] = []
    for name in names:
        if name == "all":
            paths += [SUITES / f"{suite}.yaml" for suite in PAPER_SUITES]
        elif name in suite_names():
            paths.append(SUITES / f"{name}.yaml")
        elif Path(name).suffix in (".yaml", ".yml"):
            if _is_missing(path := user_path(name)):
                raise UserError(f"{name}: there is no such manifest")
            paths.append(_as_ours(path))
        else:
            known = [*suite_names(), "all"]
            raise UserError(f"there is no suite {name!r}; {suggestion(name, known)} (or give a manifest's path)")
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(os.path.realpath(path), path)
    return list(first.values())


def _as_ours(path: Path) -> Path:
    """A path that leads into ``suites/`` as the project writes it; any other as it is."""
    real = Path(os.path.realpath(path))
    return SUITES / real.name if real.parent == SUITES.resolve() else path


def _is_missing(path: Path) -> bool:
    """Whether nothing stands at a path; of what can't be read, or can't be looked at, its reader says why."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        pass
    return False


def load_manifest(path: Path) -> Manifest:
    """Read and check one manifest.

    Raises:
        ManifestError: it can't be read or does not fit the schema.
    """
    try:
        manifest = Manifest.model_validate(read_yaml(path))
    except ValidationError as error:
        where, reason = first_problem(error, Manifest)
        raise ManifestError(path, dotted([int(p) if str(p).isdigit() else p for p in where]), reason) from None
    _check_name(path, manifest.suite)
    return manifest


def _check_name(path: Path, suite: str) -> None:
    """A suite of somebody's own overwrites no report of the project's, and one of the project's is its file's name."""
    if path.parent == SUITES:
        if suite != path.stem:
            raise ManifestError(path, "suite", f"should be the file's name, {path.stem!r}, not {suite!r}")
    elif suite in RESERVED or suite in suite_names():
        reason = f"{suite!r} is the name of a report or suite of the project's own, which yours would overwrite"
        raise ManifestError(path, "suite", f"{reason}; give it another, for instance {f'my_{suite}'[:40]!r}")
