"""Tables to be ``\\input`` into a paper: they need booktabs and nothing else, and are plain ASCII.

``\\def\\SFEbare{}`` before the ``\\input`` leaves the tabular alone, for a float of one's own.
"""

import unicodedata
from collections.abc import Sequence

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.numbers import as_printed, signed
from benchmark.reports.paper import Paper
from benchmark.reports.sentences import ANSWER_LETTERS, LETTERS, letter
from benchmark.reports.standing import best_places, measured, runs_of, summary_of, wanted
from benchmark.runs.metrics import COST_METRICS, OVERHEADS, of_epoch
from benchmark.suites.manifest import Published
from benchmark.verdicts.summary import Summary

_COMMANDS = "\\providecommand{\\SFEv}[1]{\\textsuperscript{#1}}\n\\providecommand{\\SFEpaper}[1]{{\\footnotesize #1}}"
_SPECIAL = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{",
    "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$",
    '"': "''", "`": "{`}",
    "±": "$\\pm$", "β": "$\\beta$", "δ": "$\\delta$", "ρ": "$\\rho$", "×": "$\\times$", "−": "$-$", "–": "--",
    "—": "---", "†": "$\\dagger$", "≤": "$\\leq$", "≥": "$\\geq$", "…": "...", "’": "'", "“": "``",
    "”": "''",
}  # fmt: skip
#: Columns from which a table is set smaller, to fit 6.5 inches.
_WIDE = 5


def escape(text: str) -> str:
    """Text that LaTeX shows as it is, in ASCII; a sign that it has no letters for becomes a question mark."""
    return "".join(_SPECIAL.get(char) or _ascii(char) for char in " ".join(text.split()))


