"""What the whole paper's suites say together, as CSV: claims, distances and trials."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.renderers.csv_text import Row, csv_text
from benchmark.results.plausible import is_number
from benchmark.results.store import Result
from benchmark.runs.metrics import EPOCHS, of_epoch
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

# ------------------------------------------------------------------ claims


def claims(answered: Sequence[Answered], profile: str) -> str:
    """``claims.csv``: one line a part, the claim's own answer repeated on each."""
    return csv_text(CLAIM_COLUMNS, claim_rows(answered, profile))


def claim_rows(answered: Sequence[Answered], profile: str) -> list[Row]:
    """The same as plain data, every column, with every digit; None where there is nothing."""
    return [dict.fromkeys(CLAIM_COLUMNS) | row for claim in answered for row in _claim_rows(claim, profile)]


def _claim_rows(claim: Answered, profile: str) -> list[dict[str, Any]]:
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
    low, high = ends or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


# ------------------------------------------------------------------ distances


def summary(overalls: Sequence[Overall]) -> str:
    """``summary.csv``: one line a suite, and one for all."""
    return csv_text(SUMMARY_COLUMNS, summary_rows(overalls))


def summary_rows(overalls: Sequence[Overall]) -> list[Row]:
    """The same as plain data, with every digit; None where there is nothing."""
    return [
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


# ------------------------------------------------------------------ trials


def trials(suites: Iterable[JudgedSuite]) -> str:
    """``trials.csv``: one line a cell, metric and trial, in the table's units; costs have no seed."""
    return csv_text(TRIAL_COLUMNS, [row for judged in suites for row in trial_rows(judged)])


def trial_rows(judged: JudgedSuite) -> list[Row]:
    """Every trial that a suite's cells read."""
    return [row for found in judged.cells.values() for row in _trials_of(judged.suite, found)]


def _trials_of(suite: Suite, found: JudgedCell) -> Iterator[Row]:
    cell = found.cell
    place = {"suite": suite.name, "row": cell.row, "column": cell.column}
    if found.reading is None:
        for result in found.results:
            if is_number(value := result.metrics[cell.row].get(cell.reads)):
                yield {**place, **_made_by(result), "metric": cell.reads, "value": float(value)}
        return
    for seed, result in found.by_seed.items():
        for epoch in EPOCHS:
            number = {"metric": of_epoch(suite.manifest.metric, epoch), "value": found.reading.scores(epoch)[seed]}
            yield {**place, **_made_by(result), "seed": seed, **number}


def _made_by(result: Result) -> Row:
    made = result.provenance.origin()
    return {
        "run_id": result.run_id,
        "device": "; ".join(made["device"]),
        "commit": "; ".join(made["code"]),
    }
