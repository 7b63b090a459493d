"""What ``report --format json`` prints: the numbers of the reports as plain data."""

import json
from typing import Any

from benchmark.reports.paper import Judgement
from benchmark.reports.renderers import paper_csv, tidy_csv


def as_json(judged: Judgement, trials: int | None = None) -> str:
    """The rows of each suite's CSV, of ``claims.csv``, of claims of one's own by suite, and of ``summary.csv``.

    Numbers have every digit; gaps are null.
    """
    variant = judged.suites[0].suite.variant
    tree: dict[str, Any] = {
        "profile": variant.reports_name,
        "suites": {one.suite.name: tidy_csv.rows(one, trials) for one in judged.suites},
    }
    if judged.paper is not None:
        tree["claims"] = paper_csv.claim_rows(judged.paper.claims, variant.reports_name)
        tree["own_claims"] = {
            name: paper_csv.claim_rows(claims, variant.reports_name) for name, claims in judged.own_claims.items()
        }
        tree["summary"] = paper_csv.summary_rows(judged.paper.overalls)
    return json.dumps(tree, indent=1, allow_nan=False)
