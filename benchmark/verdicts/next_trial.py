"""Where one more trial should fall, by those there are."""

import math
import statistics
from collections.abc import Sequence

from scipy.special import stdtrit


def prediction95(scores: Sequence[float]) -> tuple[float, float] | None:
    """The interval in which one more trial of the same lies in 95 of 100 cases; None below two trials.

    m ± t₀.₉₇₅,ₙ₋₁ · s · √(1 + 1/n).
    """
    if len(scores) < 2:
        return None
    mean, spread, trials = statistics.fmean(scores), statistics.stdev(scores), len(scores)
    reach = float(stdtrit(trials - 1, 0.975)) * spread * math.sqrt(1 + 1 / trials)
    return mean - reach, mean + reach
