"""Did the trainings converge, and do the trials agree? A panel a row, a line a trial, a thick one their mean."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmark.reports.figures.axes import Scale, around, ticks, x_axis, y_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import INK, MUTED, Style, style
from benchmark.reports.figures.sheet import MARGIN, Key, begin, finish, legend, not_run, notes, nothing_yet, sentence
from benchmark.reports.figures.subject import Subject
from benchmark.reports.figures.text import cut
from benchmark.results.store import Result

_ACROSS, _HEIGHT, _GAP, _LEFT = 3, 130.0, 26.0, 40.0
_MOST_POINTS, _MOST_PANELS = 60, 30
#: A first column of this name is what the others are held against.
_BASE = "Baseline"

Curve = Mapping[int, float]


@dataclass(frozen=True)
class _Training:
    """An entry's trials, each a score by epoch, in the style of the first column that reads it."""

    label: str
    style: Style
    trials: tuple[Curve, ...]
    decays: tuple[int, ...]
    printed: float | None

    @property
    def mean(self) -> Curve:
        """Over the trials, at the epochs that all of them have."""
        shared = set.intersection(*(set(trial) for trial in self.trials))
        return {epoch: statistics.fmean(trial[epoch] for trial in self.trials) for epoch in sorted(shared)}


def curves(subject: Subject) -> Canvas:
    """Every row that has results gets a panel; all panels of one dataset share the scale of scores."""
    canvas, y = begin(subject, "Did the trainings converge, and do the trials agree?")
    panels = {row: found for row in subject.rows[:_MOST_PANELS] if (found := _trainings(subject, row))}
    if not panels:
        return nothing_yet(canvas, y)
    labels = {one.label: one.style for trainings in panels.values() for one in trainings}
    entries = [Key(label, look, "line") for label, look in labels.items()] if len(labels) > 1 else []
    entries += [Key("mean of the trials", Style("", INK), "line"), Key("one trial", Style("", INK), "thin")]
    if any(one.printed is not None for trainings in panels.values() for one in trainings):
        entries.append(Key("the paper", how="paper"))
    y = legend(canvas, entries, y)
    canvas.text(MARGIN, y + 14, f"{sentence(subject.unit)}, by epoch", 12)
    y += 30
    datasets = {reading.dataset for reading in subject.judged.readings.values()}
    shared = None if len(datasets) > 1 else [one for trainings in panels.values() for one in trainings]
    share = (canvas.width - 2 * MARGIN - _GAP * (_ACROSS - 1)) / _ACROSS
    end = y
    for index, (row, trainings) in enumerate(panels.items()):
        if index and index % _ACROSS == 0:
            y = end + 14
        left = MARGIN + (index % _ACROSS) * (share + _GAP) + _LEFT
        canvas.text(left - _LEFT, y + 4, cut(row, 12, share + _GAP - 6, bold=True), 12, bold=True)
        end = _panel(canvas, trainings, left, y + 12, left + share - _LEFT, _range(shared or trainings))
    below = not_run([row for row in subject.rows[:_MOST_PANELS] if row not in panels])
    below += ["Upright lines: the learning rate falls. Scales begin above the first fifth of the epochs."]
    return finish(canvas, notes(canvas, below, end + 2))


def _looks(subject: Subject) -> dict[str, Style]:
    """A style a column: a baseline is grey, so that the others look as in the plot of gains; else by training."""
    first, *others = subject.columns
    if first == _BASE:
        return {first: Style("disc", MUTED), **{name: style(index) for index, name in enumerate(others)}}
    readers: dict[str, str] = {}
    for (_, column), reading in subject.judged.readings.items():
        readers.setdefault(reading.entry, column)
    trained = [name for name in subject.columns if name in readers.values()]
    return {name: style(trained.index(name) if name in trained else 0) for name in subject.columns}


def _trainings(subject: Subject, row: str) -> list[_Training]:
    """The row's different entries that have histories."""
    looks = _looks(subject)
    found: dict[str, _Training] = {}
    for column in subject.columns:
        cell = subject.judged.cells.get((row, column))
        if cell is None or cell.reading is None or cell.reading.entry in found:
            continue
        trials = [(result, curve) for result in cell.results if (curve := _curve(subject, result, cell.cell.reads))]
        if trials:
            printed = subject.spot(row, column).printed
            decays = _decays(trials[0][0])
            found[cell.reading.entry] = _Training(
                column, looks[column], tuple(curve for _, curve in trials), decays, printed
            )
    return list(found.values())


def _curve(subject: Subject, result: Result, prediction: str) -> Curve:
    """A trial's score by epoch, at epochs enough to draw; empty where it has no such prediction.

    Results whose histories are not whole never come here (``results.plausible``).
    """
    history = result.history
    if not history or prediction not in history[0]:
        return {}
    sign, base = (-1.0, 100.0) if subject.lower_is_better else (1.0, 0.0)
    step = max(1, len(history) // (_MOST_POINTS - 12))
    kept = {*range(0, len(history), step), len(history) - 1, *(epoch - 1 for epoch in _decays(result)[:8])}
    return {index + 1: base + sign * history[index][prediction] for index in sorted(kept)}


def _decays(result: Result) -> tuple[int, ...]:
    """Epochs whose learning rate is below the one's before."""
    rates = [entry["learning_rate"] for entry in result.history]
    return tuple(epoch for epoch, (before, after) in enumerate(pairwise(rates), start=2) if after < before * 0.99)


def _range(trainings: Sequence[_Training]) -> list[float]:
    """Every score but those of the first fifth of the epochs, which would press the rest flat."""
    values = [one.printed for one in trainings if one.printed is not None]
    for one in trainings:
        for trial in one.trials:
            late = max(trial) / 5
            values += [value for epoch, value in trial.items() if epoch > late]
    return values


def _panel(
    canvas: Canvas, trainings: Sequence[_Training], left: float, top: float, right: float, values: list[float]
) -> float:
    """One row's lines; where it ends below."""
    bottom = top + _HEIGHT
    last = max(epoch for one in trainings for trial in one.trials for epoch in trial)
    y = around(values, bottom - 4, top + 4)
    x = Scale(0, max(last, 2), left + 2, right - 10)
    y_axis(canvas, y, left, right, values=ticks(y.low, y.high, 3))
    for decay in trainings[0].decays:
        canvas.line((x(decay), top), (x(decay), bottom), colour=MUTED, width=0.8, dash=(2, 3))
    for one in trainings:
        for trial in one.trials:
            _line(canvas, trial, one.style, x, y, 0.7, 0.55)
    for one in trainings:
        _line(canvas, one.mean, one.style, x, y, 1.7, 1.0)
        if one.printed is not None:
            canvas.marker(right - 4, y(one.printed), one.style, size=3.2, hollow=True)
    return x_axis(canvas, x, bottom, bottom, values=ticks(0, last, 3))


def _line(canvas: Canvas, curve: Curve, look: Style, x: Scale, y: Scale, width: float, opacity: float) -> None:
    """A line through its points, those above the picture's lower edge or below its upper one."""
    points = [(x(epoch), y(value)) for epoch, value in curve.items() if y.has(value)]
    if len(points) > 1:
        dash = look.dash if opacity == 1 else ()
        canvas.line(*points, colour=look.colour, width=width, dash=dash, opacity=opacity)
