"""A picture as a list of marks in units from its upper left corner, before any format; ``svg`` and ``png`` write it.

Every mark knows the box that it fills, so that nothing can be drawn where a test does not see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmark.reports.figures import text as measure
from benchmark.reports.figures.palette import INK, PAPER, Style

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
Box = tuple[float, float, float, float]

#: Of the capitals' height and of what hangs below the line, by the font's size.
ASCENT, DESCENT = 0.76, 0.24


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A line through points, or an area where it is closed; a circle is one point with a radius."""

    points: tuple[Point, ...]
    closed: bool = False
    radius: float = 0.0
    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    opacity: float = 1.0

    @property
    def box(self) -> Box:
        """Left, top, right and bottom."""
        more = self.radius + (self.width / 2 if self.stroke else 0.0)
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return min(xs) - more, min(ys) - more, max(xs) + more, max(ys) + more


@dataclass(frozen=True, kw_only=True)
class Text:
    """One line of text; ``x`` is its start, middle or end and ``y`` its baseline."""

    x: float
    y: float
    text: str
    size: float
    anchor: Anchor = "start"
    colour: str = INK
    bold: bool = False

    @property
    def length(self) -> float:
        """Its measured width."""
        return measure.width(self.text, self.size, self.bold)

    @property
    def box(self) -> Box:
        """Left, top, right and bottom."""
        before = self.length * {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        up, down = self.size * ASCENT, self.size * DESCENT
        return self.x - before, self.y - up, self.x - before + self.length, self.y + down


@dataclass
class Canvas:
    """A picture in the making; ``height`` is set by whoever knows where its content ends."""

    width: float
    height: float = 0.0
    title: str = ""
    marks: list[Shape | Text] = field(default_factory=list)

    def line(
        self, *points: Point, colour: str, width: float = 1.0, dash: tuple[float, ...] = (), opacity: float = 1.0
    ) -> None:
        """A line through points."""
        self.marks.append(Shape(points=points, stroke=colour, width=width, dash=dash, opacity=opacity))

    def area(self, points: Sequence[Point], fill: str, opacity: float = 1.0) -> None:
        """A closed area."""
        self.marks.append(Shape(points=tuple(points), closed=True, fill=fill, opacity=opacity))

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, opacity: float = 1.0) -> None:
        """A filled rectangle."""
        self.area(((left, top), (right, top), (right, bottom), (left, bottom)), fill, opacity)

    def disc(self, x: float, y: float, radius: float, fill: str, opacity: float = 1.0) -> None:
        """A small filled circle."""
        self.marks.append(Shape(points=((x, y),), radius=radius, fill=fill, opacity=opacity))

    def marker(
        self, x: float, y: float, style: Style, *, size: float = 4.5, hollow: bool = False, opacity: float = 1.0
    ) -> None:
        """A series' marker, filled for ours or hollow for the paper's."""
        fill, stroke, width = (PAPER if hollow else style.colour), style.colour, 1.4
        outline = _MARKERS.get(style.marker)
        points: tuple[Point, ...] = ((x, y),)
        if outline is None:
            radius = size
        else:
            points, radius = tuple((x + size * a, y + size * b) for a, b in outline), 0.0
        self.marks.append(
            Shape(points=points, closed=True, radius=radius, fill=fill, stroke=stroke, width=width, opacity=opacity)
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 12,
        anchor: Anchor = "start",
        *,
        colour: str = INK,
        bold: bool = False,
    ) -> None:
        """A line of text, where there is any."""
        if text:
            self.marks.append(Text(x=x, y=y, text=text, size=size, anchor=anchor, colour=colour, bold=bold))


_SQUARE = ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9))
_TRIANGLE = ((0.0, -1.15), (1.1, 0.85), (-1.1, 0.85))
_CROSS = (
    *((-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4)),
    *((0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4)),
)
_MARKERS = {
    "square": _SQUARE,
    "triangle": _TRIANGLE,
    "diamond": ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
    "drop": tuple((x, -y) for x, y in _TRIANGLE),
    "cross": _CROSS,
}
