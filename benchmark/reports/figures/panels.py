"""Scores over a number in panels with one scale: layers over K, and how many classifiers."""

from benchmark.reports.figures import lines
from benchmark.reports.figures.axes import around, x_axis, y_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.lines import Series
from benchmark.reports.figures.numbered import LEFT, numbered, row_variable, spots, x_scale
from benchmark.reports.figures.palette import SERIES, Style, style
from benchmark.reports.figures.sheet import MARGIN, begin, finish, keys, legend, not_run, notes, nothing_yet, sentence
from benchmark.reports.figures.subject import Subject

_HEIGHT, _LOW = 300.0, 150.0


def layers(subject: Subject, question: str) -> Canvas:
    """A panel an inference, the last word of the columns' names; a line a layer; K in equal steps of its double."""
    rows = numbered(subject)
    names = list(dict.fromkeys(column.rsplit(" ", 1)[0] for column in subject.columns))
    panels = {}
    for kind in dict.fromkeys(column.rsplit(" ", 1)[-1] for column in subject.columns):
        panels[kind] = [
            Series(name, style(index), spots(subject, rows, f"{name} {kind}"), 9.0 * (index - (len(names) - 1) / 2))
            for index, name in enumerate(names)
        ]
    return _panels(subject, question, panels)


def classifiers(subject: Subject, question: str) -> Canvas:
    """One panel; colour and dash say what is trained, the marker how it is read: the last word of a column's name."""
    rows = numbered(subject)
    trained = list(dict.fromkeys(column.rsplit(" ", 1)[0] for column in subject.columns))
    kinds = list(dict.fromkeys(column.rsplit(" ", 1)[-1] for column in subject.columns))
    series = []
    for index, column in enumerate(subject.columns):
        name, kind = column.rsplit(" ", 1)
        look = SERIES[trained.index(name) % len(SERIES)]
        drawn = Style(SERIES[kinds.index(kind) % len(SERIES)].marker, look.colour, look.dash)
        aside = 22.0 * (index - (len(subject.columns) - 1) / 2)
        series.append(Series(column, drawn, spots(subject, rows, column), aside))
    return _panels(subject, question, {"": series})


def _panels(subject: Subject, question: str, panels: dict[str, list[Series]]) -> Canvas:
    """Panels side by side with one scale; the names of lines stand beside the last."""
    canvas, y = begin(subject, question)
    every = [one for series in panels.values() for one in series]
    values = [value for one in every for value in one.values]
    if not values:
        return nothing_yet(canvas, y)
    y = legend(canvas, keys([spot for one in every for _, spot in one.spots]), y) + 8
    rows = numbered(subject)
    drawn = {at for one in every for at, spot in one.spots if spot.drawn}
    top = y + (38 if any(panels) else 20)
    bottom = top + (_HEIGHT if len(drawn) > 1 else _LOW)
    scale = around(values, bottom - 8, top + 8, reach=[end for one in every for end in one.reach])
    canvas.text(MARGIN, y + 10, sentence(subject.unit), 12)
    room, gap, end = lines.names_room(every), 24.0, bottom
    share = (canvas.width - MARGIN - room - LEFT - gap * (len(panels) - 1)) / len(panels)
    places = [number for number, _ in rows]
    for index, (kind, series) in enumerate(panels.items()):
        left = LEFT + index * (share + gap)
        x = x_scale(places, left, left + share, max(abs(one.aside) for one in series))
        y_axis(canvas, scale, left, left + share, labelled=not index)
        canvas.text(left + share / 2, top - 8, kind, 13, "middle", bold=True)
        title = row_variable(rows[0][1]) or subject.table.corner
        end = x_axis(canvas, x, top, bottom, title=title, values=places)
        lines.draw(canvas, series, x, scale)
        if index == len(panels) - 1:
            lines.label_ends(canvas, series, left + share, scale)
    empty = [row for at, row in rows if at not in drawn]
    return finish(canvas, notes(canvas, [*not_run(empty), *subject.suite.manifest.footnotes[:1]], end + 2))
