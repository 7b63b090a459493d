"""Figures as tables print them, in every format alike."""

from benchmark.runs.metrics import METRICS
from benchmark.suites.manifest import Published
from benchmark.verdicts.summary import Summary

#: Stands where there is no number yet.
MISSING = "—"


def as_printed(metric: str, value: Summary | Published) -> str:
    """For instance ``76.84 ± 0.25``, ``3455`` or ``0.178``, by the metric's decimals."""
    decimals = METRICS[metric].decimals
    spread = "" if value.std is None else f" ± {value.std:.{decimals}f}"
    return f"{value.mean:.{decimals}f}{spread}"


def signed(percent: float) -> str:
    """An overhead with its sign; adding zero turns -0.0 into +0.0."""
    decimals = METRICS["time_overhead_percent"].decimals
    return f"{round(percent, decimals) + 0.0:+.{decimals}f}"
