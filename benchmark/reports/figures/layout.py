"""A table as a picture, PNG and SVG; the same table gives the same bytes."""

import io
import math
import textwrap
import warnings

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.reports.figures import map_grid
from benchmark.reports.figures.gallery import Gallery
from benchmark.reports.figures.marks import Panel, key, level_rows, row_number
from benchmark.reports.figures.panels import Dots, Lines, bars
from benchmark.reports.table import Table
from benchmark.suites.suite import Suite
from benchmark.wording import visible

#: Over matplotlib's own defaults, so that nobody's matplotlibrc changes a report.
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,  # names come from manifests; a dollar sign is no formula
    "axes.formatter.useoffset": False,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "svg.hashsalt": "sfe-benchmark",
}
_DPI = 150
_SLOT_INCHES, _ROW_INCHES, _MOST_INCHES = 0.13, 0.42, 60.0


def images(suite: Suite, table: Table, gallery: Gallery | None = None) -> tuple[bytes, bytes]:
    """A suite's plot as PNG and as SVG; the gallery is for a suite that plots maps."""
    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # drawn as a box; the other formats have the name
        figure = _figure(suite, table, gallery)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once: both pictures are the same, in half the time
        png, svg = io.BytesIO(), io.BytesIO()
        # Dates and version numbers would make every rendering a new file.
        figure.savefig(png, format="png", dpi=_DPI, metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    # the SVG repeats its text in comments, whatever that holds
    lines = svg.getvalue().decode(errors="replace").split("\n")
    return png.getvalue(), "\n".join(map(visible, lines)).encode()


def _figure(suite: Suite, table: Table, gallery: Gallery | None = None) -> Figure:
    if gallery is not None and gallery.samples:  # without any map the accuracies are drawn
        figure = _canvas(*map_grid.size_inches(gallery))
        map_grid.draw(gallery, figure)
        _head(figure, suite, table)
        return figure
    panel = Panel(table, suite.manifest.metric, suite.variant.against_paper)
    if suite.manifest.plot == "lines" and any(row_number(row) is not None for row in table.rows):
        figure = _canvas(7.5, 5.0)
        Lines(panel).draw(figure.subplots())
        handles = key(panel, level_rows(panel))
    else:
        datasets = {cell.spec.dataset.name for cell in suite.cells}
        figure = _side_by_side(panel) if panel.cost_columns or len(datasets) == 1 else _stacked(panel)
        handles = key(panel)
    _head(figure, suite, table)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=_legend_columns([str(handle.get_label()) for handle in handles], figure.get_figwidth()),
        frameon=False,
        handlelength=1.5,
        columnspacing=1.5,
    )
    return figure


def _head(figure: Figure, suite: Suite, table: Table) -> None:
    below = f"profile {suite.variant.reports_name}"
    if not suite.variant.against_paper:
        below += f": {table.trained}"
    figure.suptitle(f"{_wrapped(table.title, figure)}\n{_wrapped(below, figure)}", fontsize=10)


def _legend_columns(labels: list[str], width_inches: float) -> int:
    """As few lines as the width allows, evenly filled."""
    widths = [0.45 + 0.065 * len(label) for label in labels]  # inches of a key with its text
    if sum(widths) < width_inches:
        return len(labels)
    lines = 2
    while lines < len(labels) and math.ceil(len(labels) / lines) * max(widths) > width_inches:
        lines += 1
    return math.ceil(len(labels) / lines)


def _canvas(width: float, height: float) -> Figure:
    """A figure of so many inches that draws without a window or pyplot's state."""
    figure = Figure(figsize=(width, min(_MOST_INCHES, height)), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _wrapped(title: str, figure: Figure) -> str:
    """The title in lines of about one length, none wider than the figure."""
    lines = math.ceil(len(title) / (figure.get_figwidth() * 12.5))
    return textwrap.fill(title, math.ceil(len(title) / lines) + 6) if lines > 1 else title


def _height(panel: Panel) -> float:
    slots = max(1, len(panel.score_columns)) * (2 if panel.against_paper else 1)
    return 1.7 + len(panel.table.rows) * max(_ROW_INCHES, slots * _SLOT_INCHES)


def _side_by_side(panel: Panel) -> Figure:
    """Scores and each cost beside each other; every panel has the table's rows as its own."""
    scores = [1.25] if panel.score_columns else []
    widths = [*scores, *[1.0] * len(panel.cost_columns)]
    figure = _canvas(7.5 if len(widths) == 1 else 2.0 + 3.2 * len(widths), _height(panel))
    axes = figure.subplots(1, len(widths), sharey=True, squeeze=False, width_ratios=widths)[0]
    if scores:
        Dots(panel).draw(axes[0], panel.table.rows)
        axes[0].set_xlabel(panel.score_label)
    for column, axis in zip(panel.cost_columns, axes[len(scores) :], strict=True):
        bars(panel, column, axis)
    return figure


def _stacked(panel: Panel) -> Figure:
    """Rows on different datasets, each with a scale of its own: on one scale a point would be a hair."""
    rows = panel.table.rows
    figure = _canvas(7.5, _height(panel) + 0.3 * len(rows))
    axes = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for row, axis in zip(rows, axes, strict=True):
        Dots(panel).draw(axis, [row])
    axes[-1].set_xlabel(f"{panel.score_label}; every row has its own scale")
    return figure
