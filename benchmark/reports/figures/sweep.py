"""Scores over a number in one panel with ribbons, and levels across it for rows without a number."""

from benchmark.reports.figures import lines
from benchmark.reports.figures.axes import Scale, around, x_axis, y_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.lines import Series
from benchmark.reports.figures.numbered import LEFT, numbered, row_number, row_variable, spots, x_scale
from benchmark.reports.figures.palette import SERIES, Style, style
from benchmark.reports.figures.sheet import (
    DOTTED,
    MARGIN,
    Key,
    begin,
    finish,
    keys,
    legend,
    notes,
    nothing_yet,
    sentence,
)
from benchmark.reports.figures.subject import Spot, Subject
from benchmark.suites.claims import Part
from benchmark.verdicts.trends import spearman

_HEIGHT, _STRIP = 300.0, 120.0
_LEVEL = Style("", SERIES[4].colour)


def sweep(subject: Subject, question: str) -> Canvas:
    """One panel over the rows' number with ribbons; a row without a number is a level across it."""
    canvas, y = begin(subject, question)
    rows, levels = numbered(subject), _levels(subject)
    series = [Series(name, style(i), spots(subject, rows, name), 5.0 * i) for i, name in enumerate(subject.columns)]
    every = [spot for one in series for _, spot in one.spots]
    values = [value for spot in [*every, *levels.values()] for value in spot.drawn]
    if not values:
        return nothing_yet(canvas, y)
    entries = [Key(f"{name}, 95 % interval", _LEVEL, "level") for name, spot in levels.items() if spot.mean is not None]
    entries += [
        Key(f"{name}, the paper", _LEVEL, "dotted") for name, spot in levels.items() if spot.printed is not None
    ]
    y = legend(canvas, [*entries, *keys(every)], y) + 8
    ran = {at for one in series for at, spot in one.spots if spot.mean is not None}
    few = len(ran) < 3
    room = lines.names_room(series)
    top, bottom = y + 22, y + 22 + (_STRIP if few else _HEIGHT)
    reach = [end for spot in [*every, *levels.values()] for end in spot.interval or ()]
    scale = around(values, bottom - 8, top + 8, reach=reach)
    left, right = LEFT, canvas.width - MARGIN - room
    places = [number for number, _ in rows]
    x = x_scale(places, left, right, 5.0 * len(series), ratios=False)
    canvas.text(MARGIN, y + 10, sentence(subject.unit), 12)
    y_axis(canvas, scale, left, right)
    title = row_variable(rows[0][1]) or subject.table.corner
    end = x_axis(canvas, x, top, bottom, title=title, values=places if len(places) <= 12 else None)
    for spot in levels.values():
        _level(canvas, spot, scale, left, right)
    whole = not any(spot.incomplete for spot in every)
    lines.draw(canvas, series, x, scale, ribbon=whole and not few)
    lines.label_ends(canvas, series, right, scale)
    below = [f"{len(ran)} of {len(rows)} settings run."] if len(ran) < len(rows) else []
    below += [] if few else _trends(subject)
    return finish(canvas, notes(canvas, [*below, *subject.suite.manifest.footnotes[:1]], end + 2))


def _levels(subject: Subject) -> dict[str, Spot]:
    """The rows without a number, by their names; with the column's where a row has several."""
    found: dict[str, Spot] = {}
    for row in subject.rows:
        of_row = [(column, spot) for column in subject.columns if (spot := subject.spot(row, column)).drawn]
        if row_number(row) is None:
            found |= {row if len(of_row) == 1 else f"{row} {column}": spot for column, spot in of_row}
    return found


def _level(canvas: Canvas, spot: Spot, y: Scale, left: float, right: float) -> None:
    """Ours with its interval as a band, the paper's dotted."""
    colour = _LEVEL.colour
    if spot.interval:
        canvas.box(left, y(spot.interval[1]), right, y(spot.interval[0]), colour, 0.15)
    if spot.mean is not None:
        canvas.line((left, y(spot.mean)), (right, y(spot.mean)), colour=colour, width=1.5)
    if spot.printed is not None:
        canvas.line((left, y(spot.printed)), (right, y(spot.printed)), colour=colour, width=1.5, dash=DOTTED)


def _trends(subject: Subject) -> list[str]:
    """Spearman's correlation of setting and score over all trials, of the settings that a claim of a trend names."""
    out = []
    for claim in subject.suite.manifest.claims:
        for part in claim.parts:
            if not isinstance(part, Part) or part.kind != "trend":
                continue
            settings = part.settings or {}
            points = [
                (at, value)
                for row, at in settings.items()
                for value in subject.spot(row, part.column or "").seeds.values()
            ]
            if found := spearman(points):
                low, high = found.interval
                out.append(f"{part.label} {found.rho:+.2f} [{low:+.2f} to {high:+.2f}]".replace("-", "−"))
    return [f"Spearman’s ρ of setting and score, with its 95 % interval: {', '.join(out)}."] if out else []
