"""From judged cells to everything that stands on the page."""

from collections import Counter
from collections.abc import Sequence

from benchmark.reports.judged import JudgedSuite
from benchmark.reports.renderers.html import heading
from benchmark.reports.renderers.html.bars import stack
from benchmark.reports.renderers.html.cells import cell_views, stacked
from benchmark.reports.renderers.html.claims import claim_lines
from benchmark.reports.renderers.html.curves import Lines
from benchmark.reports.renderers.html.figures import suite_label
from benchmark.reports.renderers.html.inline_svg import inline
from benchmark.reports.renderers.html.marks import mark
from benchmark.reports.renderers.html.material import Material
from benchmark.reports.renderers.html.method import glossary, method, readings_in_force, stand_ins
from benchmark.reports.renderers.html.model import CellView, Filter, Page, RowView, Section
from benchmark.reports.renderers.html.panels import panel
from benchmark.reports.renderers.html.runs import runs_view
from benchmark.reports.sentences import LETTERS, NO_GAINS, about_numbers

_FILES = (
    ("CSV", "csv"),
    ("Markdown", "md"),
    ("LaTeX", "tex"),
    ("PNG", "png"),
    ("SVG", "svg"),
    ("Curves", "curves.svg"),
)
#: Rows from which a table with one or two columns lies on its side in the grid.
_LYING_ROWS, _LYING_COLUMNS = 8, 2


def build(material: Material) -> Page:
    """Everything that stands on the page."""
    paper, lines = material.paper, Lines()
    views = {one.suite.name: cell_views(one, material) for one in material.every}
    sections = [_section(one, views[one.suite.name], material, lines) for one in material.every]
    first, rest = heading.first_sentence(paper)
    marks = stacked(material.suites) if material.judged else []
    return Page(
        profile=paper.variant.reports_name,
        banner=heading.banner(paper),
        judged=material.judged,
        first=first,
        rest=rest,
        second=about_numbers(paper) or "",
        progress=heading.progress(paper),
        facts=heading.facts(material),
        claims=claim_lines(paper),
        claims_note="" if paper.variant.judges_claims else "This profile answers none of them.",
        filters=_filters([view for one in material.suites for view in views[one.suite.name].values()], material.judged),
        sections=tuple(sections[: len(material.suites)]),
        beyond=tuple(sections[len(material.suites) :]),
        stack=stack(marks) if marks else None,
        distance=(NO_GAINS, *heading.distances(paper)) if material.judged else (),
        runs=runs_view(material),
        method=method(),
        readings=readings_in_force(material),
        glossary=glossary(),
        lines=lines.symbols(),
        source=f"reports/{paper.variant.reports_name}/index.html, made by python run_suite.py report from results/"
        f"{paper.variant.results_name} alone: the same results give the same bytes.",
    )


# ------------------------------------------------------------------ one suite


def _section(one: JudgedSuite, views: dict[tuple[str, str], CellView], material: Material, lines: Lines) -> Section:
    suite, manifest = one.suite, one.suite.manifest
    columns = tuple(column.name for column in manifest.columns)
    rows = tuple(
        RowView(name=row.name, cells=tuple(views.get((row.name, column)) for column in columns))
        for row in manifest.rows
    )
    svg, run = material.plots.get(suite.name), any(view.ours for view in views.values())
    return Section(
        anchor=suite.name,
        name=suite_label(suite.name),
        title=manifest.title,
        summary=_summary(one, list(views.values()), material.judged),
        # a report may have been written of suites with results alone
        links=tuple((label, f"{suite.name}.{ending}") for label, ending in _FILES) if run else (),
        plot=inline(svg, suite.name) if svg else None,
        corner=manifest.corner,
        columns=columns,
        rows=rows,
        notes=tuple(_notes(one, material)),
        panels=tuple(panel(one, cell, views[place], material, lines) for place, cell in one.cells.items()),
        lying=len(rows) >= _LYING_ROWS and len(columns) <= _LYING_COLUMNS,
    )


def _summary(one: JudgedSuite, views: Sequence[CellView], judged: bool) -> str:
    run = sum(bool(view.ours) for view in views)
    text = f"{run} of {len(views)} cells have runs"
    if not judged:
        return f"{text}."
    words = Counter(cell.verdict.word for cell in one.cells.values())
    counts = [f"{words[word]} {word}" for word in LETTERS if words[word]]
    margins = sorted({cell.reading.margin for cell in one.cells.values() if cell.reading})
    return f"{text}; {', '.join(counts)}. Margin ±{' or ±'.join(f'{margin:g}' for margin in margins)}."


def _notes(one: JudgedSuite, material: Material) -> list[str]:
    found = list(one.suite.manifest.footnotes)
    if stand_ins(one.suite):
        found.append("Trained on generated stand-in images.")
    costs = [cell for cell in one.cells.values() if cell.cell.is_cost and cell.results]
    if costs:
        result = costs[0].results[0]
        kind = str(result.cost.get("memory_kind", "unknown"))
        device = getattr(result.spec, "device", "unknown")
        found.append(
            f"Memory and time measured on {device}; memory is the {kind}. Only overheads compare with the paper's."
        )
    return found


def _filters(views: Sequence[CellView], judged: bool) -> tuple[Filter, ...]:
    """A button for each word, then for what is lacking; the words' counts add up to the grid's cells."""
    counts = Counter(key for view in views for key in view.filters)
    found = []
    if judged:
        shapes = {"outside": "outside-up"}
        for word in LETTERS:
            key = word.replace(" ", "-")
            if counts[key] or word != "outside":
                sign = mark(shapes.get(word, key), word)
                found.append(Filter(key=key, label=word, count=counts[key], mark=sign))
    rest = ["incomplete", "failed"] if judged else ["complete", "incomplete", "not-run", "failed"]
    plain = [Filter(key=key, label=key.replace("-", " "), count=counts[key], mark=None) for key in rest]
    return (*found, *plain)
