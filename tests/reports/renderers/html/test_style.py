"""Colours that anybody can read and tell apart, as they stand in the style sheet; sizes."""

import itertools
import math
import re
from importlib.resources import files

import pytest

from benchmark.reports.renderers.html.marks import SHAPES, symbols

FILES = files("benchmark.reports.renderers.html")
CSS = (FILES / "page.css").read_text(encoding="utf-8")
MARKS = ("good", "high", "low", "open", "none")
#: What people with one kind of cone missing see, on linear RGB (Viénot and others 1999; Machado and others 2009).
SIMULATED = {
    "deuteranopia": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "protanopia": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "tritanopia": ((1.25553, -0.07675, -0.17878), (-0.07841, 0.93081, 0.14760), (0.00473, 0.69137, 0.30390)),
}


def theme(which: str) -> dict[str, str]:
    start = ":root{" if which == "light" else ":root[data-theme=dark]{"
    block = CSS[CSS.index(start) :].split("}")[0]
    return dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", block))


def linear(colour: str) -> tuple[float, float, float]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    r, g, b = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))

    def one(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return one(r), one(g), one(b)


def luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    r, g, b = (min(1.0, max(0.0, part)) for part in rgb)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("which", ["light", "dark"])
def test_text_and_marks_stand_out_from_what_lies_below_them(which: str) -> None:
    colours = theme(which)
    for name in ("ink", "muted", "link", *MARKS):
        for ground in ("page", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["muted"], colours["band"]) >= 3, "edges of the margin"


@pytest.mark.parametrize("which", ["light", "dark"])
@pytest.mark.parametrize("kind", SIMULATED)
def test_colours_of_marks_differ_for_the_colour_blind(which: str, kind: str) -> None:
    colours = theme(which)
    for one, other in itertools.combinations(MARKS, 2):
        seen = []
        for name in (one, other):
            rgb = linear(colours[name])
            r, g, b = (sum(w * p for w, p in zip(row, rgb, strict=True)) for row in SIMULATED[kind])
            seen.append(lab((r, g, b)))
        assert math.dist(*seen) >= 15, (one, other)


def test_both_ways_into_the_dark_have_the_same_colours() -> None:
    systems = CSS[CSS.index("prefers-color-scheme:dark") :].split("}")[0]
    assert dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", systems)) == theme("dark")


def test_every_class_of_a_mark_has_a_rule_and_every_shape_a_symbol() -> None:
    drawn = str(symbols())
    assert all(f'id="m-{name}"' in drawn for name in SHAPES)
    for name in set(" ".join(re.findall(r'class="([^"]+)"', drawn)).split()):
        assert re.search(rf"\.{name}\{{", CSS), name


def test_style_and_script_stay_small() -> None:
    assert len(CSS.encode()) <= 16_000
    assert len((FILES / "page.js").read_bytes()) <= 12_000
