"""Scores by row on one axis: what a manifest of one's own gets."""

from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.forest import Line, forest
from benchmark.reports.figures.palette import style
from benchmark.reports.figures.sheet import Key, begin, finish, keys, legend, not_run, notes, nothing_yet
from benchmark.reports.figures.subject import Subject


def dots(subject: Subject, question: str) -> Canvas:
    """Every column of scores has a line in every row."""
    canvas, y = begin(subject, question)
    rows = [
        Line(row, [(style(index), subject.spot(row, column)) for index, column in enumerate(subject.columns)])
        for row in subject.rows
    ]
    if not any(line.has_any for line in rows):
        return nothing_yet(canvas, y)
    entries = (
        [Key(name, style(index)) for index, name in enumerate(subject.columns)] if len(subject.columns) > 1 else []
    )
    y = legend(canvas, [*entries, *keys([spot for line in rows for _, spot in line.spots])], y)
    y = forest(canvas, rows, y + 4, title=subject.unit)
    empty = [line.label for line in rows if not line.has_any]
    empty += subject.costs
    return finish(canvas, notes(canvas, not_run(empty), y))
