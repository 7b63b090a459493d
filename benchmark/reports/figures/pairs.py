"""What adding something changes: an arrow from each method to the same method with it."""

import re
from collections import Counter

from benchmark.reports.figures.axes import Scale, around, x_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.forest import across
from benchmark.reports.figures.palette import INK, MUTED, PANEL, SERIES
from benchmark.reports.figures.sheet import (
    DOTTED,
    MARGIN,
    NEUTRAL,
    Key,
    begin,
    finish,
    keys,
    legend,
    not_run,
    notes,
    nothing_yet,
)
from benchmark.reports.figures.subject import Spot, Subject
from benchmark.reports.figures.text import cut, width

_WITHOUT, _WITH = SERIES[0], SERIES[1]
_ADDED = re.compile(r"(.*\S) \+ (\S+)( \(ours\))?")
_ROW, _BARE, _SIZE = 62.0, 30.0, 12.0


def pairs(subject: Subject, question: str) -> Canvas:
    """Rows whose name is another's with `` + X`` behind it; a row without a partner is a level across."""
    canvas, y = begin(subject, question)
    column, found = subject.columns[0], _pairs(subject)
    partners = {name for pair in found for name in pair}
    levels = [(row, subject.spot(row, column)) for row in subject.rows if row not in partners]
    levels = [(row, spot) for row, spot in levels if spot.drawn]
    drawn = [pair for pair in found if any(subject.spot(row, column).drawn for row in pair)]
    if not drawn and not levels:
        return nothing_yet(canvas, y)
    added = _ADDED.fullmatch(found[0][1]) if found else None
    what = added[2] if added else ""
    spots = [subject.spot(row, column) for pair in drawn for row in pair]
    entries = [Key("the method", _WITHOUT, "mark"), Key(f"the method + {what}", _WITH, "mark")]
    entries += [Key(f"{row}, ours", NEUTRAL, "level") for row, spot in levels if spot.mean is not None]
    entries += [Key(f"{row}, the paper", NEUTRAL, "dotted") for row, spot in levels if spot.printed is not None]
    y = legend(canvas, [*entries, *keys(spots)], y) + 4
    names = {pair: pair[0].removeprefix("+ ") for pair in drawn}
    left = MARGIN + min(170.0, max((width(name, 13, bold=True) for name in names.values()), default=0)) + 12
    texts = {pair: _changes(subject, pair, column) for pair in drawn}
    beside = max((width(text, _SIZE) for lines in texts.values() for text in lines), default=0.0)
    right = canvas.width - MARGIN - beside - 12
    every = [value for spot in [*spots, *(spot for _, spot in levels)] for value in spot.drawn]
    reach = [end for spot in spots for end in spot.interval or ()]
    scale = around(every, left + 8, right - 8, reach=reach)
    canvas.text(canvas.width - MARGIN, y + 12, "change in points", _SIZE, "end", colour=MUTED)
    y += 18
    heights = {pair: _ROW if _has_ours(subject, pair, column) else _BARE for pair in drawn}
    bottom = y + sum(heights.values())
    top = y
    for index, pair in enumerate(drawn):
        if index % 2 == 0:
            canvas.box(MARGIN - 6, top, canvas.width - MARGIN + 6, top + heights[pair], PANEL)
        top += heights[pair]
    arrow = "← " if subject.lower_is_better else ""
    end = x_axis(canvas, scale, y, bottom, title=f"{arrow}{subject.unit}")
    for _, spot in levels:
        _level(canvas, spot, scale, y, bottom)
    for pair in drawn:
        middle = y + heights[pair] / 2
        ours = _has_ours(subject, pair, column)
        canvas.text(MARGIN, middle + 4.5, cut(names[pair], 13, left - MARGIN - 12, bold=ours), 13, bold=ours)
        _pair(canvas, [subject.spot(row, column) for row in pair], scale, middle)
        for index, text in enumerate(texts[pair]):
            line = middle + 4 + 16 * (index - (len(texts[pair]) - 1) / 2)
            canvas.text(canvas.width - MARGIN, line, text, _SIZE, "end", colour=MUTED if "paper" in text else INK)
        y += heights[pair]
    empty = [name for pair in found if pair not in drawn for name in pair]
    return finish(canvas, notes(canvas, not_run(empty), end))


