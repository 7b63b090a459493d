"""Rows that stand at a number: ``beta = 0.3``, ``K = 1 + 8``, ``2 Classifiers``."""

import re
from collections.abc import Sequence

from benchmark.reports.figures.axes import Scale
from benchmark.reports.figures.sheet import MARGIN
from benchmark.reports.figures.subject import Spot, Subject

#: Where panels begin, behind the scores' ticks.
LEFT = MARGIN + 40
_NUMBERED = re.compile(r"(.*\S)\s*=\s*([+-]?\d+(?:\.\d+)?(?:\s*\+\s*\d+)*)")
_COUNTED = re.compile(r"(\d+)\s+(.*\S)")
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "lambda": "λ"}


def row_number(row: str) -> float | None:
    """The number of a row called ``beta = 0.3``, ``K = 1 + 8`` or ``2 Classifiers``; None for any other name."""
    if match := _NUMBERED.fullmatch(row):
        first, *more = match[2].split("+") if match[2][0] != "+" else [match[2]]
        return float(first) + sum(map(float, more))
    match = _COUNTED.fullmatch(row)
    return float(match[1]) if match else None


def row_variable(row: str) -> str | None:
    """What that number is of: ``β``, ``K``; None where it counts what the row's name says."""
    if match := _NUMBERED.fullmatch(row):
        return _GREEK.get(match[1], match[1])
    return None


def numbered(subject: Subject) -> list[tuple[float, str]]:
    """All rows with a number, by it."""
    return sorted((number, row) for row in subject.rows if (number := row_number(row)) is not None)


def spots(subject: Subject, rows: Sequence[tuple[float, str]], column: str) -> list[tuple[float, Spot]]:
    """A column's scores by their rows' numbers; none where the suite has no such column."""
    if column not in subject.columns:
        return []
    return [(number, subject.spot(row, column)) for number, row in rows]


def x_scale(numbers: Sequence[float], left: float, right: float, aside: float, *, ratios: bool | None = None) -> Scale:
    """Over all numbers, in equal steps of their double where they span a factor of five."""
    low, high = numbers[0], numbers[-1]
    ratios = low > 0 and high / low >= 5 if ratios is None else ratios
    if low == high:
        low, high, ratios = low - 1, high + 1, False
    room = aside + 14
    return Scale(low, high, left + room, right - room, ratios)
