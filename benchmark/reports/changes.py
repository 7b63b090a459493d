"""What new reports say that those on disk don't: one line a changed cell or claim, for people and CI's summaries."""

import csv
import io
from collections.abc import Mapping

from benchmark.wording import one_line

Row = Mapping[str, str]


def changes(name: str, before: str, after: str) -> list[str]:
    """Compare two versions of a suite's CSV or of ``claims.csv``.

    Args:
        name: the file's, without its ending.
        before: its text on disk.
        after: what it is to be.

    Returns:
        For instance ``table1 ResNet-110 / SFE - SI: no verdict → reproduced, n 2 → 4``; nothing of other files.
    """
    old, new = _rows(before), _rows(after)
    lines = [f"{name} {place}: {told}" for place, row in new.items() if (told := _told(old.get(place, {}), row))]
    return [one_line(line) for line in lines]


def _rows(text: str) -> dict[str, Row]:
    """Rows by what they are of; of a cell's rows the one that is judged, of a claim's parts the first."""
    found: dict[str, Row] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if "claim_verdict" in row:
            found.setdefault(f"claim {row.get('claim')}", {"verdict": row["claim_verdict"], **_counts(row)})
        elif {"row", "column", "verdict", "trials"} <= row.keys() and row.get("metric"):
            place = f"{row['row']} / {row['column']}"
            if place not in found or (row["published_mean"] and not found[place]["published_mean"]):
                found[place] = row
    return found


def _counts(row: Row) -> dict[str, str]:
    return {"parts": f"{row.get('parts_supported')} of {row.get('parts')}"}


def _told(old: Row, new: Row) -> str:
    """How one cell or claim changed; empty where it didn't."""
    verdict = f"{old.get('verdict') or 'nothing'} → {new['verdict']}" if old.get("verdict") != new["verdict"] else ""
    told = [verdict] if verdict else []
    for field, label in (("trials", "n"), ("parts", "parts supported"), ("mean", "mean")):
        if field in new and old.get(field) != new[field] and not (field == "mean" and told):
            told.append(f"{label} {old.get(field) or '–'} → {new[field] or '–'}")
    return ", ".join(told)
