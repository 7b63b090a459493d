"""Scores over a number: a line a series, ours with intervals and seeds, the paper's dotted and hollow."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.reports.figures.axes import Scale
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import Style
from benchmark.reports.figures.sheet import DOTTED, opacity
from benchmark.reports.figures.subject import Spot
from benchmark.reports.figures.text import cut, width

_SIZE, _APART = 12.0, 15.0
MOST_NAME = 150.0


@dataclass(frozen=True)
class Series:
    """A line's name and style, its numbers by where they lie, and how far it is moved aside so that none is hidden."""

    name: str
    style: Style
    spots: Sequence[tuple[float, Spot]]
    aside: float = 0.0

    @property
    def values(self) -> list[float]:
        """Every value that is drawn, but the ends of intervals."""
        return [value for _, spot in self.spots for value in spot.drawn]

    @property
    def reach(self) -> list[float]:
        """The ends of intervals."""
        return [end for _, spot in self.spots for end in spot.interval or ()]


def draw(canvas: Canvas, series: Sequence[Series], x: Scale, y: Scale, *, ribbon: bool = False) -> None:
    """All series in one panel; lines first, so that no mark is hidden by another's line."""
    for one in series:
        _lines(canvas, one, x, y, ribbon=ribbon)
    for one in series:
        for at, spot in one.spots:
            _upright(canvas, one.style, spot, x(at) + one.aside, y, bar=not ribbon)


def _lines(canvas: Canvas, series: Series, x: Scale, y: Scale, *, ribbon: bool) -> None:
    """Lines from setting to setting, broken where one is missing."""
    colour, dash = series.style.colour, series.style.dash
    pairs = zip(series.spots, series.spots[1:], strict=False)
    for (one, before), (other, after) in pairs:
        left, right = x(one) + series.aside, x(other) + series.aside
        if before.printed is not None and after.printed is not None:
            canvas.line((left, y(before.printed)), (right, y(after.printed)), colour=colour, width=1.2, dash=DOTTED)
        if ribbon and before.interval and after.interval:
            (a, b), (c, d) = (map(y.within, spot) for spot in (before.interval, after.interval))
            canvas.area(((left, a), (left, b), (right, d), (right, c)), colour, opacity=0.15)
        if before.mean is not None and after.mean is not None:
            canvas.line((left, y(before.mean)), (right, y(after.mean)), colour=colour, width=1.6, dash=dash)


def _upright(canvas: Canvas, style: Style, spot: Spot, x: float, y: Scale, *, bar: bool) -> None:
    """One number at its place: the paper's at the right, seeds at the left."""
    if spot.printed is not None:
        beside = x + (7 if spot.mean is not None else 0)
        if spot.spread:
            ends = y(spot.printed - spot.spread), y(spot.printed + spot.spread)
            canvas.line((beside, ends[0]), (beside, ends[1]), colour=style.colour)
        canvas.marker(beside, y(spot.printed), style, size=3.6, hollow=True)
    if spot.mean is None:
        return
    faint = opacity(spot)
    if spot.interval and bar:
        low, high = map(y.within, spot.interval)
        canvas.line((x, low), (x, high), colour=style.colour, width=2, opacity=faint)
        for end in filter(y.has, spot.interval):  # without a bar at its end it goes on beyond the picture
            canvas.line((x - 3, y(end)), (x + 3, y(end)), colour=style.colour, width=1.5, opacity=faint)
    for value in spot.seeds.values():
        canvas.disc(x - 7.5, y(value), 1.7, style.colour, faint)
    canvas.marker(x, y(spot.mean), style, opacity=faint)


def label_ends(canvas: Canvas, series: Sequence[Series], at: float, y: Scale) -> None:
    """Names beside the lines' last points, moved apart where they would lie on each other."""
    ends = []
    for one in series:
        last = [spot for _, spot in one.spots if spot.drawn]
        if last:
            value = last[-1].mean if last[-1].mean is not None else last[-1].printed
            assert value is not None
            ends.append((y(value), one))
    ends.sort(key=lambda end: end[0])
    heights: list[float] = []
    for height, _ in ends:
        heights.append(max(height, heights[-1] + _APART) if heights else height)
    over = max(0.0, heights[-1] - y.start) if heights else 0.0
    for height, (_, one) in zip(heights, ends, strict=True):
        canvas.marker(at + 8, height - over, one.style, size=3.6)
        canvas.text(at + 16, height - over + 4, cut(one.name, _SIZE, MOST_NAME), _SIZE)


def names_room(series: Sequence[Series]) -> float:
    """What the names beside the lines take."""
    return min(MOST_NAME, max((width(one.name, _SIZE) for one in series), default=0.0)) + 18
