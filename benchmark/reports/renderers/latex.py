"""Tables to be ``\\input`` into a paper: they need booktabs and nothing else, and are plain ASCII.

``\\def\\SFEbare{}`` before the ``\\input`` leaves the tabular alone, for a float of one's own.
"""

import unicodedata
from collections.abc import Sequence
from itertools import groupby

from benchmark.reports.judged import JudgedSuite
from benchmark.reports.numbers import as_printed, signed
from benchmark.reports.paper import Paper
from benchmark.reports.sentences import ANSWER_LETTERS, LETTERS, letter
from benchmark.reports.table import Table, TableCell
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


def table(one: JudgedSuite, found: Table) -> str:
    """A suite's table.

    Args:
        one: the suite under its profile, judged.
        found: it as it is printed.
    """
    columns, compared = found.columns, one.suite.variant.against_paper
    wide = len(columns) >= _WIDE
    body = [
        f"\\begin{{tabular}}{{@{{}}l{'r' * len(columns)}@{{}}}}",
        "\\toprule",
        *_head(found.corner, columns),
        "\\midrule",
        "\\addlinespace\n".join(_row(found, row, wide, compared) for row in found.rows).rstrip("\n"),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    small = "\\scriptsize\\let\\footnotesize\\scriptsize\\setlength{\\tabcolsep}{2pt}%\n" if wide else "\\small%\n"
    return _float(small + "\n".join(body), _caption(one, found), one.suite.name)


def _float(tabular: str, caption: str, name: str) -> str:
    """The tabular within a table that ``\\SFEbare`` leaves out."""
    return (
        f"% Made by python run_suite.py report; needs \\usepackage{{booktabs}}.\n{_COMMANDS}\n"
        f"\\ifdefined\\SFEbare\\else\n\\begin{{table}}[t]\n\\centering\n\\caption{{{caption}}}\n"
        f"\\label{{tab:sfe-{name}}}\n\\fi\n{{{tabular}%\n}}\n\\ifdefined\\SFEbare\\else\n\\end{{table}}\n\\fi\n"
    )


def _caption(one: JudgedSuite, found: Table) -> str:
    variant, (done, planned) = one.suite.variant, found.runs
    told = [f"{escape(found.title)}: mean $\\pm$ standard deviation of {found.trials} trials."]
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
    """One line, or two where neighbours come in groups of one first word: ``Layer1 SI``, ``Layer1 AG``."""
    groups = [(first, len(list(names))) for first, names in groupby(columns, lambda name: name.rpartition(" ")[0])]
    if len(columns) < 4 or any(not first or count < 2 for first, count in groups):
        return [" & ".join(map(escape, [corner, *columns])) + " \\\\"]
    upper, rules, at = [], [], 2
    for first, count in groups:
        upper.append(f"\\multicolumn{{{count}}}{{c}}{{{escape(first)}}}")
        rules.append(f"\\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    lower = [escape(name.rpartition(" ")[2]) for name in columns]
    return [" & ".join(["", *upper]) + " \\\\", "".join(rules), " & ".join([escape(corner), *lower]) + " \\\\"]


def _row(found: Table, row: str, wide: bool, compared: bool) -> str:
    cells = [found.cells.get((row, column)) for column in found.columns]
    lines = [" & ".join([escape(row), *(_ours(cell, wide) for cell in cells)]) + " \\\\"]
    if compared and any(cell and cell.published for cell in cells):
        lines.append(" & ".join(["\\SFEpaper{paper}", *map(_paper, cells)]) + " \\\\")
    return "\n".join(lines) + "\n"


def _ours(cell: TableCell | None, wide: bool) -> str:
    if cell is None:
        return ""
    if cell.summary is None:
        return "--"
    text = _number(cell, cell.summary, cell.best_ours)
    if cell.is_cost:
        return text if cell.overhead_percent is None else f"{text} ({_percent(cell.overhead_percent)})"
    signs = [escape(letter(cell.verdict))] if cell.verdict and cell.verdict.word != "no verdict" else []
    signs += [] if cell.is_complete else [f"{cell.summary.trials}{'/' if wide else ' of '}{cell.trials_wanted}"]
    return f"{text}\\SFEv{{{(',' if wide else ', ').join(signs)}}}" if signs else text


def _paper(cell: TableCell | None) -> str:
    if cell is None or cell.published is None:
        return ""
    printed = cell.published.overhead_percent
    overhead = "" if printed is None else f" ({_percent(printed)})"
    return f"\\SFEpaper{{{_number(cell, cell.published, cell.best_published)}{overhead}}}"


def _number(cell: TableCell, value: Summary | Published, best: bool) -> str:
    text = as_printed(cell.metric, value).replace(" ± ", "\\,$\\pm$\\,")
    return f"\\textbf{{{text}}}" if best else text


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
