"""What is no file of sane size is never read: named at once, whatever lies in its place."""

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.data import fetch
from benchmark.data.archives import Archive
from benchmark.data.decode import Task, decode
from benchmark.data.download import download
from benchmark.data.layouts import read_official
from benchmark.data.places import FOLDERS, INDEX_FILES, glance
from benchmark.data.source import prepare
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset
from benchmark.system.files import LARGEST, open_regular, read_regular
from tests.closed import closed, public
from tests.data.test_stale import MINE, own_folder


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


KINDS: list[tuple[str, Callable[[Path], object]]] = [
    ("is a named pipe, no file", pipe),
    ("is a socket, no file", listening),
    ("is a device, no file", lambda path: path.symlink_to("/dev/zero")),
    (
        f"has {LARGEST + 1} bytes, more than",
        lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), LARGEST + 1),
    ),
    ("is a link to a file that isn't there", lambda path: path.symlink_to("gone.bmp")),
    ("can't be read: Too many levels of symbolic links", lambda path: path.symlink_to(path.name)),
]


@pytest.mark.parametrize(("reason", "make"), KINDS)
def test_among_images_it_is_named(reason: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    file = own_folder(tmp_path / "data") / "0.bmp"
    file.unlink()
    make(file)
    with pytest.raises(DataError, match=rf"^{re.escape(str(file))} {re.escape(reason)}.*; put the image back, or take"):
        prepare(MINE, tmp_path / "data", tmp_path / "cache")
    if "link" not in reason:  # it came there after the listing
        with pytest.raises(DataError, match=rf"^{re.escape(str(file))} cannot be decoded: {re.escape(reason)}"):
            decode(Task(files=(str(file),), side=32, exact=False))


@pytest.mark.parametrize(("reason", "make"), KINDS)
def test_in_the_place_of_a_cifar_file_too(
    reason: str, make: Callable[[Path], object], small_cifar100: Path, tmp_path: Path
) -> None:
    file = small_cifar100 / "cifar-100-python" / "train"
    file.unlink()
    make(file)
    with pytest.raises(DataError, match=rf"^{re.escape(str(file))} {re.escape(reason)}.*; unpack the official"):
        prepare(Dataset(name="cifar100"), small_cifar100, tmp_path / "cache")


@pytest.mark.parametrize(("reason", "make"), [kind for kind in KINDS if "bytes" not in kind[0]])
def test_in_the_place_of_an_archive_too(reason: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    archive = Archive(file="set.tar", url="http://127.0.0.1:9/set.tar", size=9, md5="0" * 32)
    make(tmp_path / "set.tar")
    with pytest.raises(DataError, match=r"set\.tar is not the publisher's file: it (is a|can't be read)"):
        download(archive, tmp_path)
    (tmp_path / "set.tar").unlink()
    make(tmp_path / "set.tar.part")
    with pytest.raises(DataError, match=r"set\.tar\.part is no file; take it away"):
        download(archive, tmp_path)


@pytest.mark.parametrize("name", ["tiny-imagenet", "cub200", "stanford_dogs", "stanford_cars"])
def test_in_the_place_of_an_index_file_too(name: str, tmp_path: Path) -> None:
    for file in INDEX_FILES[name]:
        place = tmp_path / FOLDERS[name] / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to("/dev/zero")
    assert glance(name, tmp_path / FOLDERS[name]).startswith("incomplete")
    with pytest.raises(DataError, match="is missing; unpack the publisher's archive"):
        read_official(name, tmp_path)
    monstrous = tmp_path / FOLDERS[name] / INDEX_FILES[name][0]
    for file in INDEX_FILES[name]:
        (tmp_path / FOLDERS[name] / file).unlink()
        (tmp_path / FOLDERS[name] / file).touch()
    os.truncate(monstrous, LARGEST + 1)
    with pytest.raises(DataError, match=r"cannot be read: .*has \d+ bytes, more than the"):
        read_official(name, tmp_path)


def test_a_folder_that_links_to_one_above_ends_at_once(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "data")
    for name in ("one", "two", "three"):
        (folder / name).symlink_to(folder)
    with pytest.raises(DataError, match=r"train/a/(one|two|three) links to a folder above itself; take the link away"):
        prepare(MINE, tmp_path / "data", tmp_path / "cache")


@pytest.mark.parametrize("place", ["data", "data/mine", "data/mine/train", "data/mine/train/a"])
def test_a_folder_that_may_not_be_read_is_the_data_folders_fault(place: str) -> None:
    with public() as top:
        own_folder(top / "data")
        said = rf"^{top}/data/mine.* can(no|'|')t be read: Permission denied; check its"
        with closed(top / place), pytest.raises(DataError, match=said):
            prepare(MINE, top / "data", top / "cache")


def test_files_and_links_to_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    with pytest.raises(OSError, match="has 7 bytes, more than the 6 that are read"):
        open_regular(tmp_path / "file", 6)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nothing")
    with pytest.raises(OSError, match="is a folder, no file"):
        read_regular(tmp_path)


@pytest.mark.parametrize("name", ["cifar100", "tiny-imagenet", "cub200"])
@pytest.mark.parametrize("act", [fetch.get, fetch.check])
def test_an_official_set_that_may_not_be_read_is_one_sentence(name: str, act: Callable[[str, Path], object]) -> None:
    with public() as top:
        folder = top / FOLDERS[name]
        folder.mkdir()
        with closed(folder):
            assert glance(name, folder).startswith("closed (Permission denied")
            with pytest.raises(DataError, match=rf"{folder}.*(Permission denied|closed)"):
                act(name, top)
