"""What ``report --format json`` prints: the numbers of the reports as plain data."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from benchmark.reports.frame import collect
from benchmark.reports.paper import whole_paper
from benchmark.reports.renderers import paper_csv, tidy_csv
from benchmark.results.trials import Runs
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite


def as_json(suites: Sequence[Suite], variant: Variant, runs: Runs, trials: int | None) -> str:
    """The rows of each suite's CSV, of ``claims.csv`` and of ``summary.csv``; numbers as numbers, gaps as null."""
    tree: dict[str, Any] = {
        "profile": variant.reports_name,
        "suites": {suite.name: _rows(tidy_csv.render(collect(suite, runs, trials))) for suite in suites},
    }
    if variant.keeps_protocol:
        paper = whole_paper(variant, runs, suites)
        tree["claims"] = _rows(paper_csv.claims(paper.claims, variant.reports_name), text=("claim",))
        tree["summary"] = _rows(paper_csv.summary(paper.overalls))
    return json.dumps(tree, indent=1)


def _rows(text_of: str, text: Sequence[str] = ()) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text_of))
    return [{key: value if key in text else _value(value) for key, value in row.items()} for row in rows]


def _value(field: str) -> Any:
    """A number where the field is one, null where it is empty."""
    if not field:
        return None
    try:
        number = float(field)
    except ValueError:
        return field
    return int(number) if field.lstrip("-").isdigit() else number
