import io
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.data import archives, download, fetch
from benchmark.data.archives import PUBLICATIONS, Publication
from benchmark.data.fetch import check, get
from benchmark.errors import DataError
from tests.data.serving import Server, serving

FOLDER = "cifar-100-python"


@pytest.fixture
def server(small_cifar100: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serves the small CIFAR-100, and is what the project thinks its publisher is."""
    blob = io.BytesIO()
    with tarfile.open(fileobj=blob, mode="w:gz") as out:
        out.add(small_cifar100 / FOLDER, FOLDER)
    shutil.rmtree(small_cifar100 / FOLDER)
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    with serving(blob.getvalue()) as found:
        publication = Publication(home="here", archives=(found.archive,))
        monkeypatch.setattr(fetch, "PUBLICATIONS", {**PUBLICATIONS, "cifar100": publication})
        yield found


def names(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.suffix != ".lock")


def test_a_set_is_fetched_once_and_nothing_else_stays(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [1000]
    assert get("cifar100", tmp_path / "d")
    assert names(tmp_path / "d") == ["cifar-100-python", f"{FOLDER}/test", f"{FOLDER}/train", "downloads"]
    assert not get("cifar100", tmp_path / "d")
    assert len(server.behaviour.asked) == 2
    assert check("cifar100", tmp_path / "d").startswith("CIFAR-100: 30 training and 12 test images, sha256:")


def test_two_at_once_fetch_it_once(server: Server, tmp_path: Path) -> None:
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(get("cifar100", tmp_path / "d"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, True]
    assert server.behaviour.asked == [""]


def test_wrong_bytes_leave_nothing(server: Server, tmp_path: Path) -> None:
    server.behaviour.content = bytes(len(server.behaviour.content))
    with pytest.raises(DataError, match="is not the expected file"):
        get("cifar100", tmp_path / "d")
    assert [name for name in names(tmp_path / "d") if not name.startswith("downloads")] == []


def test_without_a_network_every_archive_is_named_and_no_folder_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    nowhere = [replace(one, url="http://127.0.0.1:9/x") for one in PUBLICATIONS["stanford_dogs"].archives]
    publication = Publication(home="here", archives=tuple(nowhere))
    monkeypatch.setattr(fetch, "PUBLICATIONS", {**PUBLICATIONS, "stanford_dogs": publication})
    with pytest.raises(DataError) as caught:
        get("stanford_dogs", tmp_path)
    assert "images.tar (md5 " in str(caught.value)
    assert "lists.tar (md5 " in str(caught.value)
    assert "<urlopen" not in str(caught.value)
    assert names(tmp_path) == []


def test_an_archive_of_something_else_leaves_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = io.BytesIO()
    with tarfile.open(fileobj=blob, mode="w") as out:
        out.addfile(tarfile.TarInfo("elsewhere/file"))
    with serving(blob.getvalue()) as other:
        publication = Publication(home="here", archives=(other.archive,))
        monkeypatch.setattr(fetch, "PUBLICATIONS", {"cifar100": publication})
        with pytest.raises(
            DataError, match=r"cifar-100-python is missing; move it away or mend it, and run this again"
        ):
            get("cifar100", tmp_path / "d")
    assert FOLDER not in names(tmp_path / "d")
    assert not list((tmp_path / "d").glob(".*.tmp"))


def test_an_archive_put_there_by_hand_needs_no_network_and_stays(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "d" / "downloads" / "cifar100" / "set.tar"
    place.parent.mkdir(parents=True)
    place.write_bytes(server.behaviour.content)
    assert get("cifar100", tmp_path / "d")
    assert server.behaviour.asked == []
    assert place.exists()


def test_a_folder_that_is_there_is_not_touched(server: Server, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "train").write_bytes(b"mine")
    with pytest.raises(
        DataError, match=r"is incomplete \(test is missing\); move it away or mend it, and run this again"
    ):
        get("cifar100", tmp_path)
    assert (tmp_path / FOLDER / "train").read_bytes() == b"mine"
    assert server.behaviour.asked == []


def test_of_what_is_there_nothing_is_written(small_cifar100: Path) -> None:
    assert not get("cifar100", small_cifar100)
    assert [each.name for each in small_cifar100.iterdir()] == [FOLDER], "not even a lock: the disk may be read-only"


def test_a_dead_address_says_which_files_to_put_where_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        get("stanford_cars", tmp_path / "d")
    for part in ("is dead", "car_devkit.tgz", "cars_train.tgz", "cars_test.tgz", "cars_test_annos_withlabels.mat"):
        assert part in str(caught.value)
    assert f"into {tmp_path}/d/downloads/stanford_cars and run this again" in str(caught.value)
    assert not (tmp_path / "d").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"^cannot write below .*file/d: .*make it writable$"):
        get("cifar100", tmp_path / "file" / "d")


def test_every_known_address_comes_with_a_size_and_a_sum() -> None:
    for publication in archives.PUBLICATIONS.values():
        for archive in publication.archives:
            assert len(archive.md5) == 32
            assert bool(archive.url) == (archive.size is not None)
    assert replace(PUBLICATIONS["cifar10"], archives=()).size == 0


@pytest.mark.parametrize("name", ["tiny-imagenet", "cub200", "stanford_dogs", "stanford_cars"])
def test_check_reads_a_sample_and_calls_it_incomplete(name: str, data_dir: Path) -> None:
    with pytest.raises(DataError, match=r"is incomplete: \d+ of \d+ training images"):
        check(name, data_dir)


_KILLED = """
import os, sys, threading
from pathlib import Path
from benchmark.data import fetch
from benchmark.data.archives import Archive, Publication
archive = Archive(file="set.tar", url=sys.argv[1], size=int(sys.argv[2]), md5="0" * 32)
fetch.PUBLICATIONS = {"cifar100": Publication(home="", archives=(archive,))}
fetch.unpack = lambda *_: os._exit(9)
fetch.download = lambda *_: Path(sys.argv[3]) / "set.tar"
fetch.get("cifar100", Path(sys.argv[3]))
"""


def test_what_a_killed_process_left_is_cleared_by_the_next(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, server.archive.url, "9", str(tmp_path / "d")]
    assert subprocess.run(command, check=False).returncode == 9
    assert len(list((tmp_path / "d").glob(".cifar100.*.tmp"))) == 1
    assert get("cifar100", tmp_path / "d")
    assert not list((tmp_path / "d").glob(".cifar100.*.tmp"))
