"""The panels that plots are made of: dots by row, lines over a number, bars of overheads."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from benchmark.reports.figures.marks import (
    COLOURS,
    Panel,
    level_colour,
    level_rows,
    name_rows,
    no_results,
    point,
    row_number,
    row_variable,
)
from benchmark.reports.renderers.markdown import signed
from benchmark.results.plausible import PROCESS_MEMORY

_BAND = 0.8  # part of a row's height that its marks use
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "lambda": "λ"}


@dataclass(frozen=True)
class Dots:
    """Scores by row; within a row one slot a column, and one more below it for the paper's number."""

    panel: Panel

    def draw(self, axis: Axes, rows: Sequence[str]) -> None:
        """Fill the axis with some of the rows."""
        panel = self.panel
        name_rows(axis, rows)
        drawn = 0
        for index, row in enumerate(rows):
            for position, column in enumerate(panel.score_columns):
                for second, value in enumerate(panel.means(row, column)):
                    if value is not None:
                        height = index + self._offset(position, second)
                        point(axis, value.mean, height, value, panel.colour(column), across=True)
                        drawn += 1
        if not drawn:
            no_results(axis)

    def _offset(self, position: int, second: int) -> float:
        """Places of one column stand close together, columns further apart."""
        column_height = _BAND / len(self.panel.score_columns)
        within = (second * 0.42 + 0.29) if self.panel.against_paper else 0.5
        return (position + within) * column_height - _BAND / 2


@dataclass(frozen=True)
class Lines:
    """Scores over the number in the rows' names; a row without one is a level across the panel."""

    panel: Panel

    def draw(self, axis: Axes) -> None:
        """Fill the axis."""
        panel, table = self.panel, self.panel.table
        numbered = sorted((number, row) for row in table.rows if (number := row_number(row)) is not None)
        span = (numbered[-1][0] - numbered[0][0]) or 1.0
        for position, column in enumerate(panel.score_columns):
            shift = (position - (len(panel.score_columns) - 1) / 2) * span * 0.012
            self._curve(axis, column, [(number + shift, row) for number, row in numbered])
        for index, row in enumerate(level_rows(panel)):
            self._level(axis, row, level_colour(panel, index))
        variable = row_variable(numbered[0][1]) or table.corner
        axis.set_xlabel(_GREEK.get(variable, variable))
        axis.set_ylabel(panel.score_label)
        axis.set_xlim(numbered[0][0] - span * 0.04, numbered[-1][0] + span * 0.04)
        if len(numbered) <= 12:
            axis.set_xticks([number for number, _ in numbered])
        axis.grid(axis="both")
        if not axis.has_data():
            no_results(axis)
            axis.tick_params(axis="y", left=False, labelleft=False)

    def _curve(self, axis: Axes, column: str, numbered: Sequence[tuple[float, str]]) -> None:
        panel = self.panel
        found = [(x, *panel.means(row, column)) for x, row in numbered]
        ours = [(x, value.mean) for x, value, _ in found if value]
        if ours:
            axis.plot([x for x, _ in ours], [mean for _, mean in ours], color=panel.colour(column), lw=1.2)
        for x, *values in found:
            for value in values:
                if value is not None:
                    point(axis, x, value.mean, value, panel.colour(column), across=False)

    def _level(self, axis: Axes, row: str, colour: str) -> None:
        """Ours dashed, the paper's dotted, each with its ± std as a band."""
        for column in self.panel.score_columns:
            for value, style in zip(self.panel.means(row, column), ("--", ":"), strict=True):
                if value is not None:
                    axis.axhline(value.mean, color=colour, lw=1.3, ls=style)
                if value is not None and value.std:
                    axis.axhspan(value.mean - value.std, value.mean + value.std, color=colour, alpha=0.12, lw=0)


def bars(panel: Panel, column: str, axis: Axes) -> None:
    """What each row costs more than the first, in percent: ours filled, the paper's hollow."""
    rows = panel.table.rows
    name_rows(axis, rows)
    axis.set_title(column, fontsize=9)
    in_process = panel.table.memory_kind == PROCESS_MEMORY and "memory_mib" in {
        cell.reads for (_, name), cell in panel.table.cells.items() if name == column
    }
    axis.set_xlabel("Overhead (%) of the whole process on a CPU" if in_process else "Overhead (%)")
    drawn = 0
    for index, row in enumerate(rows):
        found = panel.overheads(row, column)
        for second, percent in enumerate(found):
            if percent is None:
                continue
            y = index if None in found else index + (second - 0.5) * _BAND / 2
            filling = "white" if second else COLOURS[0]
            axis.barh(y, percent, height=_BAND / 2 * 0.85, edgecolor=COLOURS[0], facecolor=filling, linewidth=1.2)
            axis.annotate(
                f"{signed(percent)}%",
                (max(percent, 0.0), y),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
            drawn += 1
    axis.margins(x=0.28)  # room for the numbers at the ends
    if not drawn:
        no_results(axis)
