"""A canvas as SVG and as PNG."""

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

from benchmark.reports.figures import png, svg
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import PANEL, SERIES


def drawn(text: str = "SFE") -> Canvas:
    canvas = Canvas(100, 40, title=text)
    canvas.box(0, 0, 50, 40, PANEL)
    canvas.marker(75, 20, SERIES[1], size=8)
    canvas.line((5, 35), (45, 35), colour="#000000", width=2, opacity=0.5)
    canvas.text(5, 20, text)
    return canvas


def pixels(canvas: Canvas) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png.render(canvas))).convert("RGB"))


def test_areas_have_their_own_colours_and_lie_where_they_should() -> None:
    found = pixels(drawn())
    assert found.shape == (80, 200, 3)
    assert found[2, 2].tolist() == [0xF6, 0xF7, 0xF9]
    assert found[2, 190].tolist() == [255, 255, 255]
    assert found[40, 150].tolist() == [0xD5, 0x5E, 0x00]
    assert abs(int(found[70, 50, 0]) - 123) < 8, "half black over the panel"
    assert found[25:42, 10:50].min() < 60, "there is text"


def test_many_colours_keep_the_frequent_ones() -> None:
    canvas = Canvas(200, 40)
    for x in range(200):
        for y in range(4):
            canvas.box(
                x, 10 * y, x + 1, 10 * y + 5, f"#{(37 * x) % 256:02x}{(91 * x + 60 * y) % 256:02x}{(13 * x) % 256:02x}"
            )
    found = pixels(canvas)
    assert found[15, 100].tolist() == [255, 255, 255]
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 256


def test_text_is_escaped_and_shown() -> None:
    drawing = svg.render(drawn("a <b> & \x1b \u202e ﷐ $x_{$"))
    root = ElementTree.fromstring(drawing)
    (text,) = [element.text for element in root if element.tag.endswith("text")]
    assert text == "a <b> & \\x1b \\u202e \\ufdd0 $x_{$"
    assert float(root[-1].attrib["textLength"]) > 60
    assert pixels(drawn("漢字 🎉")).size


def test_the_box_of_a_mark_holds_its_ink() -> None:
    canvas = Canvas(100, 40)
    canvas.text(50, 25, "Wgjp±", 16, "middle", bold=True)
    left, top, right, bottom = canvas.marks[0].box
    rows, columns = np.nonzero(pixels(canvas).min(axis=2) < 128)
    assert 2 * left - 2 <= columns.min()
    assert columns.max() <= 2 * right + 2
    assert 2 * top - 2 <= rows.min()
    assert rows.max() <= 2 * bottom + 2
