"""Colours, markers and line styles of the plots; the neutral colours are the report page's light ones.

Series differ in marker and dash as well as in colour, so that a grey print can be read.
"""

from dataclasses import dataclass

INK, MUTED, HAIRLINE, PANEL, PAPER = "#1B1F24", "#57606A", "#D0D7DE", "#F6F7F9", "#FFFFFF"
#: The verdicts' colours, by how they are drawn on a scoreboard.
GOOD, HIGH, LOW, OPEN, NOTHING = "#0B5345", "#0E5BBC", "#9A3412", "#5B1A6B", "#656C71"
#: Of marks that stand for fewer trials than a complete cell has.
INCOMPLETE = 0.45


@dataclass(frozen=True)
class Style:
    """How one series is drawn: a marker's name, a colour, and dashes in pixels."""

    marker: str
    colour: str
    dash: tuple[float, ...] = ()


#: Okabe and Ito's colours without the yellows, which are too light on white.
SERIES = (
    Style("disc", "#0072B2"),
    Style("square", "#D55E00", (7, 3)),
    Style("triangle", "#009E73", (2, 2)),
    Style("diamond", "#A4508B", (9, 3, 2, 3)),
    Style("drop", "#5C6670", (4, 2)),
    Style("cross", "#8A6100", (1, 2)),
)


def style(index: int) -> Style:
    """The style of a series by its place; markers and colours come round at different lengths."""
    marker, colour = SERIES[index % len(SERIES)], SERIES[(index + index // len(SERIES)) % len(SERIES)]
    return Style(marker.marker, colour.colour, marker.dash)
