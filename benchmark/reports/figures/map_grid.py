"""Activation maps side by side: a line an image, a column a network."""

import io
import math
import textwrap
import warnings

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from benchmark.reports.figures.gallery import Gallery, Sample
from benchmark.reports.table import Table
from benchmark.results.record import ActivationMap
from benchmark.suites.suite import Suite
from benchmark.wording import visible

_TILE_PIXELS = 192
_TILE_INCHES, _TEXT_INCHES, _HEAD_INCHES = 1.25, 0.14, 1.1
_LEGEND = (
    "Maps of the image's own class, each on its own scale: blue least, red most. Below: right, or the class predicted."
)
_RIGHT, _WRONG, _NEUTRAL = "#00734f", "#b04a00", "#555555"
#: How much of a tile's colour is the map's; the rest is the image in grey.
_SHARE = 0.6

#: Over matplotlib's own defaults, so that nobody's matplotlibrc changes a report.
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,  # names come from manifests; a dollar sign is no formula
}
_DPI, _MOST_INCHES = 150, 60.0

Picture = NDArray[np.float64]


def images(suite: Suite, table: Table, gallery: Gallery) -> tuple[bytes, bytes]:
    """The gallery as PNG and as SVG."""
    style = _STYLE | {"svg.hashsalt": suite.name}  # ids of pictures that share a page do not clash
    with matplotlib.style.context(["default", style]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # drawn as a box; the other formats have the name
        figure = _figure(suite, table, gallery)
        png, svg = io.BytesIO(), io.BytesIO()
        # Dates and version numbers would make every rendering a new file.
        figure.savefig(png, format="png", dpi=_DPI, metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    # the SVG repeats its text in comments, whatever that holds
    lines = svg.getvalue().decode(errors="replace").split("\n")
    return png.getvalue(), "\n".join(map(visible, lines)).encode()


def _figure(suite: Suite, table: Table, gallery: Gallery) -> Figure:
    width, height = size_inches(gallery)
    figure = Figure(figsize=(width, min(_MOST_INCHES, height)), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    draw(gallery, figure)
    below = f"profile {suite.variant.reports_name}"
    if not suite.variant.against_paper:
        below += f": {table.trained}"
    figure.suptitle(f"{_filled(table.title, figure)}\n{_filled(below, figure)}", fontsize=10)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once: both pictures are the same, in half the time
    return figure


def _filled(title: str, figure: Figure) -> str:
    """The title in lines of about one length, none wider than the figure."""
    lines = math.ceil(len(title) / (figure.get_figwidth() * 12.5))
    return textwrap.fill(title, math.ceil(len(title) / lines) + 6) if lines > 1 else title


def size_inches(gallery: Gallery) -> tuple[float, float]:
    """Width and height of the figure."""
    lines = len(gallery.samples)
    return _TILE_INCHES * (len(gallery.rows) + 1), _HEAD_INCHES + lines * (_TILE_INCHES + _TEXT_INCHES)


def draw(gallery: Gallery, figure: Figure) -> None:
    """Fill an empty figure."""
    grid = figure.subplots(len(gallery.samples), len(gallery.rows) + 1, squeeze=False)
    for place, (sample, axes) in enumerate(zip(gallery.samples, grid, strict=True)):
        _draw_image(axes[0], sample)
        for row, axis in zip(gallery.rows, axes[1:], strict=True):
            _draw_map(axis, gallery.maps.get((place, row)), sample)
    for title, axis in zip(("Image", *gallery.rows), grid[0], strict=True):
        axis.set_title(textwrap.fill(title, 18), fontsize=8)
    figure.supxlabel(_LEGEND, fontsize=7, color=_NEUTRAL)


def _draw_image(axis: Axes, sample: Sample) -> None:
    below = f"class {sample.label}, image {sample.image}"
    if sample.pixels is None:
        _empty(axis, "the image is not\non this machine", below)
    else:
        _tile(axis, np.asarray(_resized(sample.pixels), dtype=np.float64) / 255, below, _NEUTRAL)


def _draw_map(axis: Axes, found: ActivationMap | None, sample: Sample) -> None:
    if found is None:
        _empty(axis, "no result yet", "")
    elif found.predicted == found.label:
        _tile(axis, overlay(found, sample.pixels), "right", _RIGHT)
    else:
        _tile(axis, overlay(found, sample.pixels), f"wrong: {found.predicted}", _WRONG)


def overlay(found: ActivationMap, pixels: NDArray[np.uint8] | None) -> Picture:
    """The map in colours over the image in grey, or over plain grey, ``[T, T, 3]`` in 0 … 1."""
    coloured: Picture = matplotlib.colormaps["turbo"](0.05 + 0.9 * heat(found))[..., :3]  # without its dark ends
    grey = np.full((_TILE_PIXELS, _TILE_PIXELS), 0.5)
    if pixels is not None:
        grey = 0.3 + 0.7 * np.asarray(_resized(pixels).convert("L"), dtype=np.float64) / 255  # hot stays bright
    return _SHARE * coloured + (1 - _SHARE) * grey[..., None]


def heat(found: ActivationMap) -> Picture:
    """The map from 0, its least value, to 1, its greatest, enlarged without edges, ``[T, T]``."""
    values = np.array(found.map, dtype=np.float32)
    span = values.max() - values.min()
    scaled = (values - values.min()) / span if span > 0 else np.zeros_like(values)
    large = Image.fromarray(scaled).resize((_TILE_PIXELS, _TILE_PIXELS), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large, dtype=np.float64), 0, 1)


def _resized(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels).resize((_TILE_PIXELS, _TILE_PIXELS), Image.Resampling.BICUBIC)


def _tile(axis: Axes, picture: Picture, below: str, colour: str) -> None:
    axis.imshow(np.round(255 * picture).astype(np.uint8))
    _frame(axis, below, colour)


def _empty(axis: Axes, text: str, below: str) -> None:
    axis.set_facecolor("#f0f0f0")
    axis.set_box_aspect(1)
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=7, color=_NEUTRAL)
    _frame(axis, below, _NEUTRAL)


def _frame(axis: Axes, below: str, colour: str) -> None:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_xlabel(below, fontsize=7, color=colour, labelpad=2)
