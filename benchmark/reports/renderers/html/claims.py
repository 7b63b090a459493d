"""The claims as lines of the page."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from benchmark.reports.paper import Paper
from benchmark.reports.renderers.html.bars import gain as gain_picture
from benchmark.reports.renderers.html.figures import MINUS, tables
from benchmark.reports.renderers.html.marks import key, mark, tone
from benchmark.reports.renderers.html.model import ClaimLine, PartLine, State
from benchmark.reports.renderers.paper_csv import published_difference
from benchmark.reports.sentences import deciding_interval, gain
from benchmark.verdicts.claims import Answered
from benchmark.verdicts.questions import Finding, Question

Part = tuple[Question, Finding, Finding | None]
#: Points that the axis of gains reaches to either side: at least, and at most.
_REACH = (1.0, 8.0)


def claim_lines(paper: Paper) -> tuple[ClaimLine, ...]:
    """A line a claim; those of a profile that judges none say so and nothing else."""
    if not paper.variant.judges_claims:
        return tuple(_not_judged(claim) for claim in paper.claims)
    at = "" if paper.variant.against_paper else f" at profile {paper.variant.reports_name}"
    reach = _reach(paper.claims)
    return tuple(_line(claim, at, reach) for claim in paper.claims)


def state_of(word: str, at: str = "") -> State:
    """An answer; ``at`` names a profile that answers in small."""
    return State(mark=mark(key(word), word), word=word + at, tone=tone(word))


def _not_judged(claim: Answered) -> ClaimLine:
    return ClaimLine(
        anchor=f"claim-{claim.claim}",
        name=claim.claim,
        statement=claim.statement,
        where=_where(claim),
        state=None,
        progress="",
        parts=(),
        picture=None,
        number="",
        lines=(),
        by_print="",
    )


def _line(claim: Answered, at: str, reach: float) -> ClaimLine:
    parts: list[Part] = list(zip(claim.questions, claim.findings, claim.by_print, strict=True))
    counted = [part for part in parts if part[0].kind != "shown"]
    run = [part for part in counted if part[1].difference is not None]
    weakest = min(run, key=_strength, default=None)
    return ClaimLine(
        anchor=f"claim-{claim.claim}",
        name=claim.claim,
        statement=claim.statement,
        where=_where(claim),
        state=state_of(claim.verdict.word, at),
        progress=f"{len(run)} of {len(counted)} parts run, {claim.verdict.supported} supported"
        if run
        else f"0 of {len(counted)} parts run",
        parts=tuple(state_of(finding.word or "undecided") for _, finding, _ in counted),
        picture=_picture(weakest, run, reach) if weakest else None,
        number=_number(weakest, len(counted)) if weakest else "",
        lines=tuple(map(_part_line, parts)) if run else (),
        by_print=_by_print(claim),
    )


def _where(claim: Answered) -> str:
    return tables([cell.suite for question in claim.questions for cell in question.cells] or [claim.questions[0].suite])


def _by_print(claim: Answered) -> str:
    if claim.published is None:
        return ""
    told = f"{claim.published.word}, {claim.published.supported} of {claim.published.parts} parts"
    return f"The paper's own printed numbers, by the same rule: {told}."


# ------------------------------------------------------------------ the part that decides least


def _strength(part: Part) -> float:
    """How clearly a part speaks for its claim; the least of them stands in the line."""
    question, finding, printed = part
    assert finding.difference is not None
    low, high = deciding_interval(question, finding) or (finding.difference, finding.difference)
    if question.kind == "not_greater":
        return question.bound - high
    if question.cost is not None:
        return -abs(math.log(max(finding.difference, 1e-9) / (1 + question.cost.printed_percent / 100)))
    if question.kind == "size" and printed is not None and printed.difference is not None:
        return -abs(finding.difference - printed.difference)
    if question.kind == "trend" and not question.rising:
        return -high
    return low


def _number(part: Part, counted: int) -> str:
    question, finding, printed = part
    paper = _paper(question, printed)
    text = _minus(gain(question, finding)) + (f" · paper {paper}" if paper else "")
    return text if counted == 1 else f"weakest: {question.label} {text}"


def _paper(question: Question, printed: Finding | None) -> str:
    value = published_difference(question, printed)
    if value is None:
        return ""
    if question.cost is not None:
        return f"×{value:.3f}"
    return _minus(f"ρ = {value:+.2f}" if question.kind == "trend" else f"{value:+.2f}")


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def _part_line(part: Part) -> PartLine:
    question, finding, printed = part
    shown = question.kind == "shown"
    beside = State(mark=mark("shown", ""), word="shown beside", tone="none")
    return PartLine(
        label=question.label,
        state=beside if shown else state_of(finding.word or "undecided"),
        ours=_minus(gain(question, finding)),
        trials=finding.trials,
        paper=_paper(question, printed),
        by_print=(printed.direction or "") if printed else "",
        needed="" if finding.trials_needed is None else str(finding.trials_needed),
    )


# ------------------------------------------------------------------ pictures


def _drawable(question: Question) -> bool:
    return question.cost is None


def _picture(weakest: Part, run: Sequence[Part], reach: float) -> Markup | None:
    question, finding, printed = weakest
    if not _drawable(question):
        return None
    others = [one.difference for _, one, _ in run if one is not finding and one.difference is not None]
    return gain_picture(
        others=others,
        value=finding.difference,
        interval=deciding_interval(question, finding),
        paper=published_difference(question, printed),
        reach=1.0 if question.kind == "trend" else reach,
        word=finding.word or "undecided",
    )


def _reach(claims: Sequence[Answered]) -> float:
    """One scale for all gains in points, so that two pictures compare."""
    ends = [_REACH[0]]
    for claim in claims:
        for question, finding, printed in zip(claim.questions, claim.findings, claim.by_print, strict=True):
            if finding.difference is None or question.kind in ("trend", "shown") or not _drawable(question):
                continue
            ends += [abs(end) for end in deciding_interval(question, finding) or (finding.difference,)]
            ends += [abs(paper)] if (paper := published_difference(question, printed)) is not None else []
    return min(_REACH[1], 1.08 * max(ends))
