"""Numbers by row on one horizontal axis: a line a number, ours above the paper's, seeds between."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from benchmark.reports.figures.axes import Label, Scale, around, plain, x_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import INK, MUTED, PANEL, Style
from benchmark.reports.figures.sheet import MARGIN, opacity
from benchmark.reports.figures.subject import Spot
from benchmark.reports.figures.text import cut, width, wrapped

_SLOT, _BARE, _GAP = 27.0, 26.0, 8.0
_SIZE = 12.0
_MOST_LABEL, _MOST = 190.0, 4000.0


@dataclass(frozen=True)
class Line:
    """A row: its name, its numbers each in its series' style, and what is printed at the right."""

    label: str
    spots: Sequence[tuple[Style, Spot]]
    right: str = ""

    @property
    def has_ours(self) -> bool:
        """Whether anything of ours is drawn."""
        return any(spot.mean is not None for _, spot in self.spots)

    @property
    def has_any(self) -> bool:
        """Whether anything is drawn."""
        return any(spot.drawn for _, spot in self.spots)

    @property
    def height(self) -> float:
        """Of its band; a row of the paper's numbers alone takes one line."""
        return _GAP + (_SLOT * len(self.spots) if self.has_ours else _BARE - _GAP)


def forest(
    canvas: Canvas,
    lines: Sequence[Line],
    y: float,
    *,
    title: str,
    right_title: str = "",
    label: Label = plain,
    zero: bool = False,
) -> float:
    """Draw rows from top to bottom and the axis below them; where it ends."""
    lines = [line for line in lines if line.has_any]
    heights = list(accumulate(line.height for line in lines))
    fitting = [line for line, height in zip(lines, heights, strict=True) if height <= _MOST]
    if len(fitting) < len(lines):
        right_title, lines = f"the first {len(fitting)} of {len(lines)} rows, the CSV has all", fitting
    left = MARGIN + min(_MOST_LABEL, max(width(line.label, 13, bold=True) for line in lines)) + 12
    beside = max([width(line.right, _SIZE) for line in lines] + [width(right_title, _SIZE)])
    partial = max(width(spot.incomplete, _SIZE) for line in lines for _, spot in line.spots)
    right = canvas.width - MARGIN - (beside + 10 if beside else 0) - (partial + 8 if partial else 0)
    values = [value for line in lines for _, spot in line.spots for value in spot.drawn]
    reach = [end for line in lines for _, spot in line.spots for end in spot.interval or ()]
    scale = around([*values, 0.0] if zero else values, left + 6, right - 6, reach=reach)
    if right_title:
        canvas.text(canvas.width - MARGIN, y + 12, right_title, _SIZE, "end", colour=MUTED)
        y += 18
    bottom = y + sum(line.height for line in lines)
    top = y
    for index, line in enumerate(lines):
        if index % 2 == 0:
            canvas.box(MARGIN - 6, top, canvas.width - MARGIN + 6, top + line.height, PANEL)
        top += line.height
    end = x_axis(canvas, scale, y, bottom, title=title, label=label)
    if zero:
        canvas.line((scale(0), y), (scale(0), bottom), colour=INK, width=1.3)
    for line in lines:
        _draw(canvas, line, y, scale, right, left - MARGIN - 12)
        y += line.height
    return end


def _draw(canvas: Canvas, line: Line, y: float, scale: Scale, right: float, room: float) -> None:
    middle = y + line.height / 2
    names = wrapped(line.label, 13, room, bold=line.has_ours, lines=2 if line.has_ours else 1)
    first = middle + 4.5 - 8 * (len(names) - 1)
    for index, name in enumerate(names):
        canvas.text(MARGIN, first + 16 * index, name, 13, bold=line.has_ours, colour=INK if line.has_ours else MUTED)
    if line.right:
        canvas.text(canvas.width - MARGIN, middle + 4, cut(line.right, _SIZE, 200), _SIZE, "end", colour=MUTED)
    for index, (style, spot) in enumerate(line.spots):
        height = y + _GAP / 2 + _SLOT * (index + 0.42) if line.has_ours else middle
        across(canvas, style, spot, scale, height)
        if spot.incomplete:
            canvas.text(right + 4, height + 4, spot.incomplete, _SIZE, colour=MUTED)


def across(canvas: Canvas, style: Style, spot: Spot, scale: Scale, y: float, size: float = 4.5) -> None:
    """One number on a line: the paper's below, seeds and interval, ours above all."""
    beside = size + 4 if spot.mean is not None else 0.0
    if spot.printed is not None:
        if spot.spread:
            ends = scale(spot.printed - spot.spread), scale(spot.printed + spot.spread)
            canvas.line((ends[0], y + beside), (ends[1], y + beside), colour=style.colour)
        canvas.marker(scale(spot.printed), y + beside, style, size=0.8 * size, hollow=True)
    if spot.mean is None:
        return
    faint = opacity(spot)
    if spot.interval:
        low, high = map(scale.within, spot.interval)
        canvas.line((low, y), (high, y), colour=style.colour, width=2, opacity=faint)
        for end in filter(scale.has, spot.interval):  # without a bar at its end it goes on beyond the picture
            canvas.line((scale(end), y - 3), (scale(end), y + 3), colour=style.colour, width=1.5, opacity=faint)
    for value in spot.seeds.values():
        canvas.disc(scale(value), y - size - 3, 1.7, style.colour, faint)
    canvas.marker(scale(spot.mean), y, style, size=size, opacity=faint)
