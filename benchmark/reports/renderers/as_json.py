"""What ``report --format json`` prints: the numbers of the reports as plain data."""

import json
from collections.abc import Sequence
from typing import Any

from benchmark.reports.paper import judge_all
from benchmark.reports.renderers import paper_csv, tidy_csv
from benchmark.results.trials import Trials
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite


def as_json(suites: Sequence[Suite], variant: Variant, found: Trials, trials: int | None) -> str:
    """The rows of each suite's CSV, of ``claims.csv``, of claims of one's own by suite, and of ``summary.csv``.

    Numbers have every digit; gaps are null.
    """
    judged = judge_all(suites, found)
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
