import io
import subprocess
import sys
from pathlib import Path

import matplotlib.image
from PIL import Image

from benchmark.reports.write import stale_reports, write_reports
from benchmark.results.store import Store
from tests.places import ROOT

from .fakes import cell, fill, paper, train, under


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_of_a_suite_in_the_variants_folder(store: Store, tmp_path: Path) -> None:
    suites = [paper("table2", ["beta_on=last"]), paper("table4", ["beta_on=last"])]
    written = write_reports(suites, store, tmp_path / "reports")
    folder = tmp_path / "reports" / "paper+beta_on=last"
    endings = ("csv", "md", "png", "svg", "curves.png", "curves.svg", "tex")
    each = [folder / f"{name}.{end}" for name in ("table2", "table4") for end in endings]
    whole = ["claims.tex", "claims.csv", "trials.csv", "summary.md", "summary.csv"]
    whole += ["differences.png", "differences.svg", "scoreboard.png", "index.html"]
    assert written == each + [folder / name for name in whole]
    assert sorted(tree_of(folder)) == sorted(path.name for path in written)


def test_writing_again_changes_no_byte(store: Store, tmp_path: Path) -> None:
    suites = [paper("table2"), under("smoke", "table4")]
    fill(store, suites[:1])
    write_reports(suites, store, tmp_path / "reports")
    before = tree_of(tmp_path / "reports")
    write_reports(suites, store, tmp_path / "reports")
    assert tree_of(tmp_path / "reports") == before


def test_stale_is_what_writing_would_change(store: Store, tmp_path: Path) -> None:
    suites, reports = [paper("table2"), paper("table4")], tmp_path / "reports"
    assert len(stale_reports(suites, store, reports)) == 2 * 7 + 9
    assert not reports.exists()
    write_reports(suites, store, reports)
    assert stale_reports(suites, store, reports) == []
    edited = reports / "paper" / "table4.md"
    edited.write_text(edited.read_text() + "better by hand\n")
    assert stale_reports(suites, store, reports) == [edited]
    train(store, cell(suites[0], "CIFAR-10", "Baseline"), [94.0])
    stale = {path.name for path in stale_reports(suites, store, reports)}
    whole = {
        "trials.csv",
        "summary.md",
        "summary.csv",
        "differences.png",
        "differences.svg",
        "scoreboard.png",
        "table4.md",
        "claims.tex",
        "index.html",
    }
    pictures = {f"table2{kind}.{ending}" for kind in ("", ".curves") for ending in ("png", "svg")}
    assert stale == {"table2.csv", "table2.md", "table2.tex"} | pictures | whole


def test_a_picture_packed_otherwise_is_not_stale(store: Store, tmp_path: Path) -> None:
    suites, reports = [paper("table2")], tmp_path / "reports"
    write_reports(suites, store, reports)
    picture = reports / "paper" / "table2.png"
    before = picture.read_bytes()
    Image.open(io.BytesIO(before)).save(picture, compress_level=1)
    assert picture.read_bytes() != before
    assert stale_reports(suites, store, reports) == []
    picture.write_bytes(before[:100])
    assert stale_reports(suites, store, reports) == [picture]
    matplotlib.image.imsave(picture, matplotlib.image.imread(io.BytesIO(before))[::-1])
    assert stale_reports(suites, store, reports) == [picture]


def test_a_broken_result_costs_its_own_trial_only(store: Store, tmp_path: Path) -> None:
    suites, reports = [paper("table2"), paper("table1")], tmp_path / "reports"
    train(store, cell(suites[0], "CIFAR-10", "Baseline"), [94.0])
    (name,) = store.completed()
    train(store, cell(suites[0], "CIFAR-10", "Baseline"), [94.0, 95.0])
    store.path(name).write_text("{}")
    assert len(write_reports(suites, store, reports)) == 2 * 7 + 9, "the other suites have theirs"
    text = (reports / "paper" / "table2.md").read_text()
    assert f"- **Not counted**, as they can't be read or contradict themselves: `{name}.json`" in text
    assert "95.00 (n = 1 of 4)" in text
    assert "Not counted" not in (reports / "paper" / "table1.md").read_text()


def test_reports_need_no_torch_and_their_package_nothing_at_all() -> None:
    code = "import sys, benchmark.reports as r; assert not {'pandas', 'matplotlib'} & set(sys.modules)\n"
    code += "import benchmark.reports.write; assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
