"""How much better than a base: a row a network or dataset, points above its baseline."""

from benchmark.reports.figures.axes import signed
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.forest import Line, forest
from benchmark.reports.figures.palette import style
from benchmark.reports.figures.sheet import Key, begin, finish, keys, legend, not_run, notes, nothing_yet
from benchmark.reports.figures.subject import Spot, Subject


def over_first_column(subject: Subject, question: str) -> Canvas:
    """Every other column less the first, by row."""
    base, *others = subject.columns
    rows = [
        Line(
            row,
            [(style(index), subject.gain((row, column), (row, base))) for index, column in enumerate(others)],
            _base(subject.spot(row, base)),
        )
        for row in subject.rows
    ]
    return _draw(subject, question, rows, others, base)


def over_first_row(subject: Subject, question: str) -> Canvas:
    """Every other row less the first, by column."""
    base, *others = subject.rows
    rows = [
        Line(
            column,
            [(style(index), subject.gain((row, column), (base, column))) for index, row in enumerate(others)],
            _base(subject.spot(base, column)),
        )
        for column in subject.columns
    ]
    return _draw(subject, question, rows, others, base)


def _draw(subject: Subject, question: str, rows: list[Line], series: list[str], base: str) -> Canvas:
    canvas, y = begin(subject, question)
    if not any(line.has_any for line in rows):
        return nothing_yet(canvas, y)
    entries = [Key(name, style(index)) for index, name in enumerate(series)]
    spots = [spot for line in rows for _, spot in line.spots]
    y = legend(canvas, [*entries, *keys(spots, what="gain", printed=", difference of printed means")], y)
    printed = " · paper" if any("·" in line.right for line in rows) else ""
    right = f"{base}, %: ours{printed}"
    y = forest(canvas, rows, y + 4, title=f"points better than {base}", right_title=right, label=signed, zero=True)
    return finish(canvas, notes(canvas, not_run([line.label for line in rows if not line.has_any]), y))


def _base(spot: Spot) -> str:
    ours = "–" if spot.mean is None else f"{spot.mean:.2f}"
    ours += f" ({spot.incomplete})" if spot.incomplete else ""
    return ours if spot.printed is None else f"{ours} · {spot.printed:.2f}"
