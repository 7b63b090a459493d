"""``summary.md``: the whole paper on one sheet, claims first, then every number, then what is missing."""

from collections.abc import Iterator

from benchmark.reports.judged import JudgedSuite
from benchmark.reports.paper import Paper
from benchmark.reports.renderers.markdown import escape
from benchmark.reports.renderers.paper_csv import published_difference
from benchmark.reports.sentences import (
    ANSWER_LETTERS,
    LETTERS,
    NO_GAINS,
    NOT_ROBUST,
    about_claims,
    about_numbers,
    gain,
    letter,
    of_parts,
)
from benchmark.verdicts.claims import Answered
from benchmark.verdicts.questions import Finding, Question


def render(paper: Paper) -> str:
    """The sheet."""
    profile = paper.variant.profile
    parts = [
        "# Self-supervised Feature Enhancement: what came out again",
        f"Profile `{paper.variant.reports_name}`: {escape(profile.about)}",
        f"**{about_claims(paper)}** {about_numbers(paper) or ''}".strip(),
        "## What the paper claims",
        *_claims(paper),
        *_numbers(paper),
        "## Runs",
        _runs(paper),
    ]
    return "\n\n".join(parts) + "\n"


# ------------------------------------------------------------------ claims


def _claims(paper: Paper) -> Iterator[str]:
    if not paper.variant.judges_claims:
        lines = [f"- {claim.claim}. {escape(claim.statement)}: not judged" for claim in paper.claims]
        yield "\n".join(lines)
        return
    rows = [["", "claim", "answer", "supported", "the paper's own table, by the same rule"]]
    rows += [
        [
            claim.claim,
            escape(claim.statement),
            f"**{claim.verdict.word}** ({ANSWER_LETTERS[claim.verdict.word]})",
            of_parts(claim),
            _by_print(claim),
        ]
        for claim in paper.claims
    ]
    yield table(rows, "---:|---|---|---:|---")
    yield (
        "Gains are ours in points with the 95 % interval that decides, beside the paper's; an answer needs at least "
        "two trials of every cell. How it is reached stands in docs/statistics.md; every number is in "
        "[claims.csv](claims.csv)."
    )
    for claim in paper.claims:
        if any(finding.difference is not None for finding in claim.findings):
            yield _parts(claim)


def _by_print(claim: Answered) -> str:
    if claim.published is None:
        return ""
    return f"{claim.published.word}, {claim.published.supported} of {claim.published.parts} parts"


def _parts(claim: Answered) -> str:
    """Those parts of a claim that have runs."""
    rows = [["part", "answer", "ours", "trials", "the paper"]]
    for question, finding, printed in zip(claim.questions, claim.findings, claim.by_print, strict=True):
        if finding.difference is not None:
            rows.append([*_part(question, finding), _paper(question, printed)])
    lacking = len(claim.findings) - (len(rows) - 1)
    title = f"**{claim.claim}. {escape(claim.statement)}**" + (f" ({lacking} parts without runs)" if lacking else "")
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


# ------------------------------------------------------------------ numbers


def _numbers(paper: Paper) -> Iterator[str]:
    if not paper.variant.against_paper:
        return
    yield "## Every printed number"
    letters = ", ".join(f"{sign} {word}" for word, sign in LETTERS.items())
    yield f"{NO_GAINS} {letters}; ! beyond the margin as a whole, {NOT_ROBUST} another under another reading of ±."
    for one in paper.suites:
        yield f"[{escape(one.suite.manifest.title)}]({one.suite.name}.md)\n\n{_grid(one)}"
    yield _distances(paper)


def _grid(judged: JudgedSuite) -> str:
    suite, verdicts = judged.suite, judged.verdicts
    columns = [c.name for c in suite.manifest.columns if any(column == c.name for _, column in verdicts)]
    rows = [[escape(suite.manifest.corner), *map(escape, columns)]]
    for row in suite.manifest.rows:
        found = [verdicts.get((row.name, column)) for column in columns]
        if any(found):
            rows.append([escape(row.name), *("" if one is None else letter(one) for one in found)])
    return table(rows, "---" + "|:---:" * len(columns))


def _distances(paper: Paper) -> str:
    rows = [
        ["suite", "trainings", "mean difference (points)", "95 % interval", "better", "worse", "in prediction interval"]
    ]
    for one in paper.overalls:
        ends = one.interval95
        rows.append(
            [
                one.suite,
                str(one.trainings),
                "" if one.mean_difference is None else f"{one.mean_difference:+.2f}",
                "" if ends is None else f"{ends[0]:+.2f} to {ends[1]:+.2f}",
                str(one.better),
                str(one.worse),
                f"{one.covered} of {one.predicted}",
            ]
        )
    lines = "How far from the paper, over trainings and not cells; positive is better than printed:"
    return f"{lines}\n\n{table(rows, '---|---:|---:|---:|---:|---:|---:')}"


# ------------------------------------------------------------------ runs


def _runs(paper: Paper) -> str:
    rows = [["suite", "done", "missing"]]
    rows += [[name, str(done), str(planned - done)] for name, (done, planned) in paper.runs.items()]
    failed = f"\n\n{paper.failed} of the missing runs failed; `status` says why." if paper.failed else ""
    return f"{table(rows, '---|---:|---:')}\n\nSuites share runs, so `all` is less than their sum.{failed}"


def table(rows: list[list[str]], alignment: str) -> str:
    """A Markdown table; the first row is its head, ``alignment`` the line below it without its outer bars."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{alignment}|", *body])
