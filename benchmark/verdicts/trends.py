"""Spearman's rank correlation with its interval (Bonett and Wright 2000)."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr

_NORMAL_975 = 1.959964


@dataclass(frozen=True)
class Correlation:
    """ρ, its 95 % interval, and the two-sided p of no correlation."""

    rho: float
    interval: tuple[float, float]
    p: float


def spearman(points: Sequence[tuple[float, float]]) -> Correlation | None:
    """Of (setting, score) points, ties by average ranks; None where either side is constant.

    z = atanh ρ, se = √((1 + ρ²/2) / (N − 3)), interval tanh(z ± 1.959964·se).
    """
    settings, scores = (ranks(values) for values in zip(*points, strict=True)) if points else ([], [])
    if len(points) < 4 or len(set(settings)) < 2 or len(set(scores)) < 2:
        return None
    rho = statistics.correlation(settings, scores)
    if abs(rho) > 1 - 1e-12:
        rho = math.copysign(1.0, rho)
        return Correlation(rho, (rho, rho), 0.0)
    z, error = math.atanh(rho), math.sqrt((1 + rho**2 / 2) / (len(points) - 3))
    interval = math.tanh(z - _NORMAL_975 * error), math.tanh(z + _NORMAL_975 * error)
    return Correlation(rho, interval, float(2 * ndtr(-abs(z) / error)))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, equal values sharing the average of theirs."""
    ordered = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(ordered, start=1)))}
    return [first[value] + (ordered.count(value) - 1) / 2 for value in values]


def spread_out(mean: float, std: float) -> list[float]:
    """Four evenly spaced values that have just this mean and sample standard deviation."""
    return [mean + std * step / math.sqrt(20 / 3) for step in (-3, -1, 1, 3)]
