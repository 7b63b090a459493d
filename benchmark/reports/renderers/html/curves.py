"""A cell's trials over the epochs, from the results' histories.

Each run's line is drawn once in the page, in units of epochs and tenths of a percent; a cell's picture places the lines
of its trials on its own axes.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from benchmark.reports.renderers.html.bars import pixels
from benchmark.results.plausible import is_number

#: Points of a line, at most.
MOST_POINTS = 60
_WIDTH, _HEIGHT = 420.0, 120.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 52.0, 8.0, 20.0
#: Pixels between two seeds' labels.
_LABEL = 14.0


@dataclass(frozen=True)
class Line:
    """One run's accuracies in percent, by epoch, and the epochs before which the learning rate fell."""

    run_id: str
    seed: int
    epochs: tuple[int, ...]
    values: tuple[float, ...]
    decays: tuple[int, ...]


@dataclass
class Lines:
    """The lines that the page's pictures use, each once; filled while the pictures are made."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def use(self, line: Line, prediction: str) -> str:
        """The id of a run's line for one of its predictions."""
        key = (line.run_id, prediction)
        if key not in self.names:
            path = _path(line)
            self.names[key] = name = f"l{len(self.names)}"
            self.paths[name] = path
        return self.names[key]

    def symbols(self) -> Markup:
        """All lines, to stand once in the page."""
        return Markup("").join(
            Markup('<path class="ln" id="{}" d="{}"/>').format(name, path) for name, path in self.paths.items()
        )


def line_of(run_id: str, seed: int, history: Sequence[Mapping[str, Any]], prediction: str) -> Line | None:
    """A run's line for one prediction; None where its history doesn't have it in every epoch."""
    values = _numbers(history, prediction)
    rates = _numbers(history, "learning_rate")
    if len(values) < 2 or len(values) != len(history):
        return None
    falls = [place + 1 for place, (before, after) in enumerate(itertools.pairwise(rates)) if after < before]
    kept = _kept(len(values), falls)
    return Line(
        run_id,
        seed,
        tuple(place + 1 for place in kept),
        tuple(values[place] for place in kept),
        tuple(place + 1 for place in falls),
    )


def _numbers(history: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [float(entry[name]) for entry in history if is_number(entry.get(name))]


def _kept(count: int, falls: Sequence[int]) -> list[int]:
    """Which epochs a line shows: evenly spaced ones, the first, the last, and the first after each fall."""
    room = MOST_POINTS - len(falls[: MOST_POINTS // 2])
    if count <= room:
        return list(range(count))
    even = {round(step * (count - 1) / (room - 1)) for step in range(room)}
    return sorted(even | set(falls[: MOST_POINTS // 2]))


def _path(line: Line) -> str:
    """In whole units, relative, for half the bytes."""
    points = [(epoch, -round(10 * value)) for epoch, value in zip(line.epochs, line.values, strict=True)]
    steps = [f"{x - x0} {y - y0}".replace(" -", "-") for (x0, y0), (x, y) in itertools.pairwise(points)]
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}"


def draw(found: Sequence[Line], prediction: str, lines: Lines, *, error: bool, paper: float | None) -> Markup | None:
    """The trials of a cell.

    Args:
        found: a line a trial.
        prediction: which of a run's predictions they show.
        lines: where they are kept.
        error: the table prints errors, 100 less the accuracy.
        paper: the paper's number in the table's units, drawn as a level.
    """
    if not found:
        return None
    shown = [100 - value if error else value for line in found for value in line.values]
    shown += [] if paper is None else [paper]
    low, high = min(shown), max(shown)
    low, high = (low - 1, high + 1) if high - low < 1 else (low, high)
    last = max(line.epochs[-1] for line in found)
    across = (_WIDTH - _LEFT - _RIGHT) / max(1, last - 1)
    down = (_HEIGHT - _TOP - _BOTTOM) / (high - low)

    def y(value: float) -> float:
        return _TOP + (high - value) * down

    floor, edge = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    falls = sorted({epoch for line in found for epoch in line.decays})
    ticks = "".join(f"M{pixels(_LEFT + (epoch - 1) * across)} {pixels(floor)}v-5" for epoch in falls)
    parts = [f'<path class="axis" d="M{pixels(_LEFT)} {pixels(floor)}H{pixels(edge)}{ticks}"/>']
    if paper is not None:
        parts.append(f'<path class="level" d="M{pixels(_LEFT)} {pixels(y(paper))}H{pixels(edge)}"/>')
    # accuracies are stored as −10 · percent, downwards; an error turns them round
    scale, shift = (-down / 10, y(100.0)) if error else (down / 10, y(0.0))
    place = f"matrix({across:.5g} 0 0 {scale:.5g} {_LEFT - across:.5g} {shift:.6g})"
    uses = "".join(f'<use href="#{lines.use(line, prediction)}"/>' for line in found)
    parts.append(f'<g class="line" transform="{place}">{uses}</g>')
    parts += _labels(found, error, y, edge)
    parts += [
        _text(_LEFT - 5, _TOP + 4, "end", f"{high:.1f}"),
        _text(_LEFT - 5, floor + 4, "end", f"{low:.1f}"),
        _text(edge, _HEIGHT - 4, "end", f"epoch {last}"),
    ]
    inner = Markup("".join(parts))
    return Markup('<svg class="curve" viewBox="0 0 420 120" aria-hidden="true">{}</svg>').format(inner)


def _labels(found: Sequence[Line], error: bool, y: Callable[[float], float], edge: float) -> list[str]:
    """Seeds at the lines' ends, pushed apart where they would touch."""
    ends = sorted((y(100 - line.values[-1] if error else line.values[-1]) + 4, line.seed) for line in found)
    lowest, parts = -1e9, []
    bottom = _HEIGHT - _BOTTOM + 4
    room = bottom - _LABEL * (len(ends) - 1)
    for place, (at, seed) in enumerate(ends):
        at = max(lowest + _LABEL, min(at, room + place * _LABEL))
        lowest = at
        parts.append(_text(edge + 5, at, "start", f"seed {seed}"))
    return parts


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{pixels(x)}" y="{pixels(y)}" text-anchor="{anchor}">{words}</text>'
