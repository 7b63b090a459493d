"""LaTeX: plain ASCII, and set without a complaint where there is a TeX."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmark.reports.judged import judge_suite
from benchmark.reports.paper import whole_paper
from benchmark.reports.renderers import latex
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.suites.suite import Suite
from tests.reports import fakes, pages

ENGINE = shutil.which("tectonic") or shutil.which("pdflatex")
DOCUMENT = "\\documentclass{article}\n\\usepackage{booktabs}\n\\textwidth6.5in\n\\oddsidemargin0pt\n\\begin{document}\n"
HOSTILE = f"{pages.HOSTILE} \\input{{/etc/passwd}} $x_1^2$ 50 % & # ~ 中 é"


def files_of(store: Store, profile: str = "paper") -> dict[str, str]:
    paper = whole_paper(fakes.under(profile, "table1").variant, Trials(store))
    return {one.suite.name: latex.table(one, tabulate(one)) for one in paper.suites} | {"claims": latex.claims(paper)}


def table_of(suite: Suite, store: Store, trials: int | None = None) -> str:
    one = judge_suite(suite, Trials(store))
    return latex.table(one, tabulate(one, trials))


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> pages.Memory:
    store = pages.Memory(tmp_path_factory.mktemp("partial") / "results" / "paper")
    pages.partial(store)
    return store


def test_a_table_says_what_it_holds_and_what_the_paper_prints(partial: pages.Memory) -> None:
    text = files_of(partial)["table1"]
    assert "\\label{tab:sfe-table1}" in text
    assert re.search(r"Profile paper, \d+ of 72 runs", text)
    assert "\\SFEpaper{paper} & \\SFEpaper{74.21\\,$\\pm$\\,0.35}" in text
    assert re.search(r"77\.\d\d\\,\$\\pm\$\\,0\.\d\d\\SFEv\{[RHLI]!?(\$\\dagger\$)?, 2 of 4\}", text)
    assert "WRN-28-10 & -- & -- & -- & --" in text


def test_columns_of_one_layer_stand_below_its_name(partial: pages.Memory) -> None:
    text = files_of(partial)["table6"]
    assert "\\multicolumn{2}{c}{Layer1} & \\multicolumn{2}{c}{Layer2}" in text
    assert "\\cmidrule(lr){2-3}\\cmidrule(lr){4-5}\\cmidrule(lr){6-7}" in text


@pytest.mark.parametrize("names", [("A x", "B x", "A y", "B y"), ("A x", "A y", "B x", "x"), ("a", "b", "c", "d")])
def test_columns_that_do_not_stand_in_groups_have_one_line(tmp_path: Path, names: tuple[str, ...]) -> None:
    columns = [{"name": name, "reads": "single"} for name in names]
    text = table_of(fakes.own(tmp_path, columns=columns, rows=[{"name": "one"}]), Store(tmp_path / "paper"))
    assert f"Setting & {' & '.join(names)} \\\\\n\\midrule" in text
    assert "multicolumn" not in text


def test_only_complete_cells_are_bold(partial: pages.Memory) -> None:
    for name, text in files_of(partial).items():
        for line in text.splitlines():
            if not line.startswith("\\SFEpaper"):
                assert not re.search(r"\\textbf\{[^}]*\}\\SFEv\{[^}]* of 4", line), name


def test_a_complete_cell_has_as_many_trials_as_were_asked_for(store: Store) -> None:
    suite = fakes.paper("table1")
    for column, value in (("Baseline", 74.0), ("SFE - SI", 76.0)):
        fakes.train(store, fakes.cell(suite, "ResNet-110", column), [value, value + 0.1])
    whole, asked = table_of(suite, store), table_of(suite, store, trials=2)
    assert "of 4 trials" not in asked
    assert "deviation of 4 trials" in whole
    assert "deviation of 2 trials" in asked
    assert "4 of 36 runs" in asked
    assert "2 of 4}" in whole
    assert "2 of 4}" not in asked
    assert "\\textbf{76.15" not in whole
    assert "\\textbf{76.15" in asked


def test_other_profiles_have_no_letters_and_no_published_numbers(tmp_path: Path) -> None:
    found = files_of(Store(tmp_path / "smoke"), "smoke")
    assert all("Not comparable" in text for name, text in found.items() if name != "claims")
    assert not any("74.21" in text or "\\SFEv{" in text for text in found.values())
    assert found["claims"].count("not judged (profile smoke)") == 13


def test_what_people_write_is_text(tmp_path: Path) -> None:
    suite = fakes.own(tmp_path, title=HOSTILE, corner=HOSTILE, rows=[{"name": HOSTILE}])
    text = table_of(suite, Store(tmp_path / "paper"))
    assert text.isascii()
    assert "\\input" not in text
    assert "\\textbackslash{}input\\{/etc/passwd\\}" in text
    assert "50 \\% \\& \\# \\textasciitilde{} ? e" in text


@pytest.mark.skipif(ENGINE is None, reason="needs pdflatex or tectonic")
@pytest.mark.parametrize("bare", [False, True])
def test_all_files_are_set_together_without_a_complaint(partial: pages.Memory, tmp_path: Path, bare: bool) -> None:
    assert ENGINE
    found = files_of(partial)
    hostile = fakes.own(tmp_path, title=HOSTILE, corner="&", rows=[{"name": "% $ _ ^ ~ \\ { }"}])
    found["mine"] = table_of(hostile, partial)
    assert all(text.isascii() for text in found.values())
    parts = [DOCUMENT, "\\parindent0pt\\def\\SFEbare{}\n" if bare else ""]
    for name, text in found.items():
        (tmp_path / f"{name}.tex").write_text(text, encoding="ascii")
        parts.append(f"\\input{{{name}.tex}}\n\\clearpage\n" + ("" if bare else f"\\ref{{tab:sfe-{name}}}\n"))
    (tmp_path / "all.tex").write_text("".join([*parts, "\\end{document}\n"]), encoding="ascii")
    words = [ENGINE, "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    if "tectonic" in ENGINE:
        words = [ENGINE, "--keep-logs", "all.tex"]
    for _ in range(2):  # labels are known the second time
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "all.log").read_text(encoding="latin-1")
    assert "Overfull \\hbox" not in log, re.findall(r"Overfull.*\n.*", log)
    assert "undefined" not in log
    assert "multiply defined" not in log
