"""``report --open``."""

from pathlib import Path

import pytest

from tests.cli.test_cli import Command
from tests.cli.test_cli import command as command
from tests.cli.test_cli import folders as folders


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time."""
    monkeypatch.setattr("benchmark.reports.figures.draw.of_suite", lambda *_: {"png": b"png", "svg": b"svg"})
    monkeypatch.setattr("benchmark.reports.figures.draw.of_paper", lambda _: {"scoreboard.png": b"png"})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser was given."""
    found: list[str] = []

    def show(address: str) -> bool:
        found.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    return found


def test_the_page_is_written_named_and_opened(folders: Path, command: Command, opened: list[str]) -> None:
    status, said, _ = command("report", "table2", "--open")
    assert status == 0
    page = folders / "reports" / "paper" / "index.html"
    assert "index.html" in said
    assert opened == [page.resolve().as_uri()]


def test_without_a_browser_the_path_has_to_do(folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    status, said, complaint = command("report", "table2", "--open")
    assert (status, "index.html" in said, "no browser here" in complaint) == (0, True, True)


def test_a_check_opens_nothing(folders: Path, command: Command, opened: list[str]) -> None:
    status, _, complaint = command("report", "--check", "--open")
    assert status == 2
    assert "leave out --open" in complaint
    assert opened == []
