"""Rows as CSV text, the same on every system, in which no spreadsheet finds a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.suites.manifest import PAPER_SUITES
from benchmark.wording import visible

#: What a spreadsheet takes for the beginning of a formula; those of double width too, in Japan and China.
_FORMULA = tuple("=+-@＝＋－＠")
#: Columns that hold names as tables print them.
_PRINTED = ("row", "column")

Row = Mapping[str, Any]


def csv_text(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A header line and a line a row, numbers in six significant digits; what a row lacks stays empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_field(safe(row.get(column), column, row.get("suite"))) for column in columns])
    return out.getvalue()


def _field(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def safe(value: Any, column: str, suite: str | None) -> Any:
    """A value for a CSV: text shows what it hides, and stands behind an apostrophe where a spreadsheet would run it.

    Only what the paper itself prints stays as it is: ``+ Cutout`` is a row of its Table 4.
    """
    if not isinstance(value, str) or (column in _PRINTED and suite in PAPER_SUITES):
        return value
    text = visible(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
