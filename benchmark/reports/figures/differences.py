"""The comparisons behind the claims: every part that has runs, its seeds, its interval and the paper's difference."""

from collections.abc import Sequence

from benchmark.reports.figures.axes import around, signed, x_axis
from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.forest import across
from benchmark.reports.figures.palette import INK, MUTED, PANEL, SERIES
from benchmark.reports.figures.sheet import MARGIN, Key, finish, head, keys, legend, notes, nothing_yet
from benchmark.reports.figures.subject import Spot
from benchmark.reports.figures.text import cut
from benchmark.reports.paper import Paper
from benchmark.verdicts.questions import Finding, Question
from benchmark.verdicts.sides import printed_gain

_ROW, _HEAD, _LABEL, _TRIALS = 20.0, 24.0, 236.0, 44.0
_LOOK = SERIES[0]

Part = tuple[str, Spot, float | None]


def differences(paper: Paper) -> Canvas:
    """Claims in the paper's order, each with its parts in points; ratios and trends have plots of their own."""
    name, (done, planned) = paper.variant.reports_name, paper.runs["all"]
    title = "How large are the differences that the claims are about?"
    below = f"Profile {name}, {done} of {planned} runs"
    if not paper.variant.judges_claims:
        below += ". It shows that everything runs; nothing is judged"
    canvas, y = head(title, [below])
    claims = [(f"{one.claim}. {one.statement}", _parts(paper, one.questions, one.findings)) for one in paper.claims]
    drawn = [(text, found) for text, found in claims if found]
    missing = sum(_in_points(question) for one in paper.claims for question in one.questions)
    missing -= sum(len(found) for _, found in drawn)
    spots = [spot for _, found in drawn for _, spot, _ in found]
    if not spots:
        return nothing_yet(canvas, y)
    y = legend(canvas, [*_keys(drawn), *keys(spots, what="difference", printed=", difference of printed means")], y)
    left, right = MARGIN + _LABEL, canvas.width - MARGIN - _TRIALS
    values = [0.0, *(value for spot in spots for value in spot.drawn)]
    scale = around(values, left + 6, right - 6, reach=[end for spot in spots for end in spot.interval or ()])
    y += 6
    bottom = y + sum(_HEAD + _ROW * len(found) for _, found in drawn)
    heads = [y + sum(_HEAD + _ROW * len(found) for _, found in drawn[:index]) for index in range(len(drawn))]
    for top in heads:
        canvas.box(MARGIN - 6, top, canvas.width - MARGIN + 6, top + _HEAD - 4, PANEL)
    end = x_axis(canvas, scale, y, bottom, title="points better", label=signed)
    canvas.line((scale(0), y), (scale(0), bottom), colour=INK, width=1.3)
    for top, (text, found) in zip(heads, drawn, strict=True):
        canvas.box(MARGIN - 6, top, canvas.width - MARGIN + 6, top + _HEAD - 4, PANEL)
        canvas.text(MARGIN, top + 15, cut(text, 13, canvas.width - 2 * MARGIN, bold=True), 13, bold=True)
        for index, (label, spot, bound) in enumerate(found):
            line = top + _HEAD + _ROW * (index + 0.42)
            canvas.text(MARGIN, line + 4, cut(label, 12, _LABEL - 10), 12)
            if bound is not None and scale.has(bound):
                canvas.line((scale(bound), line - 9), (scale(bound), line + 11), colour=MUTED, width=1.4, dash=(3, 2))
            across(canvas, _LOOK, spot, scale, line, size=3.8)
            canvas.text(canvas.width - MARGIN, line + 4, spot.incomplete, 12, "end", colour=MUTED)
    rest = [f"{missing} parts have no difference yet."] if missing else []
    return finish(canvas, notes(canvas, rest, end + 2))


def _keys(drawn: Sequence[tuple[str, list[Part]]]) -> list[Key]:
    bounded = any(bound is not None for _, found in drawn for _, _, bound in found)
    return [Key("what a claim allows", how="bound")] if bounded else []


def _in_points(question: Question) -> bool:
    return question.kind not in ("ratio", "trend")


def _parts(paper: Paper, questions: Sequence[Question], findings: Sequence[Finding]) -> list[Part]:
    """Those with a difference of ours; of ``best`` the comparison that is shown has no cells of its own."""
    out = []
    for question, finding in zip(questions, findings, strict=True):
        if not _in_points(question) or finding.difference is None:
            continue
        bound = {"not_greater": question.bound, "within": -question.bound}.get(question.kind)
        out.append((question.label, _spot(paper, question, finding), bound))
    return out


def _spot(paper: Paper, question: Question, finding: Finding) -> Spot:
    """The interval that decides, and the differences by seed where the part compares two cells."""
    a, b = question.cells[:2]
    seeds: dict[int, float] = {}
    if question.kind != "best":
        ours, theirs = (cell.scores(paper.variant.epoch_reported) for cell in (a, b))
        seeds = {seed: a.sign * (ours[seed] - theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())}
    paired = a.entry == b.entry and finding.paired95 is not None
    printed = printed_gain(question) if paper.variant.against_paper and question.kind != "best" else None
    return Spot(
        seeds=seeds,
        mean=finding.difference,
        interval=finding.paired95 if paired else finding.interval95,
        trials=finding.trials,
        wanted=max(one.suite.trials for one in paper.suites),
        printed=printed,
    )
