"""Every number of a run and of a table: its unit, how it is written, what it may be; and what is made of another one.

Best epochs are chosen on the test set: whoever shows one says so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Score = Literal["accuracy", "error"]
Epoch = Literal["last", "best"]
EPOCHS: tuple[Epoch, ...] = get_args(Epoch)
CostMetric = Literal["memory_mib", "seconds_per_step"]
COST_METRICS: tuple[CostMetric, ...] = get_args(CostMetric)
#: A printed cost -> the metric of the percentage that stands in brackets behind it.
OVERHEADS: Mapping[str, str] = {
    "memory_mib": "memory_overhead_percent",
    "seconds_per_step": "time_overhead_percent",
}
#: What a cost run measures without and with a GPU, as its ``cost.memory_kind`` says.
PROCESS_MEMORY, ALLOCATOR_MEMORY = "peak of a fresh process a variant", "peak of torch's allocator"
#: How it times steps without one, as its ``cost.freed_memory`` says; where nothing is said, it was given back.
KEPT = "kept"
#: What a history's entry holds besides the accuracies of its predictions.
NO_PREDICTIONS = ("epoch", "learning_rate", "train_loss")

_ABOVE_ZERO = math.ulp(0.0)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is known of a number, whoever measured it.

    Attributes:
        unit: of the number.
        decimals: of the number in a table; its spread has as many.
        csv_decimals: of means and deviations in CSVs.
        lower_is_better: which way is better.
        low: least value that it can have.
        high: greatest.
    """

    unit: str
    decimals: int
    csv_decimals: int = 4
    lower_is_better: bool
    low: float
    high: float = math.inf

    def allows(self, value: float) -> bool:
        """Whether it can be of this value."""
        return self.low <= value <= self.high


_ACCURACY = Metric(unit="%", decimals=2, lower_is_better=False, low=0, high=100)
_ERROR = Metric(unit="%", decimals=2, lower_is_better=True, low=0, high=100)
_SECONDS = Metric(unit="s", decimals=3, csv_decimals=6, lower_is_better=True, low=_ABOVE_ZERO)
_OVERHEAD = Metric(unit="%", decimals=1, lower_is_better=True, low=math.nextafter(-100, 0))

METRICS: Mapping[str, Metric] = {
    "accuracy_last_epoch": _ACCURACY,
    "accuracy_best_epoch": _ACCURACY,
    "error_last_epoch": _ERROR,
    "error_best_epoch": _ERROR,
    "memory_mib": Metric(unit="MiB", decimals=0, lower_is_better=True, low=_ABOVE_ZERO),
    "seconds_per_step": _SECONDS,
    "seconds_per_step_lower_quartile": _SECONDS,
    "seconds_per_step_upper_quartile": _SECONDS,
    "memory_overhead_percent": _OVERHEAD,
    "time_overhead_percent": _OVERHEAD,
}


def of_epoch(name: str, epoch: str) -> str:
    """``single`` or ``accuracy`` of the ``last`` or ``best`` epoch, as results and CSVs call it."""
    return f"{name}_{epoch}_epoch"


def from_history(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A training's metrics: each prediction's accuracy of the last epoch, then of its own best one."""
    names = [name for name in history[-1] if name not in NO_PREDICTIONS]
    last = {of_epoch(name, "last"): history[-1][name] for name in names}
    best = {of_epoch(name, "best"): max(entry[name] for entry in history) for name in names}
    return {**last, **best}


def from_accuracy(accuracy: float, score: str) -> float:
    """The accuracy itself or the error that it leaves, percent."""
    return 100 - accuracy if score == "error" else accuracy


def overhead_percent(cost: float, baseline: float) -> float:
    """By how much a cost is above another one."""
    return 100 * (cost / baseline - 1)
