"""Which of the paper's claims hold: each is answered in parts, and those joined with Holm's correction.

What a part compares stands in a manifest; here it comes with the trials that its cells read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.verdicts.differences import ALPHA, holm
from benchmark.verdicts.parts import find, find_printed
from benchmark.verdicts.questions import Answer, Finding, Question
from benchmark.verdicts.sides import ours


@dataclass(frozen=True, kw_only=True)
class ClaimVerdict:
    """A claim's answer: ``supported`` of its ``parts`` counted parts are."""

    word: Answer
    supported: int
    parts: int


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A claim with its parts: what our trials say, and what the same rule says of the paper's printed numbers.

    ``by_print`` has a finding a part whose numbers are all printed; ``published`` is None unless all counted are.
    """

    claim: str
    statement: str
    questions: tuple[Question, ...]
    findings: tuple[Finding, ...]
    by_print: tuple[Finding | None, ...]
    verdict: ClaimVerdict
    published: ClaimVerdict | None


def answer(questions: Sequence[Question], epoch: str = "last") -> list[Answered]:
    """Answer claims from what trials there are, in the order of their first parts.

    Args:
        questions: parts of any number of claims.
        epoch: ``last`` or ``best``: which scores are read.
    """
    claims: dict[str, list[Question]] = {}
    for question in questions:
        claims.setdefault(question.claim, []).append(question)
    out = []
    for name, parts in claims.items():
        findings = [find(question, ours(question, epoch)) for question in parts]
        by_print = [find_printed(question) for question in parts]
        asked = [(a, b) for a, b, q in zip(findings, by_print, parts, strict=True) if q.kind != "shown"]
        printed = [b for _, b in asked if b is not None and b.direction is not None]
        out.append(
            Answered(
                claim=name,
                statement=parts[0].statement,
                questions=tuple(parts),
                findings=tuple(findings),
                by_print=tuple(by_print),
                verdict=join([a for a, _ in asked]),
                published=join(printed) if len(printed) == len(asked) else None,
            )
        )
    return out


def join(findings: Sequence[Finding]) -> ClaimVerdict:
    """A claim's answer from its counted parts; without any it is undecided."""
    words = [finding.word for finding in findings]
    against, absent = holm([finding.p for finding in findings]), holm([finding.p_absent for finding in findings])
    pairs = list(zip(words, against, absent, strict=True))
    word: Answer = "undecided"
    if any(one == "contradicted" and p < ALPHA for one, p, _ in pairs):
        word = "contradicted"
    elif "not enough runs" in words:
        word = "not enough runs"
    elif words and all(one == "supported" for one in words):
        word = "supported"
    elif any(one == "absent" and p < ALPHA for one, _, p in pairs):
        word = "absent"
    return ClaimVerdict(word=word, supported=words.count("supported"), parts=len(words))
