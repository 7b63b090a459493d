"""Which plot answers a suite's question, and the files of all pictures."""

from collections.abc import Callable, Mapping

from benchmark.reports.figures import png, svg
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.costs import costs
from benchmark.reports.figures.curves import curves
from benchmark.reports.figures.differences import differences
from benchmark.reports.figures.dots import dots
from benchmark.reports.figures.gains import over_first_column, over_first_row
from benchmark.reports.figures.gallery import Gallery
from benchmark.reports.figures.numbered import row_number
from benchmark.reports.figures.pairs import pairs
from benchmark.reports.figures.panels import classifiers, layers
from benchmark.reports.figures.scoreboard import scoreboard
from benchmark.reports.figures.subject import Subject
from benchmark.reports.figures.sweep import sweep
from benchmark.reports.judged import JudgedSuite
from benchmark.reports.paper import Paper
from benchmark.reports.table import Table
from benchmark.suites.suite import Suite
from benchmark.system.paths import SUITES

Plot = Callable[[Subject, str], Canvas]

#: The question that each suite of ours puts, and the plot that answers it.
PLOTS: Mapping[str, tuple[Plot, str]] = {
    "table1": (over_first_column, "Does SFE help on each network?"),
    "table2": (over_first_column, "How large is the gain on each dataset?"),
    "table3": (costs, "What does the accuracy cost?"),
    "table4": (pairs, "What does adding SFE change?"),
    "table5": (over_first_column, "How large is the gain on each dataset?"),
    "table6": (layers, "Earlier or later, few or many?"),
    "table7": (classifiers, "How many classifiers?"),
    "figure4": (sweep, "Does accuracy fall with β?"),
    "precision": (over_first_row, "What does bf16 change?"),
}


def of_suite(judged: JudgedSuite, table: Table, gallery: Gallery | None = None) -> dict[str, bytes]:
    """A suite's pictures by what stands behind its name; the gallery is for a suite that plots maps."""
    if gallery is not None and gallery.samples:  # without any map the accuracies are drawn
        from benchmark.reports.figures import map_grid  # matplotlib's figures are slow to import

        image, drawing = map_grid.images(judged.suite, table, gallery)
        found = {"png": image, "svg": drawing}
    else:
        found = _both("", canvas_of(judged, table))
    return found | _both("curves.", curves(Subject(judged, table)))


def of_paper(paper: Paper) -> dict[str, bytes]:
    """Pictures of the whole paper by their files' names."""
    return _both("differences.", differences(paper)) | {"scoreboard.png": png.render(scoreboard(paper))}


def _both(name: str, canvas: Canvas) -> dict[str, bytes]:
    return {f"{name}png": png.render(canvas), f"{name}svg": svg.render(canvas)}


def canvas_of(judged: JudgedSuite, table: Table) -> Canvas:
    """A suite's plot before any format."""
    suite, subject = judged.suite, Subject(judged, table)
    if suite.name in PLOTS and suite.path.parent == SUITES:
        plot, question = PLOTS[suite.name]
        return plot(subject, question)
    return _own(suite, subject)(subject, table.title)


def _own(suite: Suite, subject: Subject) -> Plot:
    """Of a manifest of somebody's own."""
    if subject.costs:
        return costs
    numbered = any(row_number(row) is not None for row in subject.rows)
    return sweep if suite.manifest.plot == "lines" and numbered else dots
