import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmark.files import write_atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made_and_no_temporary_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "result.json"
    write_atomic(path, b"content")
    assert path.read_bytes() == b"content"
    assert names(path.parent) == ["result.json"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_replacing_is_the_default(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"first")
    write_atomic(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert names(tmp_path) == ["file"]


def test_without_replacing_the_first_stays(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_full_disk_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomic(tmp_path / "old", b"first")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomic(tmp_path / ("old" if replace else "new"), b"second", replace=replace)
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"first"


def no_links(*names: object, **options: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def visible(folder: Path) -> list[str]:
    return [name for name in names(folder) if name != ".rename.lock"]


def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    write_atomic(tmp_path / "file", b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert visible(tmp_path) == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_one_wins_and_its_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "file"
    contents = [bytes([65 + index]) * 100_000 for index in range(8)]

    def attempt(content: bytes) -> bool:
        try:
            write_atomic(path, content, replace=False)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, contents))
    assert won.count(True) == 1
    assert path.read_bytes() == contents[won.index(True)]
    assert visible(tmp_path) == ["file"]
