"""The tidy frame as CSV text (floor 3)."""

import pandas as pd

_SIX_DIGITS = (
    "difference",
    "interval90_low",
    "interval90_high",
    "prediction95_low",
    "prediction95_high",
    "p_equivalence",
    "p_difference",
    "p_difference_holm",
)
#: Steps take milliseconds on a fast device; four decimals of a second would leave two digits.
_DECIMALS = {"seconds_per_step": 6}


def render(frame: pd.DataFrame) -> str:
    """One line a cell and metric; the same frame gives the same text on every system."""
    out = frame.copy()
    for name in ("mean", "std"):
        out[name] = [
            round(value, _DECIMALS.get(metric, 4)) for value, metric in zip(out[name], out["metric"], strict=True)
        ]
    for name in _SIX_DIGITS:
        out[name] = ["" if pd.isna(value) else f"{value:.6g}" for value in out[name]]
    return str(out.to_csv(index=False, lineterminator="\n"))
