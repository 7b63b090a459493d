"""What stands on the page, before any HTML: sentences, numbers as text, states. Pictures are finished SVG."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class State:
    """A verdict or an answer as it is shown: its mark, its word, its colour's class."""

    mark: Markup
    word: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Runs as a bar; widths are of 1000."""

    text: str
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class PartLine:
    """One part of a claim in words."""

    label: str
    state: State
    ours: str
    trials: int
    paper: str
    by_print: str
    needed: str


@dataclass(frozen=True, kw_only=True)
class ClaimLine:
    """One claim.

    Attributes:
        anchor: its id.
        name: its number.
        statement: in words.
        where: the tables it speaks of.
        state: its answer; None where the profile judges none.
        progress: ``3 of 11 parts run``.
        parts: the counted ones' states, in order.
        picture: of its gains, where one can be drawn.
        number: the part that decides least for it, ours and the paper's.
        lines: all parts in words; empty before the first has runs.
        by_print: the paper's own numbers by the same rule.
    """

    anchor: str
    name: str
    statement: str
    where: str
    state: State | None
    progress: str
    parts: tuple[State, ...]
    picture: Markup | None
    number: str
    lines: tuple[PartLine, ...]
    by_print: str


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A button that picks cells: a key of ``CellView.filters``, how it is called, how many cells have it."""

    key: str
    label: str
    count: int
    mark: Markup | None


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One printed cell in its table and in the grid.

    Attributes:
        anchor: of its panel.
        row: as printed.
        column: as printed.
        ours: mean and spread; empty before the first trial.
        best: ours is the best of row or table.
        chips: what qualifies it, ``3 of 4``, ``mixed``, ``failed 1``.
        paper: the line of the paper's number; None where the profile shows none.
        printed: that number alone; empty where there is none or it isn't shown.
        best_paper: the paper's is.
        difference: ours less the paper's; for a cost the overheads.
        picture: its bar.
        state: its verdict.
        incomplete: trials are missing.
        filters: keys of the buttons that pick it.
        words: what the text filter looks in.
    """

    anchor: str
    row: str
    column: str
    ours: str
    best: bool
    chips: tuple[str, ...]
    paper: str | None
    printed: str
    best_paper: bool
    difference: str
    picture: Markup | None
    state: State
    incomplete: bool
    filters: tuple[str, ...]
    words: str


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One trial of a cell, how long it took on what; ``link`` leads to its JSON where that lies beside the reports."""

    seed: str
    last: str
    best: str
    took: str
    file: str
    link: str | None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Everything about one cell."""

    cell: CellView
    where: str
    sentences: tuple[str, ...]
    paper: str
    trials: tuple[TrialRow, ...]
    value_names: tuple[str, str]
    curve: Markup | None
    curve_says: str
    provenance: str
    choices: tuple[tuple[str, str], ...]
    commands_for: str
    commands: tuple[str, ...]
    shared: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class RowView:
    """A printed row; None where the table leaves a place blank."""

    name: str
    cells: tuple[CellView | None, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing of it has been run, and nothing failed."""
        return not any(cell and (cell.ours or cell.chips) for cell in self.cells)

    @property
    def found(self) -> tuple[CellView, ...]:
        """Its cells without the blanks."""
        return tuple(cell for cell in self.cells if cell)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A suite: its table, its plot, its panels."""

    anchor: str
    name: str
    title: str
    summary: str
    links: tuple[tuple[str, str], ...]
    plot: Markup | None
    corner: str
    columns: tuple[str, ...]
    rows: tuple[RowView, ...]
    notes: tuple[str, ...]
    panels: tuple[Panel, ...]
    lying: bool

    @property
    def grid(self) -> tuple[tuple[CellView | None, ...], ...]:
        """Rows of marks, as printed; a table of one column, or a sweep, lies on its side."""
        rows = [row.cells for row in self.rows]
        return tuple(zip(*rows, strict=True)) if self.lying else tuple(rows)


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that waits as failed."""

    run_id: str
    status: str
    reason: str
    log: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunsView:
    """What was run, what failed, what is missing, unreadable or mixed."""

    table: tuple[tuple[str, str, int, int, int], ...]
    failed: tuple[FailedRun, ...]
    unreadable: tuple[str, ...]
    mixed: tuple[tuple[str, str], ...]
    newest: tuple[tuple[str, str, str], ...]
    left: str
    first_command: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole page."""

    profile: str
    banner: str
    judged: bool
    first: str
    rest: str
    second: str
    progress: Progress
    facts: tuple[tuple[str, str], ...]
    claims: tuple[ClaimLine, ...]
    claims_note: str
    filters: tuple[Filter, ...]
    sections: tuple[Section, ...]
    beyond: tuple[Section, ...]
    stack: Markup | None
    distance: tuple[str, ...]
    runs: RunsView
    method: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    glossary: tuple[tuple[str, str], ...]
    lines: Markup
    source: str

    @property
    def every(self) -> tuple[Section, ...]:
        """The paper's and the others."""
        return (*self.sections, *self.beyond)

    @property
    def targets(self) -> Mapping[str, str]:
        """Section of each key."""
        return {section.anchor: section.name for section in self.every}
