"""Verdicts and answers as small shapes of our own: shape, sign and colour each tell them apart.

Fill says how settled something is: solid is decided, an outline is open, dashes are nothing. Everything here is made of
numbers and known words, never of text from elsewhere; colours are classes, so that they follow the theme.
"""

from collections.abc import Mapping

from markupsafe import Markup

_DISC = '<circle cx="8" cy="8" r="6.5"/>'
_RING = '<circle class="o" cx="8" cy="8" r="6"/>'
_OCTAGON = "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z"
_UP, _DOWN = "M8 2 15 14H1z", "M8 14 1 2h14z"
_QUERY = '<path class="o" d="M6 6.6a2 2 0 1 1 2.9 1.8Q8 8.9 8 9.7"/><circle cx="8" cy="11.7" r=".9"/>'
_SQUARE = '<rect x="1.5" y="1.5" width="13" height="13" rx="2"/>'
_DASHED = '<rect class="o d" x="2" y="2" width="12" height="12" rx="2"/>'
_DOT = '<circle cx="8" cy="8" r="1.8"/>'

#: Each shape within 16 × 16; ``o`` draws an outline, ``w`` is the sign on a solid shape, ``d`` dashes.
_SHAPES: Mapping[str, str] = {
    "reproduced": f'{_SQUARE}<path class="w" d="M4.5 6.2h7M4.5 9.8h7"/>',
    "higher": f'<path d="{_UP}"/>',
    "higher-strong": f'<path d="{_UP}"/><path class="w" d="M5.4 10.8h5.2"/>',
    "lower": f'<path d="{_DOWN}"/>',
    "lower-strong": f'<path d="{_DOWN}"/><path class="w" d="M5.4 5.2h5.2"/>',
    "inconclusive": _RING + _QUERY,
    "outside-up": f'<path class="o" d="{_UP}"/>',
    "outside-down": f'<path class="o" d="{_DOWN}"/>',
    "no-verdict": _DASHED,
    "has-runs": _DASHED + _DOT,
    "supported": f'{_DISC}<path class="w" d="M4.7 8.3 7 10.6l4.4-5"/>',
    "contradicted": f'<path d="{_OCTAGON}"/><path class="w" d="m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4"/>',
    "absent": f'<path class="o" d="{_OCTAGON}"/><path class="o" d="M4.8 8h6.4"/>',
    "undecided": _RING + _QUERY,
    "not-enough-runs": '<circle class="o d" cx="8" cy="8" r="6"/><path class="o" d="M5 8h0M8 8h0M11 8h0"/>',
    "shown": '<path class="o" d="M4 8h8"/>',
}
#: The colour of each shape: a class of the style sheet.
_TONES: Mapping[str, str] = {
    "reproduced": "good",
    "supported": "good",
    "higher": "high",
    "lower": "low",
    "outside": "low",
    "contradicted": "low",
    "absent": "low",
    "inconclusive": "open",
    "undecided": "open",
}
SHAPES = tuple(_SHAPES)


def key(word: str) -> str:
    """A word as a class, an id or a filter: ``not-enough-runs``."""
    return word.replace(" ", "-")


def tone(word: str) -> str:
    """The colour's class of a verdict's or an answer's word; ``none`` where nothing is decided."""
    return _TONES.get(word, "none")


def shape(word: str, *, strong: bool = False, has_runs: bool = False, below: bool = False) -> str:
    """Which shape stands for a verdict's or an answer's word.

    Args:
        word: of :mod:`~benchmark.verdicts`.
        strong: the interval lies wholly beyond the margin.
        has_runs: trials are there although nothing is judged.
        below: ours is the smaller number; of an ``outside`` verdict.
    """
    if word == "outside":
        return "outside-down" if below else "outside-up"
    if word == "no verdict" and has_runs:
        return "has-runs"
    if strong and word in ("higher", "lower"):
        return f"{word}-strong"
    return key(word)


def mark(name: str, word: str) -> Markup:
    """A shape of :data:`SHAPES` in its word's colour; the word itself stands beside it in the page."""
    return Markup('<svg class="m {}" aria-hidden="true"><use href="#m-{}"/></svg>').format(tone(word), name)


def symbols() -> Markup:
    """All shapes once, to be used by :func:`mark`."""
    each = (f'<symbol id="m-{name}" viewBox="0 0 16 16">{inner}</symbol>' for name, inner in _SHAPES.items())
    return Markup("".join(each))
