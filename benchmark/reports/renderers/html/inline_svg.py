"""A plot's SVG file made part of the page: no style attributes, colours that follow the theme, ids of its own."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from markupsafe import Markup

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
#: What matplotlib draws with; whatever else a file may hold stays out of the page.
_ELEMENTS = ("svg", "g", "path", "use", "defs", "clipPath", "rect", "circle", "line", "polygon", "text", "tspan")
_ATTRIBUTES = (
    "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "transform", "viewBox",
    "points", "clip-path", "textLength", "fill", "stroke", "id", "href",
)  # fmt: skip
#: Properties of a style that have attributes of their name.
_PROPERTIES = (
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-opacity", "fill-opacity", "opacity", "text-anchor", "font-weight", "font-style", "font-size",
)  # fmt: skip
#: Colours of verdicts, as the plots draw them.
_TONES: Mapping[str, str] = {
    "#0b5345": "good", "#0e5bbc": "high", "#9a3412": "low", "#5b1a6b": "open", "#656c71": "none",
}  # fmt: skip
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT = re.compile(r"(?:^|\s)([0-9.]+)px")


def inline(svg: bytes, prefix: str) -> Markup:
    """The picture as an element of the page.

    Args:
        svg: a file that matplotlib wrote.
        prefix: stands before all of its ids, so that pictures of one page don't clash.
    """
    root = ET.fromstring(svg)
    _clean(root, prefix)
    root.attrib = {"viewBox": root.get("viewBox", "0 0 1 1"), "class": "plot", "aria-hidden": "true"}
    text = ET.tostring(root, encoding="unicode")
    return Markup(re.sub(r"\n\s*", " ", re.sub(r">\s+<", "><", text)))


def _clean(element: ET.Element, prefix: str) -> None:
    element.tag = element.tag.removeprefix(_SVG)
    element.attrib = _attributes(element, prefix)
    for child in list(element):
        if isinstance(child.tag, str) and child.tag.removeprefix(_SVG) in _ELEMENTS:
            _clean(child, prefix)
        else:
            element.remove(child)


def _attributes(element: ET.Element, prefix: str) -> dict[str, str]:
    found = {name.removeprefix(_XLINK): value for name, value in element.attrib.items()}
    pairs = (part.partition(":") for part in found.pop("style", "").split(";") if ":" in part)
    style = {name.strip(): value.strip() for name, _, value in pairs}
    if (font := style.get("font")) and (size := _FONT.search(font)):
        style["font-size"] = size[1]
        style |= {"font-weight": "700"} if "bold" in font else {}
    if (size_only := style.get("font-size")) is not None:
        style["font-size"] = size_only.removesuffix("px")
    kept = {name: value for name, value in found.items() if name in (*_ATTRIBUTES, *_PROPERTIES)}
    kept |= {name: value for name, value in style.items() if name in _PROPERTIES}
    classes = []
    for name in ("fill", "stroke"):
        if theme := _themed(kept.get(name)):
            classes.append(f"{name[0]}-{theme}")
            del kept[name]
    if element.tag == "text" and "fill" not in kept and not classes:
        classes.append("f-ink")
    if classes:
        kept["class"] = " ".join(classes)
    if "d" in kept:
        kept["d"] = _NUMBER.sub(lambda number: f"{float(number[0]):.2f}", kept["d"])
    return {name: _own(name, value, prefix) for name, value in kept.items()}


def _own(name: str, value: str, prefix: str) -> str:
    """A value with the ids in it made this picture's."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return f"#{prefix}-{value.removeprefix('#')}"
    return value.replace("url(#", f"url(#{prefix}-")


def _themed(colour: str | None) -> str | None:
    """The class of a colour that the theme decides: a verdict's, or a grey by how dark it is."""
    if colour is None or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return None
    if tone := _TONES.get(colour.lower()):
        return tone
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    if max(red, green, blue) - min(red, green, blue) > 24:
        return None
    level = (red + green + blue) / 3
    steps = ((64, "ink"), (160, "muted"), (232, "line"), (252, "panel"))
    return next((name for most, name in steps if level < most), "page")
