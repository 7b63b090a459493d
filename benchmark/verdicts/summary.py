"""What a handful of trials says about a mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """Mean and spread of n trials; ``std`` has ddof 1 and is None below two trials."""

    mean: float
    std: float | None
    trials: int


def summarise(values: Sequence[float]) -> Summary | None:
    """Mean and sample standard deviation (ddof 1); None without values."""
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Summary(mean, None, len(values))
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Summary(mean, math.sqrt(variance), len(values))
