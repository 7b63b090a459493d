"""A canvas as SVG: plain attributes, no styles, no ids and no clock, so that it can stand in a page as it is."""

from html import escape

from benchmark.reports.figures.canvas import Canvas, Shape, Text
from benchmark.reports.figures.palette import PAPER
from benchmark.reports.figures.text import FAMILY
from benchmark.wording import visible

#: Verdana is DejaVu's elder sister: where neither is there, ``textLength`` keeps the measured widths.
_FONTS = f"{FAMILY}, Verdana, sans-serif"


def render(canvas: Canvas) -> bytes:
    """The whole file."""
    size = (
        f'width="{_n(canvas.width)}" height="{_n(canvas.height)}" viewBox="0 0 {_n(canvas.width)} {_n(canvas.height)}"'
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}" role="img">',
        f"<title>{_escaped(canvas.title)}</title>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        *(_text(mark) if isinstance(mark, Text) else _shape(mark) for mark in canvas.marks),
        "</svg>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _shape(mark: Shape) -> str:
    paint = f'fill="{mark.fill or "none"}"'
    if mark.stroke:
        paint += f' stroke="{mark.stroke}" stroke-width="{_n(mark.width)}"'
    if mark.dash:
        paint += f' stroke-dasharray="{" ".join(map(_n, mark.dash))}"'
    if mark.opacity < 1:
        paint += f' opacity="{_n(mark.opacity)}"'
    (x, y), *rest = mark.points
    if mark.radius:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(mark.radius)}" {paint}/>'
    path = f"M{_n(x)} {_n(y)}" + "".join(f"L{_n(a)} {_n(b)}" for a, b in rest) + ("z" if mark.closed else "")
    return f'<path d="{path}" {paint}/>'


def _text(mark: Text) -> str:
    how = f'x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" fill="{mark.colour}"'
    if mark.anchor != "start":
        how += f' text-anchor="{mark.anchor}"'
    if mark.bold:
        how += ' font-weight="bold"'
    return f'<text {how} textLength="{_n(mark.length)}">{_escaped(mark.text)}</text>'


def _escaped(text: str) -> str:
    return escape(visible(text), quote=False)


def _n(value: float) -> str:
    """With two decimals at most: ``12.5``, ``3``; never ``-0``."""
    return f"{round(value, 2) + 0.0:.10g}"
