"""Scales, ticks and the frame of a panel: what is left of an axis once a plot knows what it says."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import HAIRLINE, MUTED
from benchmark.reports.figures.text import width

TICK_SIZE = 12.0


@dataclass(frozen=True)
class Scale:
    """Values on a stretch of the canvas; a scale of ratios takes equal steps for equal factors."""

    low: float
    high: float
    start: float
    end: float
    ratios: bool = False

    def __call__(self, value: float) -> float:
        """A value's place."""
        low, high, value = (math.log2(v) if self.ratios else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def has(self, value: float) -> bool:
        """Whether a value lies on it."""
        return self.low <= value <= self.high

    def within(self, value: float) -> float:
        """A value's place, or the end that it lies beyond."""
        return self(min(max(value, self.low), self.high))


def around(
    values: Sequence[float], start: float, end: float, *, reach: Sequence[float] = (), least: float = 0.4
) -> Scale:
    """A scale over all of some values, at least ``least`` long, with some room at its ends.

    ``reach`` are ends of intervals: they lengthen it too, but each way by no more than what the values take, since two
    trials have intervals of any length.
    """
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = max(high - low, least)
    low, high = (low + high - span) / 2, (low + high + span) / 2
    low = max(min([low, *reach]), low - span)
    high = min(max([high, *reach]), high + span)
    room = (high - low) * 0.06
    return Scale(low - room, high + room, start, end)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round values between two ends, as near to so many as steps of 1, 2 or 5 times a power of ten allow."""
    raw = (high - low) / max(about, 1)
    if raw <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / raw)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def plain(value: float) -> str:
    """A tick as short as it can be: ``0.5``, ``74``."""
    return f"{value:.10g}".replace("-", "−")


def signed(value: float) -> str:
    """A tick of differences: ``+0.5``, ``0``, ``−1``."""
    return plain(value) if value <= 0 else f"+{plain(value)}"


Label = Callable[[float], str]


def x_axis(
    canvas: Canvas,
    scale: Scale,
    top: float,
    bottom: float,
    *,
    title: str = "",
    values: Sequence[float] | None = None,
    label: Label = plain,
) -> float:
    """Grid lines, their values below and a title; returns where it ends below."""
    values = ticks(scale.low, scale.high, int(abs(scale.end - scale.start) / 75)) if values is None else values
    for value in values:
        x = scale(value)
        canvas.line((x, top), (x, bottom), colour=HAIRLINE)
        canvas.text(x, bottom + 15, label(value), TICK_SIZE, "middle", colour=MUTED)
    if not title:
        return bottom + 20
    middle, half = (scale.start + scale.end) / 2, width(title, TICK_SIZE) / 2
    middle = min(max(middle, half + 4), canvas.width - half - 4)
    canvas.text(middle, bottom + 33, title, TICK_SIZE, "middle")
    return bottom + 38


def y_axis(
    canvas: Canvas,
    scale: Scale,
    left: float,
    right: float,
    *,
    values: Sequence[float] | None = None,
    labelled: bool = True,
) -> None:
    """Grid lines across and their values at the left."""
    values = ticks(scale.low, scale.high, int(abs(scale.end - scale.start) / 45)) if values is None else values
    for value in values:
        y = scale(value)
        canvas.line((left, y), (right, y), colour=HAIRLINE)
        if labelled:
            canvas.text(left - 6, y + 4, plain(value), TICK_SIZE, "end", colour=MUTED)
