"""``report --check``: what lies on disk, of every profile that has something there."""

from pathlib import Path

import pytest

from benchmark.suites.manifest import PAPER_SUITES
from benchmark.system.paths import SUITES
from tests import made
from tests.cli.test_cli import Command, complete
from tests.cli.test_cli import command as command
from tests.cli.test_cli import folders as folders

BASELINE = "cifar100-resnet110-baseline-s0-aa55db385bad"


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time, and files are compared alike."""
    monkeypatch.setattr("benchmark.reports.figures.draw.of_suite", lambda *_: {"png": b"png", "svg": b"svg"})
    monkeypatch.setattr("benchmark.reports.figures.draw.of_paper", lambda _: {"scoreboard.png": b"png"})


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_on_disk_is_current(folders: Path, command: Command) -> None:
    said = command("report", "--check")
    assert said == (0, "no results or reports here\n", "")
    assert not list(folders.iterdir())


def test_reports_that_are_there_are_checked_and_no_others_wanted(folders: Path, command: Command) -> None:
    command("report", "table2")
    command("report", "table4", "--profile", "mini", "--set", "beta_on=last")
    before = tree_of(folders)
    assert command("report", "--check") == (0, "mini+beta_on=last: table4\npaper: table2\n", "")
    assert command("report", "--check", "--profile", "short") == (0, "short: no results or reports\n", "")
    for name in ("paper/table2.md", "mini+beta_on=last/table4.csv", "paper/summary.md"):
        path = folders / "reports" / name
        path.unlink()
        said = command("report", "--check")
        assert (said.status, said.err) == (1, f"not current: {path}\n")
        path.write_bytes(before[f"reports/{name}"])
    assert tree_of(folders) == before


def test_results_without_their_report_are_named(folders: Path, command: Command) -> None:
    complete(folders, BASELINE)
    said = command("report", "--check")
    assert said.status == 1
    assert "table1" in said.out
    assert "table2" not in said.out, "no result is of that one"
    command("report", *said.out.removeprefix("paper: ").strip().split(", "))
    assert command("report", "--check").status == 0
    for path in (folders / "reports" / "paper").glob("table1.*"):
        path.unlink()
    said = command("report", "--check")
    assert (said.status, said.err.count("not current: ")) == (1, 5)


def test_results_that_no_suite_asks_for_want_the_papers_reports(folders: Path, command: Command) -> None:
    path = folders / "results" / "paper" / f"{made.result().run_id}.json"
    path.parent.mkdir(parents=True)
    path.write_text(made.result().model_dump_json())
    assert command("report", "--check").out == f"paper: {', '.join(PAPER_SUITES)}\n"


def test_what_can_not_be_checked_is_said(folders: Path, command: Command) -> None:
    manifest = folders / "my-own.yaml"
    manifest.write_text((SUITES / "table2.yaml").read_text().replace("suite: table2", "suite: my-own"))
    command("report", str(manifest))
    said = command("report", "--check")
    assert said.status == 0
    assert "my-own.md: it is of a manifest that was not named" in said.err
    (folders / "reports" / "paper+decay_at=_0.5__0.75_").mkdir()
    said = command("report", "--check")
    assert said.status == 1
    assert "paper+decay_at=_0.5__0.75_: its name does not tell the settings" in said.err
