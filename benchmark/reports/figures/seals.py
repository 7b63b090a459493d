"""Verdicts and answers as small marks: solid is decided, an outline is open, dashes are nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.reports.figures.canvas import Canvas, Shape
from benchmark.reports.figures.palette import GOOD, HIGH, LOW, NOTHING, OPEN, PAPER


@dataclass(frozen=True)
class Seal:
    """An outline, a sign within it, a colour, and how settled it is."""

    outline: str
    sign: str
    colour: str
    how: str = "solid"


SEALS: Mapping[str, Seal] = {
    "reproduced": Seal("square", "=", GOOD),
    "higher": Seal("up", "", HIGH),
    "lower": Seal("down", "", LOW),
    "inconclusive": Seal("disc", "?", OPEN, "open"),
    "outside": Seal("down", "", LOW, "open"),
    "no verdict": Seal("square", "", NOTHING, "dashed"),
    "has runs": Seal("square", "·", NOTHING, "dashed"),
    "supported": Seal("disc", "✓", GOOD),
    "contradicted": Seal("octagon", "×", LOW),
    "absent": Seal("octagon", "−", LOW, "open"),
    "undecided": Seal("disc", "?", OPEN, "open"),
    "not enough runs": Seal("disc", "…", NOTHING, "dashed"),
    "not judged": Seal("disc", "", NOTHING, "dashed"),
}
#: Outlines in a square from −1 to 1.
_OUTLINES = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "up": ((0.0, -0.9), (1.0, 0.8), (-1.0, 0.8)),
    "down": ((0.0, 0.9), (1.0, -0.8), (-1.0, -0.8)),
    "octagon": (
        (-0.4, -0.95), (0.4, -0.95), (0.95, -0.4), (0.95, 0.4),
        (0.4, 0.95), (-0.4, 0.95), (-0.95, 0.4), (-0.95, -0.4),
    ),
}  # fmt: skip
#: Signs as lines in the same square.
_SIGNS = {
    "=": (((-0.5, -0.25), (0.5, -0.25)), ((-0.5, 0.25), (0.5, 0.25))),
    "✓": (((-0.45, 0.05), (-0.1, 0.4), (0.5, -0.35)),),
    "×": (((-0.4, -0.4), (0.4, 0.4)), ((-0.4, 0.4), (0.4, -0.4))),
    "−": (((-0.45, 0.0), (0.45, 0.0)),),
    "?": (((-0.25, -0.25), (-0.1, -0.45), (0.15, -0.45), (0.27, -0.25), (0.0, 0.0), (0.0, 0.15)),),
}
_DOTS = {"?": ((0.0, 0.45),), "·": ((0.0, 0.0),), "…": ((-0.45, 0.0), (0.0, 0.0), (0.45, 0.0))}


def seal(
    canvas: Canvas, word: str, x: float, y: float, half: float, *, partial: bool = False, up: bool = False
) -> None:
    """A mark around a place.

    Args:
        canvas: where it is drawn.
        word: a key of ``SEALS``.
        x: of its middle.
        y: of its middle.
        half: half its width.
        partial: whether a decided verdict rests on fewer trials than planned; its edge is then dashed.
        up: whether an ``outside`` lies above.
    """
    found = SEALS[word]
    solid = found.how == "solid" and not partial
    outline = "up" if up and word == "outside" else found.outline
    points = tuple((x + half * a, y + half * b) for a, b in _OUTLINES.get(outline, ((0.0, 0.0),)))
    canvas.marks.append(
        Shape(
            points=points,
            closed=True,
            radius=0.85 * half if outline == "disc" else 0.0,
            fill=found.colour if solid else PAPER,
            stroke=found.colour,
            width=0.16 * half,
            dash=(0.32 * half, 0.28 * half) if found.how == "dashed" or partial else (),
        )
    )
    ink = PAPER if solid else found.colour
    for line in _SIGNS.get(found.sign, ()):
        canvas.line(*((x + half * a, y + half * b) for a, b in line), colour=ink, width=0.2 * half)
    for a, b in _DOTS.get(found.sign, ()):
        canvas.disc(x + half * a, y + half * b, 0.14 * half, ink)
