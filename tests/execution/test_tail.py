from pathlib import Path

import pytest

from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.tail import News, Tail
from tests.made import result, spec

HISTORY = result(spec(schedule={"epochs": 4, "batch_size": 128, "learning_rate": 0.1})).history


def add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_lines_come_whole_and_once(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    tail = Tail(path)
    assert list(tail.lines()) == []  # the file is not there yet
    for text, lines in (("one\ntw", ["one"]), ("o", []), ("\nthree ü\n", ["two", "three ü"]), ("torn", [])):
        add(path, text)
        assert list(tail.lines()) == lines
    assert list(tail.lines(torn=True)) == ["torn"]
    assert list(tail.lines(torn=True)) == []


def test_a_torn_line_is_continued_by_the_next_attempt(tmp_path: Path) -> None:
    add(tmp_path / "log.txt", "Traceba")
    tail = Tail(tmp_path / "log.txt")
    assert list(tail.lines()) == []
    add(tmp_path / "log.txt", "2026-01-01 start\n")
    assert list(tail.lines()) == ["Traceba2026-01-01 start"]


@pytest.mark.parametrize("way", ["cut", "replaced"])
def test_a_file_that_is_made_anew_is_read_from_its_beginning(tmp_path: Path, way: str) -> None:
    path = tmp_path / "log.txt"
    add(path, "a long first line\n")
    tail = Tail(path)
    assert list(tail.lines()) == ["a long first line"]
    if way == "replaced":
        add(tmp_path / "other", "another line, and longer\n")
        (tmp_path / "other").replace(path)
    else:
        path.write_text("short\n")
    assert list(tail.lines()) == (["short"] if way == "cut" else ["another line, and longer"])


def test_a_line_without_an_end_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes(b"x" * 200_000)
    assert sum(map(len, Tail(tmp_path / "log.txt").lines())) == 3 * 2**16


def test_news_are_what_comes_from_now_on_through_attempts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    add(folder.log, "before\n")
    file = EpochFile(folder.epochs)
    file.hold(HISTORY[:1])
    news = News(folder)
    assert news.look() == ([], [])
    add(folder.log, "start\nepo")
    file.hold(HISTORY[:2])
    lines, epochs = news.look()
    assert (lines, [epoch.epoch for epoch in epochs]) == (["start"], [2])
    file = EpochFile(folder.epochs)
    file.hold([])  # killed, and without a checkpoint
    assert news.look() == ([], [])
    file.hold(HISTORY[:2])
    assert news.look() == ([], []), "the same numbers again are no news"
    file = EpochFile(folder.epochs)
    changed = [HISTORY[0], HISTORY[1] | {"train_loss": 1.25}, *HISTORY[2:]]  # on another processor
    file.hold(changed[:3])
    lines, epochs = news.look(last=True)
    assert (lines, [epoch.entry() for epoch in epochs]) == (["epo"], changed[1:3])
