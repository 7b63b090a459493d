"""The sentences that every format says of verdicts and claims."""

from collections import Counter
from collections.abc import Mapping

from benchmark.reports.paper import Paper
from benchmark.verdicts.cells import NOT_PUBLISHED, Verdict, Word
from benchmark.verdicts.claims import Answered
from benchmark.verdicts.questions import Answer, Finding, Question

#: What stands for a verdict where there is no room for its word; ``!`` behind it: strongly.
LETTERS: Mapping[Word, str] = {
    "reproduced": "R",
    "higher": "H",
    "lower": "L",
    "outside": "O",
    "inconclusive": "I",
    "no verdict": "–",
}
ANSWER_LETTERS: Mapping[Answer, str] = {
    "supported": "S",
    "contradicted": "C",
    "absent": "A",
    "undecided": "U",
    "not enough runs": "N",
}
#: What a verdict doesn't say.
NO_GAINS = "A cell says whether a number came out again; it says nothing about gains, the claims do."
#: Stands behind a verdict that another reading of "±" would change.
NOT_ROBUST = "†"
#: Where the scores of best epochs are reported.
BEST_EPOCH = "Scores are of each run's best epoch, and which that is the test set has chosen."
#: What stands beside a part of a claim.
INTERVALS = (
    "Ours are gains in points with their 95 % interval, or one-sided 95 % bounds where a gain is to keep to a bound; "
    "paired by seed where both numbers are of the same runs. Whether a size agrees is for a test of its own. An "
    "answer needs two trials of every cell."
)
_MISSING = "What is missing is not evidence for or against the paper."


def letter(verdict: Verdict) -> str:
    """For instance ``L!†``."""
    robust = NOT_ROBUST if verdict.robust not in (None, "yes") else ""
    return LETTERS[verdict.word] + "!" * verdict.strong + robust


def about_claims(paper: Paper) -> str:
    """What can be said of the claims, counting what can be judged and not what could be."""
    claims = paper.claims
    name = paper.variant.reports_name
    if not paper.variant.judges_claims:
        return f"The claims are not judged (profile {name})."
    done, planned = paper.runs["all"]
    judged = [claim for claim in claims if claim.verdict.word != "not enough runs"]
    if not judged:
        return f"Nothing can be judged yet. {done} of {planned} runs."
    at = "" if paper.variant.profile.judges == "cells" else f" at profile {name}"
    words: Counter[str] = Counter(claim.verdict.word for claim in judged)
    named = ("contradicted", "undecided", "absent") if words["absent"] else ("contradicted", "undecided")
    supported, rest = words["supported"], ", ".join(f"{words[word]} {word}" for word in named)
    if len(judged) == len(claims):
        return f"{supported} of {len(claims)} claims are supported{at}, {rest}."
    return f"{len(judged)} of {len(claims)} claims can be judged so far{at}: {supported} supported, {rest}."


def about_numbers(paper: Paper) -> str | None:
    """What can be said of the printed scores; None where the profile holds none against the paper's."""
    if not paper.variant.against_paper:
        return None
    words = paper.words
    printed = sum(verdict.reason != NOT_PUBLISHED for of in paper.verdicts.values() for verdict in of.values())
    judged = sum(count for word, count in words.items() if word != "no verdict")
    if not judged:
        return f"None of {printed} printed scores can be judged so far. {_MISSING}"
    counts = [f"{words[word]} {word}" for word in LETTERS if word != "no verdict" and words[word]]
    text = f"{judged} of {printed} printed scores can be judged: {', '.join(counts)}."
    done, planned = paper.runs["all"]
    return text if done == planned else f"{text} {_MISSING}"


def of_parts(claim: Answered) -> str:
    """For instance ``3 of 11 parts``."""
    return f"{claim.verdict.supported} of {claim.verdict.parts} parts"


def gain(question: Question, finding: Finding) -> str:
    """A part's own number with its interval, where there is one; see :data:`INTERVALS`."""
    if finding.difference is None:
        return ""
    if question.cost is not None:
        text = f"×{finding.difference:.3f}"
    elif question.kind == "trend":
        text = f"ρ = {finding.difference:+.2f}"
    else:
        text = f"{finding.difference:+.2f}"
    interval = deciding_interval(question, finding)
    if interval is None:
        return text
    decimals = 3 if question.cost is not None else 2
    low, high = (f"{end:{'' if question.cost is not None else '+'}.{decimals}f}" for end in interval)
    return f"{text} [{low} to {high}]"


def deciding_interval(question: Question, finding: Finding) -> tuple[float, float] | None:
    """The interval by which a part is decided: of pairs where both cells read the same runs, 90 % for a bound."""
    if question.kind in ("not_greater", "within"):
        return finding.bound95
    return finding.paired95 if finding.paired else finding.interval95
