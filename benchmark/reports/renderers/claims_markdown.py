"""Claims as Markdown: their answers, and the parts that have runs."""

from collections.abc import Iterator, Sequence

from benchmark.reports.renderers.markdown_text import escape, table
from benchmark.reports.renderers.paper_csv import published_difference
from benchmark.reports.sentences import ANSWER_LETTERS, INTERVALS, gain, of_parts
from benchmark.suites.profiles import Variant
from benchmark.verdicts.claims import Answered
from benchmark.verdicts.questions import Finding, Question
from benchmark.wording import counted


def render(claims: Sequence[Answered], variant: Variant, file: str) -> Iterator[str]:
    """A paragraph or a table each.

    Args:
        claims: answered.
        variant: says whether they are judged.
        file: the CSV that has every number.
    """
    if not variant.judges_claims:
        yield "\n".join(f"- {claim.claim}. {escape(claim.statement)}: not judged" for claim in claims)
        return
    rows = [["", "claim", "answer", "supported", "the paper's own table, by the same rule"]]
    for claim in claims:
        word = claim.verdict.word
        answer = f"**{word}** ({ANSWER_LETTERS[word]})"
        rows.append([claim.claim, escape(claim.statement), answer, of_parts(claim), _by_print(claim)])
    yield table(rows, "---:|---|---|---:|---")
    yield f"{INTERVALS} How an answer is reached stands in docs/statistics.md; every number is in [{file}]({file})."
    for claim in claims:
        if any(map(_has_runs, claim.findings)):
            yield _parts(claim)


def _by_print(claim: Answered) -> str:
    if claim.published is None:
        return ""
    return f"{claim.published.word}, {claim.published.supported} of {claim.published.parts} parts"


def _has_runs(finding: Finding) -> bool:
    """A part of trials that show no trend has a word and no number."""
    return finding.difference is not None or finding.word not in (None, "not enough runs")


def _parts(claim: Answered) -> str:
    rows = [["part", "answer", "ours", "trials", "the paper"]]
    for question, finding, printed in zip(claim.questions, claim.findings, claim.by_print, strict=True):
        if _has_runs(finding):
            rows.append([*_part(question, finding), _paper(question, printed)])
    lacking = sum(finding.word == "not enough runs" for finding in claim.findings)
    title = f"**{claim.claim}. {escape(claim.statement)}**"
    title += f" ({counted(lacking, 'part')} more: not enough runs)" if lacking else ""
    return f"{title}\n\n{table(rows, '---|---|---:|---:|---:')}"


def _part(question: Question, finding: Finding) -> list[str]:
    word = finding.word
    answer = "shown beside" if word is None else f"{word} ({ANSWER_LETTERS[word]})"
    return [escape(question.label), answer, gain(question, finding), str(finding.trials)]


def _paper(question: Question, printed: Finding | None) -> str:
    value = published_difference(question, printed)
    if value is None:
        return ""
    if question.cost is not None:
        return f"×{value:.3f}"
    return f"ρ = {value:+.2f}" if question.kind == "trend" else f"{value:+.2f}"
