"""Text of results and manifests is anybody's: no report passes on what a reader's program would act on."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmark.reports.renderers.csv_text import safe
from benchmark.reports.write import write_reports
from benchmark.results.store import Store
from benchmark.runs.spec import with_seed
from benchmark.wording import visible
from tests.made import MACHINE
from tests.made import result as made_result

from .fakes import own

HOSTILE = "\x1b]0;owned\x07\x1b[2Jx\x9b1m\x85\u202ey"
FORMULAS = ('=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(1)", "\t=1+2", " =1", "＝1+1", "=cmd|' /C calc'!A0")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    rows = [{"name": name} for name in (*FORMULAS, "right \u202e left", "x\u2028y")]
    suite = own(tmp_path, title="T \u202e <!-- -->", corner="=1+1", rows=rows, best="none")
    store = Store(tmp_path / "results")
    for seed, device in enumerate((HOSTILE, "=1+1")):
        spec = with_seed(suite.cells[1].spec, seed)
        store.put(made_result(spec, provenance={**MACHINE, "device": device}))  # type: ignore[arg-type]
    paths = write_reports([suite], store, tmp_path / "reports")
    return {path.name: path.read_bytes().decode() for path in paths if path.suffix != ".png"}


def test_nothing_hides(files: dict[str, str]) -> None:
    assert {"mine.md", "mine.csv", "mine.svg", "mine.trials.csv"} <= files.keys()
    for text in files.values():
        for line in text.split("\n"):
            assert visible(line) == line


def test_the_device_is_named_all_the_same(files: dict[str, str]) -> None:
    assert "owned" in files["mine.csv"]
    assert "**Mixed trials**" in files["mine.md"]
    assert ElementTree.fromstring(files["mine.svg"]).tag.endswith("svg")


def test_no_cell_of_the_csv_is_a_formula(files: dict[str, str]) -> None:
    tables = (files["mine.csv"], files["mine.trials.csv"])
    cells = [cell for text in tables for line in csv.reader(io.StringIO(text)) for cell in line]
    assert "'+1+1" in cells
    for cell in cells:
        assert not cell.strip().startswith(tuple("=+@＝")), cell
        assert not cell.startswith("-") or float(cell)


@pytest.mark.parametrize("value", [-0.5, 3, None, "K = 1 + 4", "beta = 0.1", "", "a-b"])
def test_what_runs_nothing_stays(value: object) -> None:
    assert safe(value, "row", "mine") == value


def test_what_the_paper_prints_stays() -> None:
    assert safe("+ Cutout", "row", "table4") == "+ Cutout"
    assert safe("+ Cutout", "device", "table4") == safe("+ Cutout", "row", "mine") == "'+ Cutout"
