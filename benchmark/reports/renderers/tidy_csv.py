"""The tidy frame as CSV text."""

from typing import Any

import pandas as pd

from benchmark.suites.manifest import PAPER_SUITES
from benchmark.wording import visible

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
#: What a spreadsheet takes for the beginning of a formula; those of double width too, in Japan and China.
_FORMULA = tuple("=+-@＝＋－＠")
#: Columns that hold names as tables print them.
_PRINTED = ("row", "column", "part")


def render(frame: pd.DataFrame) -> str:
    """One line a cell and metric; the same frame gives the same text on every system."""
    out = frame.copy()
    for name in out.select_dtypes(exclude="number"):
        out[name] = [safe(value, str(name), suite) for value, suite in zip(frame[name], frame["suite"], strict=True)]
    for name in ("mean", "std"):
        out[name] = [
            round(value, _DECIMALS.get(metric, 4)) for value, metric in zip(out[name], out["metric"], strict=True)
        ]
    for name in _SIX_DIGITS:
        out[name] = ["" if pd.isna(value) else f"{value:.6g}" for value in out[name]]
    return str(out.to_csv(index=False, lineterminator="\n"))


def safe(value: Any, column: str, suite: str | None) -> Any:
    """A value for a CSV: text shows what it hides, and stands behind an apostrophe where a spreadsheet would run it.

    Only what the paper itself prints stays as it is: ``+ Cutout`` is a row of its Table 4.
    """
    if not isinstance(value, str) or (column in _PRINTED and suite in PAPER_SUITES):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