def _ascii(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() else "?"
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return "".join(_SPECIAL.get(one, one) for one in plain) or "?"


# ------------------------------------------------------------------ one suite


def table(one: JudgedSuite) -> str:
    """A suite's table."""
    manifest = one.suite.manifest
    columns = [column.name for column in manifest.columns]
    wide = len(columns) >= _WIDE
    body = [
        f"\\begin{{tabular}}{{@{{}}l{'r' * len(columns)}@{{}}}}",
        "\\toprule",
        *_head(manifest.corner, columns),
        "\\midrule",
        "\\addlinespace\n".join(_row(one, row.name, columns) for row in manifest.rows).rstrip("\n"),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    small = "\\scriptsize\\let\\footnotesize\\scriptsize\\setlength{\\tabcolsep}{2pt}%\n" if wide else "\\small%\n"
    return _float(small + "\n".join(body), _caption(one), one.suite.name)


def _float(tabular: str, caption: str, name: str) -> str:
    """The tabular within a table that ``\\SFEbare`` leaves out."""
    return (
        f"% Made by python run_suite.py report; needs \\usepackage{{booktabs}}.\n{_COMMANDS}\n"
        f"\\ifdefined\\SFEbare\\else\n\\begin{{table}}[t]\n\\centering\n\\caption{{{caption}}}\n"
        f"\\label{{tab:sfe-{name}}}\n\\fi\n{{{tabular}%\n}}\n\\ifdefined\\SFEbare\\else\n\\end{{table}}\n\\fi\n"
    )


def _caption(one: JudgedSuite) -> str:
    manifest, variant = one.suite.manifest, one.suite.variant
    done, planned = runs_of(one)
    told = [f"{escape(manifest.title)}: mean $\\pm$ standard deviation of {one.suite.trials} trials."]
    if variant.against_paper:
        letters = ", ".join(f"{escape(sign)} {word}" for word, sign in LETTERS.items() if word != "no verdict")
        margins = sorted({cell.reading.margin for cell in one.cells.values() if cell.reading})
        margin = " or ".join(f"{each:g}" for each in margins)
        told.append(
            f"Below it the paper's. {letters}; ! strongly, $\\dagger$ another verdict under another reading of $\\pm$."
        )
        told.append(f"Margin $\\pm${margin} points.")
    else:
        told.append("Not comparable with the paper's numbers.")
    told.append(f"Profile {escape(variant.reports_name)}, {done} of {planned} runs.")
    return " ".join(told)


def _head(corner: str, columns: Sequence[str]) -> list[str]:
    """One line, or two where columns come in groups of one first word: ``Layer1 SI``, ``Layer1 AG``."""
    groups: dict[str, list[str]] = {}
    for name in columns:
        first, _, last = name.rpartition(" ")
        groups.setdefault(first, []).append(last)
    if len(columns) < 4 or any(not first or len(lasts) < 2 for first, lasts in groups.items()):
        return [" & ".join(map(escape, [corner, *columns])) + " \\\\"]
    upper, rules, at = [], [], 2
    for first, lasts in groups.items():
        upper.append(f"\\multicolumn{{{len(lasts)}}}{{c}}{{{escape(first)}}}")
        rules.append(f"\\cmidrule(lr){{{at}-{at + len(lasts) - 1}}}")
        at += len(lasts)
    lower = [escape(last) for lasts in groups.values() for last in lasts]
    return [" & ".join(["", *upper]) + " \\\\", "".join(rules), " & ".join([escape(corner), *lower]) + " \\\\"]


def _row(one: JudgedSuite, row: str, columns: Sequence[str]) -> str:
    best = best_places(one)
    cells = [one.cells.get((row, column)) for column in columns]
    lines = [" & ".join([escape(row), *(_ours(one, cell, best) for cell in cells)]) + " \\\\"]
    if one.suite.variant.against_paper and any(cell and cell.cell.published for cell in cells):
        lines.append(" & ".join(["\\SFEpaper{paper}", *(_paper(cell, best) for cell in cells)]) + " \\\\")
    return "\n".join(lines) + "\n"


def _ours(one: JudgedSuite, cell: JudgedCell | None, best: frozenset[tuple[str, str, str]]) -> str:
    if cell is None:
        return ""
    summary = summary_of(one, cell)
    if summary is None:
        return "--"
    text = _number(summary, cell.cell.reads)
    if ("ours", cell.cell.row, cell.cell.column) in best:
        text = f"\\textbf{{{text}}}"
    if cell.cell.is_cost:
        overhead = measured(cell, OVERHEADS[cell.cell.reads])
        return text if overhead is None else f"{text} ({_percent(overhead)})"
    signs = [escape(letter(cell.verdict))] if cell.verdict.word != "no verdict" else []
    full = wanted(one, cell)
    wide = len(one.suite.manifest.columns) >= _WIDE
    signs += [f"{summary.trials}{'/' if wide else ' of '}{full}"] if summary.trials < full else []
    return f"{text}\\SFEv{{{(',' if wide else ', ').join(signs)}}}" if signs else text


def _paper(cell: JudgedCell | None, best: frozenset[tuple[str, str, str]]) -> str:
    if cell is None or cell.cell.published is None:
        return ""
    published = cell.cell.published
    text = _number(published, cell.cell.reads)
    if ("paper", cell.cell.row, cell.cell.column) in best:
        text = f"\\textbf{{{text}}}"
    overhead = "" if published.overhead_percent is None else f" ({_percent(published.overhead_percent)})"
    return f"\\SFEpaper{{{text}{overhead}}}"


def _number(value: Summary | Published, reads: str) -> str:
    metric = reads if reads in COST_METRICS else of_epoch("accuracy", "last")
    return as_printed(metric, value).replace(" ± ", "\\,$\\pm$\\,")


def _percent(value: float) -> str:
    return f"${signed(value)}$\\,\\%"


# ------------------------------------------------------------------ claims


def claims(paper: Paper) -> str:
    """The claims' answers; where the profile judges none each says so."""
    judged, profile = paper.variant.judges_claims, escape(paper.variant.reports_name)
    rows = []
    for claim in paper.claims:
        answer, parts, printed = f"not judged (profile {profile})", "", ""
        if judged:
            answer = f"{claim.verdict.word}\\SFEv{{{ANSWER_LETTERS[claim.verdict.word]}}}"
            parts = f"{claim.verdict.supported} of {claim.verdict.parts}"
        if claim.published is not None:
            printed = f"{claim.published.word}, {claim.published.supported} of {claim.published.parts}"
        rows.append(f"{escape(claim.claim)} & {escape(claim.statement)} & {answer} & {parts} & {printed} \\\\")
    body = [
        "\\begin{tabular}{@{}lp{2.3in}p{1.2in}lp{1.3in}@{}}",
        "\\toprule",
        " & Claim & Answer & Supported & The paper's numbers, by this rule \\\\",
        "\\midrule",
        "\n".join(rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    done, planned = paper.runs["all"]
    caption = (
        "What the paper claims, answered by our own runs in parts; an answer needs two trials of every cell. "
        f"Profile {profile}, {done} of {planned} runs."
    )
    return _float("\\footnotesize\\raggedright%\n" + "\n".join(body), caption, "claims")
