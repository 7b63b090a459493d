"""A table as Markdown: ours, and under the paper's own protocol the published number below it."""

from collections.abc import Sequence

from benchmark.reports.commands import report_command
from benchmark.reports.notes import notes
from benchmark.reports.notices import notices
from benchmark.reports.numbers import MISSING, as_printed, signed
from benchmark.reports.renderers import claims_markdown
from benchmark.reports.renderers.markdown_text import escape, in_markdown
from benchmark.reports.renderers.markdown_text import table as grid
from benchmark.reports.sentences import letter
from benchmark.reports.table import Table, TableCell
from benchmark.suites.suite import Suite
from benchmark.verdicts.claims import Answered


def render(suite: Suite, table: Table, claims: Sequence[Answered] = ()) -> str:
    """The whole report of one suite: what was run, the table, its notes, and how to make it again.

    Args:
        suite: the suite under its profile.
        table: as it is printed.
        claims: its own, answered, where they are not the paper's.
    """
    manifest = suite.manifest
    parts = [
        f"# {escape(table.title)}",
        f"Source: {escape(manifest.source)}.",
        " ".join(map(in_markdown, notices(suite, table))),
        _grid(suite, table),
        "\n".join(f"- {in_markdown(note)}" for note in notes(manifest.footnotes, table)),
        f"![{escape(table.title)}]({suite.name}.png)",
        *(["## Claims", *claims_markdown.render(claims, suite.variant, f"{suite.name}.claims.csv")] if claims else []),
        f"All numbers: [{suite.name}.csv]({suite.name}.csv); training curves: [{suite.name}.curves.png]"
        f"({suite.name}.curves.png). Make this report again: `{report_command(suite, table)}`",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def ours(cell: TableCell) -> str:
    """Our number as printed, for instance ``76.84 ± 0.25 (n = 3 of 4)`` or ``3455 (+21.3%)``."""
    if cell.summary is None:
        return MISSING
    number = _bold(as_printed(cell.metric, cell.summary), cell.best_ours)
    if cell.is_cost:
        return number + _overhead(cell.overhead_percent)
    short = f" of {cell.trials_wanted}" if cell.summary.trials < cell.trials_wanted else ""
    return f"{number} (n = {cell.summary.trials}{short})"


def published(cell: TableCell) -> str:
    """The paper's number as the paper prints it; empty where it prints none."""
    if cell.published is None:
        return ""
    number = _bold(as_printed(cell.metric, cell.published), cell.best_published)
    return number + _overhead(cell.published.overhead_percent)


def _grid(suite: Suite, table: Table) -> str:
    rows = [[escape(name) for name in (table.corner, *table.columns)]]
    for row in table.rows:
        cells = (table.cells.get((row, column)) for column in table.columns)
        rows.append([escape(row), *(_cell(cell, suite.variant.against_paper) for cell in cells)])
    return grid(rows, f" {' | '.join(['---', *['---:'] * len(table.columns)])} ")


def _cell(cell: TableCell | None, against_paper: bool) -> str:
    if cell is None:
        return ""
    printed = published(cell) if against_paper else ""
    lines = [ours(cell), *([f"paper: {printed}"] if printed else [])]
    if cell.verdict and cell.verdict.word != "no verdict":
        lines.append(f"{cell.verdict.word} ({letter(cell.verdict)})")
    return "<br>".join(lines)


def _overhead(percent: float | None) -> str:
    return "" if percent is None else f" ({signed(percent)}%)"


def _bold(text: str, best: bool) -> str:
    return f"**{text}**" if best else text
