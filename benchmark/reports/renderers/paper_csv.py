"""What the whole paper's suites say together, as CSV: claims, distances and trials."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.reports.readings import score, scored
from benchmark.reports.renderers.tidy_csv import safe
from benchmark.results.plausible import is_number
from benchmark.results.store import Result
from benchmark.results.trials import Runs
from benchmark.runs.spec import TrainSpec
from benchmark.suites.suite import Suite
from benchmark.verdicts.claims import Answered
from benchmark.verdicts.overall import Overall
from benchmark.verdicts.questions import Finding, Question
from benchmark.verdicts.sides import printed_gain

CLAIM_COLUMNS = (
    "claim", "part", "suite", "statement", "kind", "direction", "size", "size_strict", "part_verdict", "difference",
    "interval95_low", "interval95_high", "bound95_low", "bound95_high", "paired95_low", "paired95_high", "correlation",
    "probability_better", "trials_needed", "published_difference", "published_direction", "trials", "claim_verdict",
    "parts_supported", "parts", "published_claim_verdict", "published_parts_supported", "profile",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "suite", "trainings", "mean_difference", "interval95_low", "interval95_high", "better", "worse", "covered",
    "predicted",
)  # fmt: skip
TRIAL_COLUMNS = ("suite", "row", "column", "run_id", "seed", "metric", "value", "device", "commit")

Row = Mapping[str, Any]


def text(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """CSV with a header line and numbers in six significant digits; what a row lacks stays empty."""
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


# ------------------------------------------------------------------ claims


def claims(answered: Sequence[Answered], profile: str) -> str:
    """``claims.csv``: one line a part, the claim's own answer repeated on each."""
    return text(CLAIM_COLUMNS, [row for claim in answered for row in _claim_rows(claim, profile)])


def _claim_rows(claim: Answered, profile: str) -> list[Row]:
    whole = {
        "claim": claim.claim,
        "statement": claim.statement,
        "claim_verdict": claim.verdict.word,
        "parts_supported": claim.verdict.supported,
        "parts": claim.verdict.parts,
        "published_claim_verdict": claim.published and claim.published.word,
        "published_parts_supported": claim.published and claim.published.supported,
        "profile": profile,
    }
    parts = zip(claim.questions, claim.findings, claim.by_print, strict=True)
    return [{**whole, **_part(question, finding, printed)} for question, finding, printed in parts]


def _part(question: Question, finding: Finding, printed: Finding | None) -> Row:
    return {
        "part": question.label,
        "suite": question.suite,
        "kind": question.kind,
        "direction": finding.direction,
        "size": finding.size,
        "size_strict": finding.size_strict,
        "part_verdict": finding.word,
        "difference": finding.difference,
        **_ends("interval95", finding.interval95),
        **_ends("bound95", finding.bound95),
        **_ends("paired95", finding.paired95),
        "correlation": finding.correlation,
        "probability_better": finding.probability_better,
        "trials_needed": finding.trials_needed,
        "published_difference": published_difference(question, printed),
        "published_direction": printed and printed.direction,
        "trials": finding.trials,
    }


def published_difference(question: Question, printed: Finding | None) -> float | None:
    """What the paper prints of a part: a gain, a trend, or a ratio of costs."""
    if question.cost is not None:
        return 1 + question.cost.printed_percent / 100
    if printed:
        return printed.difference
    return None if question.kind in ("best", "trend") else printed_gain(question)


def _ends(name: str, ends: tuple[float, float] | None) -> Row:
    return {f"{name}_low": ends[0], f"{name}_high": ends[1]} if ends else {}


# ------------------------------------------------------------------ distances


def summary(overalls: Sequence[Overall]) -> str:
    """``summary.csv``: one line a suite, and one for all."""
    rows = [
        {
            "suite": one.suite,
            "trainings": one.trainings,
            "mean_difference": one.mean_difference,
            **_ends("interval95", one.interval95),
            "better": one.better,
            "worse": one.worse,
            "covered": one.covered,
            "predicted": one.predicted,
        }
        for one in overalls
    ]
    return text(SUMMARY_COLUMNS, rows)


# ------------------------------------------------------------------ trials


def trials(suites: Sequence[Suite], runs: Runs) -> str:
    """``trials.csv``: one line a cell, metric and trial, in the table's units; costs have no seed."""
    return text(TRIAL_COLUMNS, [row for suite in suites for row in trial_rows(suite, runs)])


def trial_rows(suite: Suite, runs: Runs) -> list[Row]:
    """Every trial that a suite's cells read."""
    metric = suite.manifest.metric
    rows: list[Row] = []
    for cell in suite.cells:
        place = {"suite": suite.name, "row": cell.row, "column": cell.column}
        if not isinstance(cell.spec, TrainSpec):
            result = runs.cost(cell.spec)
            block = result.metrics.get(cell.row) if result else None
            if result and isinstance(block, dict) and is_number(value := block.get(cell.reads)):
                rows.append({**place, **_made_by(result), "metric": cell.reads, "value": float(value)})
            continue
        for result in scored(cell, runs).results:
            made_by = {**place, **_made_by(result)}
            if isinstance(result.spec, TrainSpec):
                made_by["seed"] = result.spec.seed
            for epoch in ("last", "best"):
                value = score(result, cell.reads, epoch, metric)
                rows.append({**made_by, "metric": f"{metric}_{epoch}_epoch", "value": value})
    return rows


def _made_by(result: Result) -> Row:
    made = result.provenance.origin()
    return {
        "run_id": result.run_id,
        "device": "; ".join(made["device"]),
        "commit": "; ".join(made["code"]),
    }
