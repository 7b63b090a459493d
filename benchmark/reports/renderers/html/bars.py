"""The small pictures of the page: a cell's bar, a claim's gain, the stack of all distances. Numbers in, SVG out."""

from collections import defaultdict
from collections.abc import Sequence

from markupsafe import Markup

from benchmark.reports.renderers.html.marks import tone

Ends = tuple[float, float]
#: Margins of equivalence that a cell's axis reaches to either side, and the stack's.
CELL_REACH, STACK_REACH = 1.5, 2.0
_WIDTH, _HEIGHT = 150.0, 15.0
_STACK_WIDTH, _STACK_MARK = 340.0, 13.0


def pixels(value: float) -> str:
    """A coordinate, short: ``12.5``, ``7``."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def distance(
    *,
    trials: Sequence[float],
    mean: float,
    interval: Ends | None,
    reach: Ends,
    band: Ends,
    dashed: bool,
    word: str,
    says: str,
) -> Markup:
    """Our trials and their mean on an axis around the paper's value.

    Args:
        trials: each less the paper's mean, in points.
        mean: of them.
        interval: of the mean's difference, or None.
        reach: the axis.
        band: the margin of equivalence or, ``dashed``, the prediction interval.
        dashed: the spread behind the band is assumed.
        word: the verdict, whose colour it has.
        says: all of it in words.
    """
    low, high = (_place(end, reach) for end in band)
    parts = [
        f'<rect class="band{" d" if dashed else ""}" x="{pixels(low)}" y=".5" width="{pixels(high - low)}" '
        f'height="{pixels(_HEIGHT - 1)}"/>',
        f'<path class="mid" d="M{pixels(_place(0, reach))} 0v{pixels(_HEIGHT)}"/>',
        *_ours(trials, mean, interval, reach),
    ]
    return _bar(parts, tone(word), says)


def strip(*, trials: Sequence[float], mean: float, reach: Ends, says: str) -> Markup:
    """Our trials on the scale of their row, where nothing is held against the paper."""
    line = f'<path class="axis" d="M0 {pixels(_HEIGHT - 0.5)}h{pixels(_WIDTH)}"/>'
    return _bar([line, *_ours(trials, mean, None, reach)], "none", says)


def _ours(trials: Sequence[float], mean: float, interval: Ends | None, reach: Ends) -> list[str]:
    ticks = "".join(f"M{pixels(_place(one, reach))} 0v4" for one in trials if reach[0] <= one <= reach[1])
    parts = [f'<path class="tick" d="{ticks}"/>'] if ticks else []
    if interval:
        low, high = (_place(end, reach) for end in interval)
        parts.append(f'<path class="ci" d="M{pixels(low)} 9.5H{pixels(high)}"/>')
    if reach[0] <= mean <= reach[1]:
        parts.append(f'<circle cx="{pixels(_place(mean, reach))}" cy="9.5" r="2.6"/>')
    else:  # an arrow head at the edge; the axis is never squeezed
        head = "M0 9.5l6-4v8z" if mean < reach[0] else f"M{pixels(_WIDTH)} 9.5l-6-4v8z"
        parts.append(f'<path d="{head}"/>')
    return parts


def _bar(parts: Sequence[str], colour: str, says: str) -> Markup:
    inner = Markup("".join(parts))
    svg = Markup('<svg class="bar {}" viewBox="0 0 150 15" role="img" aria-label="{}">{}</svg>')
    return svg.format(colour, says, inner)


def _place(value: float, reach: Ends, width: float = _WIDTH) -> float:
    """Pixels from the left, within the picture."""
    share = (value - reach[0]) / (reach[1] - reach[0])
    return width * min(1.0, max(0.0, share))


def gain(
    *, others: Sequence[float], value: float | None, interval: Ends | None, paper: float | None, reach: float, word: str
) -> Markup:
    """A claim's gains on an axis whose middle is no difference: all parts small, one with its interval, the paper's."""
    ends = (-reach, reach)

    def x(at: float) -> str:
        return pixels(5 + _place(at, ends, 230.0))

    parts = [f'<path class="mid" d="M{x(0)} 1v16"/>']
    parts += [f'<circle class="other" cx="{x(one)}" cy="9" r="1.8"/>' for one in others]
    if interval:
        parts.append(f'<path class="ci" d="M{x(interval[0])} 9H{x(interval[1])}"/>')
    if value is not None:
        parts.append(f'<circle cx="{x(value)}" cy="9" r="3.4"/>')
    if paper is not None:
        parts.append(f'<path class="paper" d="M{x(paper)} 4.2l4.8 4.8-4.8 4.8-4.8-4.8z"/>')
    inner = Markup("".join(parts))
    return Markup('<svg class="gain {}" viewBox="0 0 240 18" aria-hidden="true">{}</svg>').format(tone(word), inner)


def stack(cells: Sequence[tuple[float, str, str]]) -> Markup:
    """All cells that differ from the paper by so many margins, as marks piled up on one axis.

    Args:
        cells: the distance in margins, the shape and the word of each.
    """
    columns: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    half = int(_STACK_WIDTH / 2 / _STACK_MARK) - 1
    per_margin = half / STACK_REACH
    for margins, shape, word in sorted(cells):
        columns[round(min(half, max(-half, margins * per_margin)))].append((shape, word))
    tallest = max((len(column) for column in columns.values()), default=0)
    floor, middle = max(3, tallest) * _STACK_MARK + 6, _STACK_WIDTH / 2

    def x(margins: float) -> float:
        return middle + margins * per_margin * _STACK_MARK

    parts = [
        f'<path class="band" d="M{pixels(x(-1))} .5H{pixels(x(1))}V{pixels(floor)}H{pixels(x(-1))}z"/>',
        f'<path class="mid" d="M{pixels(middle)} 0v{pixels(floor)}"/>',
        f'<path class="axis" d="M0 {pixels(floor)}h340"/>',
    ]
    for place, column in columns.items():
        left = middle + (place - 0.5) * _STACK_MARK
        for level, (shape, word) in enumerate(column, start=1):
            at = f'x="{pixels(left + 0.5)}" y="{pixels(floor - level * _STACK_MARK)}" width="12" height="12"'
            parts.append(f'<use class="{tone(word)}" href="#m-{shape}" {at}/>')
    for margins, label in ((-2, "≤ −2δ"), (-1, "−δ"), (0, "paper"), (1, "+δ"), (2, "≥ +2δ")):
        anchor = {-2: "start", 2: "end"}.get(margins, "middle")
        edge = {-2: 0.0, 2: _STACK_WIDTH}.get(margins, x(margins))
        parts.append(f'<text x="{pixels(edge)}" y="{pixels(floor + 15)}" text-anchor="{anchor}">{label}</text>')
    inner = Markup("".join(parts))
    box = f"0 0 340 {pixels(floor + 20)}"
    return Markup('<svg class="stack" viewBox="{}" aria-hidden="true">{}</svg>').format(box, inner)
