import os
import stat
from pathlib import Path

import pytest

from benchmark.system.files import open_regular, write_atomic
from benchmark.system.folders import make_folder, why_unwritable
from benchmark.system.locks import Lock


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.mark.parametrize(
    ("parent", "folder", "file"),
    [(0o755, "0o755", "0o644"), (0o775, "0o775", "0o664"), (0o777, "0o777", "0o666"), (0o1777, "0o755", "0o644")],
)
def test_who_may_write_in_a_folder_may_write_in_what_is_put_there(
    tmp_path: Path, parent: int, folder: str, file: str
) -> None:
    before = os.umask(0o022)
    try:
        tmp_path.chmod(parent)
        make_folder(tmp_path / "a" / "b")
        write_atomic(tmp_path / "c" / "written", b"")
        open_regular(tmp_path / "log.txt", mode="ab").close()
        with Lock(tmp_path / "c" / "lock"):
            assert mode(tmp_path / "c" / "lock") == file
    finally:
        os.umask(before)
    assert {mode(tmp_path / name) for name in ("a", "a/b", "c")} == {folder}
    assert {mode(tmp_path / name) for name in ("c/written", "log.txt")} == {file}


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "private").mkdir(mode=0o700)
    make_folder(tmp_path / "private")
    assert mode(tmp_path / "private") == "0o700"


@pytest.mark.parametrize("what", ["a file", "a link to nowhere"])
def test_something_else_in_its_place(tmp_path: Path, what: str) -> None:
    place = tmp_path / "place"
    place.write_text("") if what == "a file" else place.symlink_to("nowhere")
    for folder in (place, place / "below"):
        with pytest.raises(NotADirectoryError, match="a file or a link to nowhere stands in its place") as error:
            make_folder(folder)
        assert error.value.filename == str(place)
        assert why_unwritable(folder) == "a file or a link to nowhere stands in its place"
