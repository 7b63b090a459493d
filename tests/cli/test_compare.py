"""``compare`` on the command line."""

import json
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.results.store import Store
from tests.reports.fakes import cell, own, train, under


def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["run_suite.py", "compare", *words])
    status = 0
    try:
        main()
    except SystemExit as error:
        status = int(error.code or 0)
    out = capsys.readouterr()
    return status, out.out, out.err


@pytest.fixture
def two(tmp_path: Path) -> Path:
    suite = under("reduced", "table1")
    for folder, shift in (("one", 0.0), ("two", 0.05)):
        store = Store(tmp_path / folder / "reduced")
        train(store, cell(suite, "ResNet-110", "Baseline"), [36.0 + shift, 36.4 + shift, 36.1 + shift])
        train(store, cell(suite, "ResNet-110", "SFE - SI"), [38.0 - 9 * shift, 38.4, 38.1 - 9 * shift])
    return tmp_path


def test_two_folders(two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words = (str(two / "one" / "reduced"), str(two / "two" / "reduced"), "table1")
    status, out, _ = said(capsys, monkeypatch, *words)
    assert status == 0
    assert any(line.startswith("same") and "ResNet-110 / Baseline (3 pairs)" in line for line in out.splitlines())
    status, out, _ = said(capsys, monkeypatch, *words, "--format", "json")
    tree = json.loads(out)
    assert tree["cells"]["table1"][0]["difference"] == pytest.approx(0.05)
    assert tree["claims"][0]["claim"] == "1"


def test_profiles_by_name(two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, out, _ = said(
        capsys, monkeypatch, "reduced", "reduced+beta_on=last", "table1", "--results-dir", str(two / "one")
    )
    assert "ResNet-110 / Baseline (3 pairs)" in out, "the choice does not matter to a baseline"


@pytest.mark.parametrize(
    ("name", "words"), [("minimal", "should end with a profile's name"), ("reduced+beta_on=both", "beta_on")]
)
def test_what_is_no_variant(
    name: str, words: str, two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = said(capsys, monkeypatch, "reduced", name)
    assert status == 2
    assert words in err


def test_either_side_is_read_by_its_own_epoch(
    two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = ("reduced", "reduced+epoch_reported=best")
    _, out, _ = said(capsys, monkeypatch, *sides, "table1", "--results-dir", str(two / "one"))
    line = next(line for line in out.splitlines() if "ResNet-110 / Baseline" in line)
    assert "+0.50" in line, "best epochs of these are half a point better"


def test_claims_of_ones_own_are_compared_and_unjudged_ones_said(
    two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"kind": "greater", "label": "one", "a": ["one", "SI"], "b": ["one", "Plain"]}
    suite = own(two, "reduced", claims=[{"claim": "mine", "statement": "Masks help", "parts": [part]}])
    store = Store(two / "three" / "reduced")
    for column, values in (("SI", [38.0, 38.4, 38.1]), ("Plain", [36.0, 36.4, 36.1])):
        train(store, cell(suite, "one", column), values)
    words = ("reduced", "reduced", str(suite.path), "--results-dir", str(two / "three"))
    _, out, _ = said(capsys, monkeypatch, *words)
    assert "claim mine supported and supported: the same" in out
    _, out, _ = said(capsys, monkeypatch, "mini", "mini", "table1", "--results-dir", str(two / "three"))
    assert out.splitlines()[-1] == "claims: not judged (profile mini)"


def test_a_profile_by_name_has_nothing_to_do_with_the_current_folder(
    two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("reduced", "reduced+beta_on=last", "table1", "--results-dir", str(two / "one"))
    (two / "here").mkdir()
    monkeypatch.chdir(two / "here")
    expected = said(capsys, monkeypatch, *words)
    (two / "here" / "reduced").touch()
    assert said(capsys, monkeypatch, *words) == expected


@pytest.mark.parametrize(("there", "reason"), [("a file", "is no folder"), ("nothing", "there is no folder")])
def test_a_side_that_is_no_folder(
    there: str, reason: str, two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (two / "lab").mkdir()
    if there == "a file":
        (two / "lab" / "reduced").touch()
        status, _, err = said(capsys, monkeypatch, "reduced", "reduced", "--results-dir", str(two / "lab"))
        assert (status, err.count("\n")) == (2, 1)
        assert reason in err
    status, _, err = said(capsys, monkeypatch, str(two / "one" / "reduced"), str(two / "lab" / "reduced"))
    assert (status, err.count("\n")) == (2, 1)
    assert reason in err
