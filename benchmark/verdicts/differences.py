"""Intervals and tests of a difference of means, Welch's and paired, with the rounding of printed numbers.

scipy.special has the distributions that scipy.stats is built on, and imports in a fraction of its time.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy.special import stdtr, stdtrit

#: A printed mean, and a printed spread, is known to half a unit of its second decimal.
ROUNDING = 0.005
#: Level of every test.
ALPHA = 0.05
#: Spreads below this are none: equal values, summed in another order.
NO_SPREAD = 1e-9
#: Most trials that a forecast of trials looks ahead to.
MOST_TRIALS = 64


@dataclass(frozen=True)
class Term:
    """One independent mean within a difference.

    Attributes:
        variance: of the mean, s²/n.
        freedom: degrees of freedom of s².
    """

    variance: float
    freedom: float


def term(spread: float, trials: int) -> Term:
    """Of a mean of some trials with a spread of their own."""
    spread = 0.0 if spread < NO_SPREAD else spread
    return Term(spread**2 / trials, trials - 1)


@dataclass(frozen=True)
class Difference:
    """A difference of means with all that is uncertain about it.

    Attributes:
        value: D.
        terms: what it is made of; their variances add.
        rounding: r, by which printed means may be off; intervals are wider by it, tests harder.
        paired: whether it is of gains seed by seed.
    """

    value: float
    terms: tuple[Term, ...]
    rounding: float = 0.0
    paired: bool = False

    def __post_init__(self) -> None:
        if abs(self.value) < NO_SPREAD and not self.error:  # equal means of equal values, summed in another order
            object.__setattr__(self, "value", 0.0)

    @cached_property
    def error(self) -> float:
        """Standard error of D."""
        return math.sqrt(math.fsum(each.variance for each in self.terms))

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom by Welch and Satterthwaite; any number where there is no error."""
        below = math.fsum(each.variance**2 / each.freedom for each in self.terms)
        return self.error**4 / below if below > 0 else 1.0

    def interval(self, level: float) -> tuple[float, float]:
        """Ends of the two-sided interval at a level such as 0.95."""
        reach = self.rounding
        if self.error > 0:
            reach += self.error * float(stdtrit(self.freedom, (1 + level) / 2))
        return self.value - reach, self.value + reach

    def p_above(self, bound: float) -> float:
        """One-sided p of the hypothesis that the true difference is at most ``bound``; small: it is above."""
        return self._tail(self.value - bound - self.rounding)

    def p_below(self, bound: float) -> float:
        """One-sided p of the hypothesis that the true difference is at least ``bound``; small: it is below."""
        return self._tail(bound - self.value - self.rounding)

    def _tail(self, beyond: float) -> float:
        return float(stdtr(self.freedom, -beyond / self.error)) if self.error > 0 else float(beyond <= 0)

    @property
    def p_zero(self) -> float:
        """Two-sided p of no difference."""
        beyond = abs(self.value) - self.rounding
        if self.error > 0:
            return float(2 * stdtr(self.freedom, -max(0.0, beyond) / self.error))
        return float(beyond <= 0)

    def p_equivalent(self, margin: float) -> float:
        """Two one-sided tests (Schuirmann): p of a difference beyond ±margin; small: it is within."""
        return max(self.p_above(-margin), self.p_below(margin))


def of_trials(one: Sequence[float], other: Sequence[float], sign: float = 1.0) -> Difference:
    """Welch's difference of two sets of at least two trials each; ``sign`` −1 turns it round."""
    value = sign * (statistics.fmean(one) - statistics.fmean(other))
    return Difference(value, tuple(term(statistics.stdev(values), len(values)) for values in (one, other)))


def of_pairs(one: Mapping[int, float], other: Mapping[int, float], sign: float = 1.0) -> Difference | None:
    """The difference paired by seed; None below two common seeds."""
    gains = [sign * (one[seed] - other[seed]) for seed in sorted(one.keys() & other.keys())]
    if len(gains) < 2:
        return None
    return Difference(statistics.fmean(gains), (term(statistics.stdev(gains), len(gains)),), paired=True)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given."""
    adjusted, most = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        most = max(most, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = most
    return adjusted
