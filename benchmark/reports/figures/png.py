"""A canvas as PNG: shapes by matplotlib's Agg, text by Pillow, packed by Python's own zlib.

Pillow packs with a zlib that chooses by the processor; Python's gives the same bytes everywhere.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from benchmark.reports.figures.canvas import Canvas, Shape, Text
from benchmark.reports.figures.palette import PAPER
from benchmark.reports.figures.text import SCALE, font
from benchmark.wording import visible

_DPI = 72  # Agg's lines are in points: one is one pixel
_LEVEL = 6


def render(canvas: Canvas) -> bytes:
    """The whole file, ``SCALE`` pixels a unit, in at most 256 colours."""
    size = round(canvas.width * SCALE), round(canvas.height * SCALE)
    image = Image.fromarray(_shapes(canvas, *size))
    draw = ImageDraw.Draw(image)
    for mark in canvas.marks:
        if isinstance(mark, Text):
            _write(draw, mark)
    return _packed(*in_palette(np.asarray(image), _colours(canvas)))


def _colours(canvas: Canvas) -> list[str]:
    """Every colour that an area, a line or text has."""
    found = {PAPER: None}
    for mark in canvas.marks:
        used = (mark.colour,) if isinstance(mark, Text) else (mark.fill, mark.stroke)
        found |= dict.fromkeys(colour for colour in used if colour)
    return list(found)


def in_palette(pixels: NDArray[np.uint8], exact: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels ``[H, W, 4]`` as places ``[H, W]`` in a palette ``[256, 3]`` of their most frequent colours.

    Colours that share five bits of each channel are one: that of ``exact`` if there is one, else any of them, so that
    only the edges of marks may be off by a little. Whole numbers alone, so the same on every processor.
    """
    flat = np.ascontiguousarray(pixels).view("<u4").ravel()  # alpha, blue, green, red from the highest byte down
    keys = (flat << 7 & 0x7C00 | flat >> 6 & 0x3E0 | flat >> 19 & 0x1F).astype(np.uint16)
    one_of = np.zeros(1 << 15, dtype="<u4")
    one_of[keys] = flat
    colours = one_of.view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    for red, green, blue in (ImageColor.getrgb(colour)[:3] for colour in exact):
        colours[red >> 3 << 10 | green >> 3 << 5 | blue >> 3] = red, green, blue
    counts = np.bincount(keys, minlength=1 << 15)
    found = np.flatnonzero(counts)
    palette = colours[found[np.argsort(-counts[found], kind="stable")[:256]]]
    nearest = np.zeros(1 << 15, dtype=np.uint8)
    nearest[found] = ((colours[found, None] - palette) ** 2).sum(axis=2).argmin(axis=1)
    return nearest[keys].reshape(pixels.shape[:2]), palette.astype(np.uint8)


def _packed(places: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    height, width = places.shape
    lines = np.zeros((height, 1 + width), dtype=np.uint8)  # each behind a 0: no filter
    lines[:, 1:] = places
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), _LEVEL)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# ------------------------------------------------------------------ shapes


def _shapes(canvas: Canvas, width: int, height: int) -> NDArray[np.uint8]:
    """Everything but the text, ``[height, width, 4]``."""
    agg = RendererAgg(width, height, _DPI)  # type: ignore[no-untyped-call]
    shapes = [Shape(points=((0, 0), (canvas.width, 0), (canvas.width, canvas.height), (0, canvas.height)), fill=PAPER)]
    for shape in [*shapes, *(mark for mark in canvas.marks if isinstance(mark, Shape))]:
        _draw(agg, shape, height)
    return np.asarray(agg.buffer_rgba())  # type: ignore[no-untyped-call]


def _draw(agg: RendererAgg, shape: Shape, height: int) -> None:
    context = agg.new_gc()
    context.set_alpha(shape.opacity)
    context.set_linewidth(shape.width * SCALE if shape.stroke else 0.0)
    context.set_foreground(shape.stroke or PAPER)
    context.set_capstyle("butt")
    context.set_joinstyle("miter" if shape.closed else "round")
    if shape.dash:
        context.set_dashes(0, [length * SCALE for length in shape.dash])
    points = [(x * SCALE, height - y * SCALE) for x, y in shape.points]
    if shape.radius:
        path = Path.circle(points[0], shape.radius * SCALE)
    else:
        path = Path([*points, points[0]], closed=True) if shape.closed or shape.fill else Path(points)
    path.should_simplify = False
    fill = to_rgba(shape.fill, shape.opacity) if shape.fill else None
    agg.draw_path(context, path, IdentityTransform(), fill)  # type: ignore[no-untyped-call]
    context.restore()


# ------------------------------------------------------------------ text


def _write(draw: ImageDraw.ImageDraw, mark: Text) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
    place = round(mark.x * SCALE), round(mark.y * SCALE)
    draw.text(place, visible(mark.text), font=font(mark.size * SCALE, mark.bold), fill=mark.colour, anchor=anchor)
