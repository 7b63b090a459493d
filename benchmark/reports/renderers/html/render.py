"""The page as one HTML file that loads nothing and may load nothing."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmark.reports.renderers.html.build import build
from benchmark.reports.renderers.html.marks import symbols
from benchmark.reports.renderers.html.material import Material
from benchmark.wording import visible

#: Bytes from which a page loads too slowly to be sent around; ``report`` warns.
MOST_BYTES = 1_500_000
_PACKAGE = "benchmark.reports.renderers.html"
KEYS = (
    ("/", "filter"),
    ("1 – 7, f", "a table, Figure 4"),
    ("c g r", "claims, grid, runs"),
    ("j k", "next and previous cell"),
    ("Enter", "open the cell"),
    ("[ ]", "previous and next panel"),
    ("y", "copy the address"),
    ("t", "theme"),
    ("Esc", "close"),
    ("?", "this list"),
)


def render(material: Material) -> str:
    """The page's HTML; the same material gives the same bytes."""
    style, script = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=build(material),
            policy=Markup(policy),
            style=Markup(style),
            script=Markup(script),
            symbols=symbols(),
            keys=KEYS,
            newline=Markup("\n"),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """Text with an escape for every character that nobody could see; markup of our own as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _file(name: str) -> str:
    return (files(_PACKAGE) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """As a content security policy names what may stand in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
