"""A table as Markdown: ours, and under the paper's own protocol the published number below it."""

from collections.abc import Sequence

from benchmark.reports.commands import report_command, setting_words
from benchmark.reports.notes import notes
from benchmark.reports.numbers import as_printed, signed
from benchmark.reports.renderers import claims_markdown
from benchmark.reports.renderers.markdown_text import escape, in_markdown
from benchmark.reports.renderers.markdown_text import table as grid
from benchmark.reports.sentences import BEST_EPOCH, NO_GAINS, NOT_ROBUST, letter
from benchmark.reports.table import Table, TableCell
from benchmark.runs.catalogue import DATASETS
from benchmark.runs.metrics import PROCESS_MEMORY
from benchmark.suites.suite import Suite
from benchmark.verdicts.claims import Answered

MISSING = "—"


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
        _notices(suite, table),
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


def _notices(suite: Suite, table: Table) -> str:
    """What somebody must know before reading a number."""
    profile, variant = suite.variant.profile, suite.variant
    over = ", ".join(f"`{word.replace('`', chr(39))}`" for word in setting_words(variant))
    notes = [f"Profile `{profile.profile}`: {escape(profile.about)}"]
    if over and variant.keeps_protocol:
        notes.append(f"Laid over it: {over}.")
    elif over:
        notes.append(f"Laid over it: {over}, which makes it a protocol of its own.")
    if variant.epoch_reported == "best":
        notes.append(f"**{BEST_EPOCH}**")
    legend = "ours mean ± std (n trials)"
    if variant.against_paper:
        notes.append(f"Each cell: {legend}, below it the paper's; {MISSING} where no run is complete yet.")
        if any(cell.verdict and cell.verdict.word != "no verdict" for cell in table.cells.values()):
            notes.append(NO_GAINS)
            notes.append(f"! means strongly, {NOT_ROBUST} another verdict under another reading of ±.")
    else:
        notes.append(f"Trained here: {escape(table.trained)}. **Not comparable with the paper's numbers.**")
        notes.append(f"Each cell: {legend}; {MISSING} where no run is complete yet.")
    used = {cell.spec.dataset.name for cell in suite.cells if cell.spec.dataset.source == "standin"}
    if used:
        titles = " or ".join(facts.title for name, facts in DATASETS.items() if name in used)
        notes.append(f"**Trained on generated stand-in images, not on {titles}.**")
    if table.measured_on:
        notes.append(f"Memory and time measured on: {escape(table.measured_on)}.")
        notes.append(_about_memory(table.memory_kind or "unknown"))
        notes += [f"Steps were timed {escape(table.time_kind)}."] if table.time_kind else []
    return " ".join(notes)


def _about_memory(kind: str) -> str:
    """Which memory stands in the table; the paper's is a GPU's."""
    if kind != PROCESS_MEMORY:
        return f"Memory is the {escape(kind)}."
    return (
        f"Memory is the {kind}, interpreter and torch included: that dilutes the overhead, so it is **not comparable "
        "with the paper's overhead of GPU memory**."
    )


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
