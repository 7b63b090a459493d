"""The sheet that every plot stands on: its question, what it is made of, a legend that wraps, notes below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import INCOMPLETE, MUTED, Style
from benchmark.reports.figures.subject import Spot, Subject
from benchmark.reports.figures.text import width, wrapped

WIDTH, MARGIN = 760.0, 16.0
_TITLE, _SMALL, _LINE = 16.0, 12.0, 17.0
_KEY, _GAP = 30.0, 20.0  # a key's drawing, and what parts it from the next

#: Dashes of the paper's lines.
DOTTED = (1.5, 2.5)
#: Marks of no series of their own.
NEUTRAL = Style("disc", MUTED)


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    label: str
    style: Style = NEUTRAL
    how: Literal["ours", "paper", "seed", "faint", "mark", "line", "thin", "dotted", "level", "bound"] = "ours"


def keys(spots: Sequence[Spot], *, what: str = "mean", printed: str = "") -> list[Key]:
    """What filled, hollow, small and faint marks mean in every plot, those that it has."""
    out = []
    if any(spot.mean is not None for spot in spots):
        out += [Key(f"ours, 95 % interval of the {what}"), Key("one seed", how="seed")]
    if any(spot.printed is not None for spot in spots):
        printed = printed or (", ± as printed" if any(spot.spread for spot in spots) else ", no ± printed")
        out.append(Key(f"the paper{printed}", how="paper"))
    if partial := sorted({spot.incomplete for spot in spots} - {""}):
        out.append(Key(f"fainter: {' or '.join(partial)} trials", how="faint"))
    return out


def begin(subject: Subject, question: str) -> tuple[Canvas, float]:
    """A canvas with its head, and where its content begins."""
    suite, (done, planned) = subject.suite, subject.table.runs
    profile = f"Profile {suite.variant.reports_name}, {done} of {planned} runs"
    if not suite.variant.against_paper and done:
        profile += f": {subject.table.trained}"
    if suite.variant.profile.judges == "nothing":
        profile += ". It shows that everything runs; nothing is judged"
    for shown, all_of, what in (
        (subject.rows, subject.table.rows, "rows"),
        ((*subject.columns, *subject.costs), subject.table.columns, "columns"),
    ):
        if len(shown) < len(all_of):
            profile += f". {len(shown)} of {len(all_of)} {what} are drawn, the CSV has all"
    return head(question, [text for text in (subject.table.title, profile) if text != question])


def head(title: str, below: Sequence[str], canvas_width: float = WIDTH) -> tuple[Canvas, float]:
    """Title and what stands below it; where the content begins."""
    canvas, y = Canvas(canvas_width, title=". ".join((title.rstrip("?"), *below))), 26.0
    room = canvas_width - 2 * MARGIN
    for line in wrapped(title, _TITLE, room, bold=True, lines=3):
        canvas.text(MARGIN, y, line, _TITLE, bold=True)
        y += 20
    for text in below:
        for line in wrapped(text, _SMALL, room, lines=3):
            canvas.text(MARGIN, y, line, _SMALL, colour=MUTED)
            y += _LINE
    return canvas, y - 4


def legend(canvas: Canvas, entries: Sequence[Key], y: float) -> float:
    """Keys in lines as long as the canvas allows; where it ends below."""
    x = MARGIN
    for key in entries:
        lines = wrapped(key.label, _SMALL, canvas.width - 2 * MARGIN - _KEY, lines=2)
        needs = _KEY + max(width(line, _SMALL) for line in lines)
        if x > MARGIN and x + needs > canvas.width - MARGIN:
            x, y = MARGIN, y + _LINE + 1
        _draw_key(canvas, key, x, y + 8)
        for index, line in enumerate(lines):
            canvas.text(x + _KEY, y + 12 + index * _LINE, line, _SMALL)
        y += _LINE * (len(lines) - 1)
        x += needs + _GAP
    return y + _LINE + 3


def _draw_key(canvas: Canvas, key: Key, x: float, y: float) -> None:
    style, middle, end = key.style, x + 11, x + 22
    if key.how == "seed":
        for offset in (-6, 0, 6):
            canvas.disc(middle + offset, y, 1.7, style.colour)
        return
    if key.how == "bound":
        canvas.line((middle, y - 8), (middle, y + 8), colour=style.colour, width=1.4, dash=(3, 2))
        return
    if key.how == "thin":
        canvas.line((x, y), (end, y), colour=style.colour, width=0.7, opacity=0.55)
        return
    dash = DOTTED if key.how == "dotted" else style.dash
    faint = INCOMPLETE if key.how == "faint" else 1.0
    if key.how != "mark":
        canvas.line((x, y), (end, y), colour=style.colour, width=1.5, dash=dash, opacity=faint)
    if key.how in ("ours", "faint", "mark"):
        canvas.marker(middle, y, style, opacity=faint)
    elif key.how == "paper":
        canvas.marker(middle, y, Style("diamond" if style is NEUTRAL else style.marker, style.colour), hollow=True)
    elif key.how == "level":
        canvas.box(x, y - 5, end, y + 5, style.colour, 0.15)


def notes(canvas: Canvas, lines: Sequence[str], y: float) -> float:
    """Sentences below the content; where they end."""
    for text in lines:
        for line in wrapped(text, _SMALL, canvas.width - 2 * MARGIN, lines=4):
            canvas.text(MARGIN, y + 12, line, _SMALL, colour=MUTED)
            y += _LINE
    return y


def finish(canvas: Canvas, y: float) -> Canvas:
    """The canvas cut to its content."""
    canvas.height = float(round(y + 10))
    return canvas


def nothing_yet(canvas: Canvas, y: float) -> Canvas:
    """A plot without anything to draw says so."""
    canvas.text(MARGIN, y + 24, "No results yet.", 14, colour=MUTED)
    return finish(canvas, y + 30)


def opacity(spot: Spot) -> float:
    """Fainter where trials are missing."""
    return INCOMPLETE if spot.incomplete else 1.0


def not_run(names: Sequence[str], what: str = "not run") -> list[str]:
    """One line for everything that is empty."""
    return [f"{what}: {', '.join(names)}"] if names else []


def sentence(text: str) -> str:
    """With a capital at its beginning."""
    return text[:1].upper() + text[1:]