def _pairs(subject: Subject) -> list[tuple[str, str]]:
    """Methods without and with what most of such rows add."""
    found = [(match[1], row, match[2]) for row in subject.rows if (match := _ADDED.fullmatch(row))]
    found = [one for one in found if one[0] in subject.rows]
    added = Counter(what for _, _, what in found).most_common(1)
    return [(plain, row) for plain, row, what in found if what == added[0][0]]


def _has_ours(subject: Subject, pair: tuple[str, str], column: str) -> bool:
    return any(subject.spot(row, column).mean is not None for row in pair)


def _pair(canvas: Canvas, spots: list[Spot], scale: Scale, y: float) -> None:
    """The paper's arrow above, ours below with interval and seeds at both ends."""
    ours = any(spot.mean is not None for spot in spots)
    above = y - 17 if ours else y
    if all(spot.printed is not None for spot in spots):
        a, b = (scale(spot.printed) for spot in spots if spot.printed is not None)
        _arrow(canvas, a, b, above, 1.0)
    for spot, look in zip(spots, (_WITHOUT, _WITH), strict=True):
        if spot.printed is not None:
            canvas.marker(scale(spot.printed), above, look, size=3.8, hollow=True)
    if all(spot.mean is not None for spot in spots):
        a, b = (scale(spot.mean) for spot in spots if spot.mean is not None)
        _arrow(canvas, a, b, y + 12, 2.0)
    for spot, look in zip(spots, (_WITHOUT, _WITH), strict=True):
        bare = Spot(seeds=spot.seeds, mean=spot.mean, interval=spot.interval, trials=spot.trials, wanted=spot.wanted)
        across(canvas, look, bare, scale, y + 12)


def _arrow(canvas: Canvas, start: float, end: float, y: float, width_of: float) -> None:
    """From one mark towards another, with a head where there is room for one."""
    if abs(end - start) < 14:
        canvas.line((start, y), (end, y), colour=INK, width=width_of)
        return
    way = 1 if end > start else -1
    tip = end - way * 6
    canvas.line((start, y), (tip, y), colour=INK, width=width_of)
    canvas.line((tip - way * 5, y - 4), (tip, y), (tip - way * 5, y + 4), colour=INK, width=1.4)


def _level(canvas: Canvas, spot: Spot, scale: Scale, top: float, bottom: float) -> None:
    if spot.interval:
        left, right = map(scale.within, spot.interval)
        canvas.box(left, top, right, bottom, NEUTRAL.colour, 0.15)
    if spot.mean is not None:
        canvas.line((scale(spot.mean), top), (scale(spot.mean), bottom), colour=NEUTRAL.colour, width=1.6)
    if spot.printed is not None:
        x = scale(spot.printed)
        canvas.line((x, top), (x, bottom), colour=NEUTRAL.colour, width=1.6, dash=DOTTED)


def _changes(subject: Subject, pair: tuple[str, str], column: str) -> list[str]:
    """What the second changes, ours with its interval and the paper's, in the table's own units."""
    gain = subject.gain((pair[1], column), (pair[0], column))
    sign, out = -1 if subject.lower_is_better else 1, []
    if gain.printed is not None:
        out.append(f"paper {sign * gain.printed:+.2f}")
    if gain.mean is not None:
        text = f"ours {sign * gain.mean:+.2f}"
        if gain.interval:
            low, high = sorted(sign * end for end in gain.interval)
            text += f" [{low:+.2f} to {high:+.2f}]"
        out.append(text + (f", {gain.incomplete}" if gain.incomplete else ""))
    return [text.replace("-", "−") for text in out]
