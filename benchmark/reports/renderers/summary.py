"""``summary.md``: the whole paper on one sheet, claims first, then every number, then what is missing."""

from collections.abc import Iterator

from benchmark.reports.judged import JudgedSuite
from benchmark.reports.paper import Paper
from benchmark.reports.renderers import claims_markdown
from benchmark.reports.renderers.markdown_text import escape, table
from benchmark.reports.sentences import (
    BEST_EPOCH,
    LETTERS,
    NO_GAINS,
    NOT_ROBUST,
    about_claims,
    about_numbers,
    letter,
)


def render(paper: Paper) -> str:
    """The sheet."""
    profile = paper.variant.profile
    parts = [
        "# Self-supervised Feature Enhancement: what came out again",
        f"Profile `{paper.variant.reports_name}`: {escape(profile.about)}"
        + (f" **{BEST_EPOCH}**" if paper.variant.epoch_reported == "best" else ""),
        f"**{about_claims(paper)}** {about_numbers(paper) or ''}".strip(),
        "## What the paper claims",
        *claims_markdown.render(paper.claims, paper.variant, "claims.csv"),
        *_numbers(paper),
        "## Runs",
        _runs(paper),
    ]
    return "\n\n".join(parts) + "\n"


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
    failed = f"\n\n{count} of the missing runs failed; `status` says why." if (count := paper.failed["all"]) else ""
    return f"{table(rows, '---|---:|---:')}\n\nSuites share runs, so `all` is less than their sum.{failed}"
