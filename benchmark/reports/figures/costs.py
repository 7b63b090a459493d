"""What accuracy costs: a panel a cost, overhead in equal steps of its double against accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.reports.figures.axes import Scale, around, x_axis, y_axis
from benchmark.reports.figures.canvas import Anchor, Box, Canvas, Text
from benchmark.reports.figures.dots import dots
from benchmark.reports.figures.palette import MUTED, Style, style
from benchmark.reports.figures.sheet import (
    MARGIN,
    begin,
    finish,
    keys,
    legend,
    notes,
    opacity,
    sentence,
)
from benchmark.reports.figures.subject import Spot, Subject
from benchmark.reports.figures.text import cut
from benchmark.runs.metrics import PROCESS_MEMORY

_HEIGHT, _STRIP, _SIZE = 250.0, 34.0, 12.0
_RATIOS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5)
_FEW_RATIOS = (0.25, 0.5, 1.0, 1.25, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class _Method:
    """A row: its style, its accuracy, and its two ratios to the first row in one cost, ours and the paper's."""

    name: str
    style: Style
    score: Spot
    ours: float | None
    paper: float | None


def costs(subject: Subject, question: str) -> Canvas:
    """A panel a column of costs; methods without an accuracy stand on a strip below."""
    canvas, y = begin(subject, question)
    panels = {column: _methods(subject, column) for column in subject.costs}
    every = [method for methods in panels.values() for method in methods]
    if not any(method.ours or method.paper for method in every):
        return dots(subject, question)
    y = legend(canvas, keys([one.score for one in every]), y) + 8
    scores = [value for one in every for value in one.score.drawn]
    strip = _STRIP if any(_is_bare(one) for one in every) else 0.0
    top, bottom = y + 20, y + 20 + (_HEIGHT if scores else 0.0)
    reach = [end for one in every for end in one.score.interval or ()]
    scale = around(scores, bottom - 8, top + 8, reach=reach)
    gap, left = 34.0, MARGIN + (60 if strip else 40)
    share = (canvas.width - MARGIN - left - gap * (len(panels) - 1)) / len(panels)
    if scores:
        canvas.text(MARGIN, y + 10, sentence(subject.unit), _SIZE)
    end = bottom
    for index, (column, methods) in enumerate(panels.items()):
        start = left + index * (share + gap)
        x = _x_scale([v for one in methods for v in (one.ours, one.paper) if v], start + 12, start + share - 12)
        if scores:
            y_axis(canvas, scale, start, start + share, labelled=not index)
        title = f"{column.split(' (')[0]}, times {subject.rows[0]}"
        values = [ratio for ratio in (_RATIOS if x.high / x.low < 2.6 else _FEW_RATIOS) if x.has(ratio)]
        end = x_axis(canvas, x, top, bottom + strip, title=title, values=values, label=lambda v: f"{v:g}×")
        if strip:
            canvas.line((start, bottom), (start + share, bottom), colour=MUTED)
            if not index:
                canvas.text(left - 6, bottom + strip / 2 + 4, "no score", _SIZE, "end", colour=MUTED)
        _panel(canvas, methods, x, scale, bottom + strip / 2)
    return finish(canvas, notes(canvas, _below(subject), end + 2))


def _methods(subject: Subject, column: str) -> list[_Method]:
    scores = subject.columns[0] if subject.columns else ""
    out = []
    for index, row in enumerate(subject.rows):
        cell = subject.table.cells.get((row, column))
        if cell is None:
            continue
        printed = cell.published.overhead_percent if cell.published and subject.suite.variant.against_paper else None
        ours, paper = (None if percent is None else 1 + percent / 100 for percent in (cell.overhead_percent, printed))
        out.append(_Method(row, style(index), subject.spot(row, scores), ours, paper))
    return out


def _is_bare(method: _Method) -> bool:
    """Whether its cost has no accuracy to stand against."""
    no_ours = method.ours is not None and method.score.mean is None
    return no_ours or (method.paper is not None and method.score.printed is None)


def _panel(canvas: Canvas, methods: Sequence[_Method], x: Scale, y: Scale, strip: float) -> None:
    taken: list[Box] = []
    places = []
    for one in methods:
        ours = None if one.ours is None else (x(one.ours), strip if one.score.mean is None else y(one.score.mean))
        printed = one.score.printed
        paper = None if one.paper is None else (x(one.paper), strip if printed is None else y(printed))
        if ours and paper:
            canvas.line(paper, ours, colour=one.style.colour)
        if paper:
            if printed is not None and one.score.spread:
                low, high = (y(printed + sign * one.score.spread) for sign in (-1, 1))
                canvas.line((paper[0], low), (paper[0], high), colour=one.style.colour)
            canvas.marker(*paper, one.style, hollow=True, size=5)
        if ours:
            _ours(canvas, one, ours, y)
        taken += [(at[0] - 6, at[1] - 6, at[0] + 6, at[1] + 6) for at in (ours, paper) if at]
        places.append((one.name, ours or paper))
    edges = min(x.start, x.end) - 12, max(x.start, x.end) + 12
    for name, at in places:
        if at:
            _name(canvas, name, at, edges, taken)


def _name(canvas: Canvas, name: str, at: tuple[float, float], edges: tuple[float, float], taken: list[Box]) -> None:
    """A method's name beside its mark, on the first side where it lies on nothing."""
    name = cut(name, _SIZE, edges[1] - edges[0] - 30)
    tries: list[tuple[float, float, Anchor]] = [
        (at[0] + 12, at[1] - 4, "start"), (at[0] - 14, at[1] - 4, "end"),
        (at[0] + 12, at[1] + 14, "start"), (at[0] - 14, at[1] + 14, "end"),
    ]  # fmt: skip
    for left, height, anchor in tries:
        box = Text(x=left, y=height, text=name, size=_SIZE, anchor=anchor).box
        apart = all(box[2] < one[0] or one[2] < box[0] or box[3] < one[1] or one[3] < box[1] for one in taken)
        if edges[0] <= box[0] and box[2] <= edges[1] and apart:
            break
    canvas.text(left, height, name, _SIZE, anchor)
    taken.append(box)


def _ours(canvas: Canvas, method: _Method, at: tuple[float, float], y: Scale) -> None:
    faint, colour = opacity(method.score), method.style.colour
    if method.score.interval:
        low, high = map(y.within, method.score.interval)
        canvas.line((at[0], low), (at[0], high), colour=colour, width=2, opacity=faint)
    for value in method.score.seeds.values():
        canvas.disc(at[0] - 8, y(value), 1.7, colour, faint)
    canvas.marker(*at, method.style, opacity=faint)


def _x_scale(ratios: Sequence[float], start: float, end: float) -> Scale:
    low, high = min([1.0, *ratios]), max([1.25, *ratios])
    room = (high / low) ** 0.08
    return Scale(low / room, high * room, start, end, ratios=True)


def _below(subject: Subject) -> list[str]:
    table, out = subject.table, []
    if table.measured_on:
        kind = " of the whole process" if table.memory_kind == PROCESS_MEMORY else ""
        out.append(f"Our costs: {table.measured_on}; memory is the peak{kind}.")
    scores = [(row, subject.spot(row, subject.columns[0])) for row in subject.rows if subject.columns]
    partial = [f"{row} {spot.incomplete}" for row, spot in scores if spot.incomplete]
    return [*out, f"Trials of the accuracies: {', '.join(partial)}."] if partial else out
