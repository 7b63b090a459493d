"""How wide text is, and lines that fit a width; measured in the font that the pictures are drawn with."""

import importlib.util
from functools import cache
from pathlib import Path

from PIL import ImageFont

from benchmark.wording import visible

#: DejaVu Sans, which comes with matplotlib, is the same on every machine.
FAMILY = "DejaVu Sans"
_FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
#: Pixels of a PNG by a unit of a canvas. Widths are measured there: a font's steps are rounded to whole pixels.
SCALE = 2


@cache
def font(pixels: float, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font at a size; without ligatures or shaping, whose library not every machine has."""
    spec = importlib.util.find_spec("matplotlib")  # looked up, not imported
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / _FILES[bold]
    return ImageFont.truetype(str(file), pixels, layout_engine=ImageFont.Layout.BASIC)


@cache
def width(text: str, size: float, bold: bool = False) -> float:
    """Units that a line of text takes at a font size in units."""
    return font(size * SCALE, bold).getlength(visible(text)) / SCALE


def wrapped(text: str, size: float, most: float, *, bold: bool = False, lines: int | None = None) -> list[str]:
    """Text in lines of at most so many units, words whole where they fit; more than ``lines`` end in an ellipsis."""
    out: list[str] = []
    for word in visible(text).split():
        if out and width(f"{out[-1]} {word}", size, bold) <= most:
            out[-1] += f" {word}"
            continue
        while width(word, size, bold) > most and len(word) > 1:
            head = _longest(word, size, most, bold)
            out.append(word[:head])
            word = word[head:]
        out.append(word)
        if lines is not None and len(out) > lines:
            break
    if lines is not None and len(out) > lines:
        return [*out[: lines - 1], cut(f"{out[lines - 1]} {out[lines]} …", size, most, bold=bold, always=True)]
    return out or [""]


def cut(text: str, size: float, most: float, *, bold: bool = False, always: bool = False) -> str:
    """The text, or as much of its beginning as fits before an ellipsis."""
    text = visible(text)
    if width(text, size, bold) <= most and not always:
        return text
    head = _longest(text, size, most - width("…", size, bold), bold)
    return text[:head].rstrip(" …") + "…"


def _longest(text: str, size: float, most: float, bold: bool) -> int:
    """How many characters fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle], size, bold) <= most:
            low = middle
        else:
            high = middle - 1
    return low
