"""What all panels of a plot share: names and colours, legend, marks and row names."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from benchmark.reports.table import Table
from benchmark.suites.manifest import Published
from benchmark.verdicts.summary import Summary

#: Okabe and Ito's colours without the yellow, which is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_NEUTRAL = "#555555"
_NUMBERED = re.compile(r"(.*\S)\s*=\s*([+-]?\d+(?:\.\d+)?)")
_PLAIN = {"facecolor": "white", "edgecolor": "none"}


def row_number(row: str) -> float | None:
    """The number of a row called ``beta = 0.3``; None for any other name."""
    match = _NUMBERED.fullmatch(row)
    return float(match[2]) if match else None


def row_variable(row: str) -> str | None:
    """What that number is of: ``beta``."""
    match = _NUMBERED.fullmatch(row)
    return match[1] if match else None


@dataclass(frozen=True)
class Panel:
    """What every panel needs: the table, its metric, and whether the paper's numbers are drawn."""

    table: Table
    metric: str
    against_paper: bool

    @property
    def score_columns(self) -> list[str]:
        """Columns of accuracies or errors."""
        return [name for name in self.table.columns if name not in self.cost_columns]

    @property
    def cost_columns(self) -> list[str]:
        """Columns of memory or time."""
        costs = {column for (_, column), cell in self.table.cells.items() if cell.is_cost}
        return [name for name in self.table.columns if name in costs]

    @property
    def score_label(self) -> str:
        """Label of the score's axis."""
        return "Accuracy (%)" if self.metric == "accuracy" else "Error rate (%)"

    def colour(self, column: str) -> str:
        """The colour of a column of scores."""
        return COLOURS[self.score_columns.index(column) % len(COLOURS)]

    def means(self, row: str, column: str) -> tuple[Summary | None, Published | None]:
        """Our number and the paper's, each where there is one to be drawn."""
        cell = self.table.cells.get((row, column))
        if cell is None:
            return None, None
        return cell.summary, cell.published if self.against_paper else None

    def overheads(self, row: str, column: str) -> tuple[float | None, float | None]:
        """The same of a cost's overhead."""
        cell, (_, printed) = self.table.cells.get((row, column)), self.means(row, column)
        return cell.overhead_percent if cell else None, printed.overhead_percent if printed else None


def key(panel: Panel, levels: Sequence[str] = ()) -> list[Artist]:
    """Legend: a colour a column, then what filled and hollow mean, then the levels that are drawn across."""
    colours: list[Artist] = []
    if len(panel.score_columns) > 1:
        colours = [Patch(color=panel.colour(name), label=name) for name in panel.score_columns]
    how = ("filled", "hollow") if panel.cost_columns else ("± std", "± std")
    marks: list[Artist] = [Line2D([], [], color=_NEUTRAL, marker="o", ls="", ms=5, label=f"ours ({how[0]})")]
    if panel.against_paper:
        hollow = Line2D([], [], color=_NEUTRAL, marker="D", ls="", ms=5, mfc="white", label=f"paper ({how[1]})")
        marks.append(hollow)
    for index, row in enumerate(levels):
        for source, style in (("ours", "--"), ("paper", ":"))[: 2 if panel.against_paper else 1]:
            marks.append(Line2D([], [], color=level_colour(panel, index), ls=style, label=f"{row} ({source})"))
    return colours + marks


def level_rows(panel: Panel) -> list[str]:
    """Rows of a line plot that have no number and so no place on its axis."""
    return [row for row in panel.table.rows if row_number(row) is None]


def level_colour(panel: Panel, index: int) -> str:
    """Grey, then what the columns leave of the palette."""
    left = (_NEUTRAL, *COLOURS[len(panel.score_columns) :])
    return left[index % len(left)]


def point(axis: Axes, x: float, y: float, value: Summary | Published, colour: str, *, across: bool) -> None:
    """One mean with its ± std: ours a filled circle, the paper's a hollow diamond."""
    ours = isinstance(value, Summary)
    axis.errorbar(
        x,
        y,
        xerr=value.std if across else None,
        yerr=None if across else value.std,
        fmt="o" if ours else "D",
        ms=5,
        mfc=colour if ours else "white",
        color=colour,
        elinewidth=1.2,
        capsize=2,
        zorder=4 if ours else 3,
    )


def no_results(axis: Axes) -> None:
    """Says so where a panel would be empty."""
    axis.text(
        0.5, 0.5, "no results yet", transform=axis.transAxes, ha="center", va="center", color=_NEUTRAL, bbox=_PLAIN
    )
    axis.tick_params(axis="x", bottom=False, labelbottom=False)
    axis.grid(visible=False)


def name_rows(axis: Axes, rows: Sequence[str]) -> None:
    """Rows from top to bottom as in the table, every second one shaded."""
    axis.set_yticks(range(len(rows)), [textwrap.fill(row, 26) for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")
    for index in range(0, len(rows), 2):
        axis.axhspan(index - 0.5, index + 0.5, color="#f4f4f4", lw=0, zorder=0)
