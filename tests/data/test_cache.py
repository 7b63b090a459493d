import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli import main
from benchmark.data.cache import Fill, Packed, ensure_packed, read_packed, sweep_packs, write_set
from benchmark.data.packed import ImageSet, Split, image_set
from benchmark.errors import DataError
from benchmark.system.locks import Lock
from tests.closed import closed, public


def make(seed: int = 0) -> ImageSet:
    def split(n: int) -> Split:
        random = np.random.default_rng((seed, n))
        return Split(images=random.integers(256, size=(n, 4, 4, 3), dtype=np.uint8), labels=random.integers(5, size=n))

    return image_set(split(9), split(6), 5)


def make_odd() -> ImageSet:
    def split(n: int) -> Split:
        random = np.random.default_rng(n)
        sizes = random.integers(2, 9, size=(n, 2))
        images = random.integers(256, size=(int(sizes.prod(axis=1).sum()), 3), dtype=np.uint8)
        return Split(images=images, labels=random.integers(5, size=n), sizes=sizes)

    return image_set(split(9), split(6), 5)


def filled(images: ImageSet) -> Fill:
    return lambda folder: write_set(folder, images)


def fill(folder: Path) -> Packed:
    return write_set(folder, make())


def refuse(folder: Path) -> Packed:
    raise AssertionError("packed again although the cache is good")


def assert_same(found: ImageSet, expected: ImageSet) -> None:
    for split in ("train", "test"):
        arrays, others = getattr(found, split).arrays(), getattr(expected, split).arrays()
        assert list(arrays) == list(others)
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name])
    for field in ("classes", "mean", "std", "digest"):
        assert getattr(found, field) == getattr(expected, field)


def test_what_is_written_reads_back_mapped(tmp_path: Path) -> None:
    assert_same(ensure_packed(tmp_path / "deep" / "set", "cifar10", fill), make())
    again = ensure_packed(tmp_path / "deep" / "set", "cifar10", refuse)
    assert_same(again, make())
    assert isinstance(again.train.images, np.memmap)
    assert not again.train.images.flags.writeable


def test_odd_sizes_read_back_with_the_digest_they_have_in_memory(tmp_path: Path) -> None:
    assert_same(ensure_packed(tmp_path / "set", "mine", filled(make_odd())), make_odd())


def test_files_of_another_origin_are_packed_again_and_none_said_takes_any(tmp_path: Path) -> None:
    def of(origin: str) -> Fill:
        return lambda folder: replace(fill(folder), origin=origin)

    ensure_packed(tmp_path / "set", "mine", of("a"), "a")
    ensure_packed(tmp_path / "set", "mine", refuse, "a")
    ensure_packed(tmp_path / "set", "mine", refuse)
    ensure_packed(tmp_path / "set", "mine", of("b"), "b")
    assert read_packed(tmp_path / "set", "mine", "a") is None


def cut(file: str, keep: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / file).write_bytes((folder / file).read_bytes()[:keep])

    return damage


def older(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"format_version": meta["format_version"] - 1}))


def header_overwritten(folder: Path) -> None:
    blob = (folder / "test_images.npy").read_bytes()
    (folder / "test_images.npy").write_bytes(bytes(64) + blob[64:])


def one_bit(folder: Path) -> None:
    blob = bytearray((folder / "train_images.npy").read_bytes())
    blob[-7] ^= 16
    (folder / "train_images.npy").write_bytes(blob)


def labels_for_images(folder: Path) -> None:
    """Files that are whole but don't fit each other."""
    (folder / "train_images.npy").write_bytes((folder / "test_images.npy").read_bytes())
    meta = json.loads((folder / "meta.json").read_text())
    meta["files"]["train_images.npy"] = meta["files"]["test_images.npy"]
    (folder / "meta.json").write_text(json.dumps(meta))


#: Python text of a file's header that numpy makes no array of.
NO_HEADERS = ("((((", "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 4, 4, 3), }", "[" * 100)


def header(text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        blob = (folder / "train_images.npy").read_bytes()
        length = int.from_bytes(blob[8:10], "little")
        text_there = text.ljust(length - 1)[: length - 1] + "\n"
        (folder / "train_images.npy").write_bytes(blob[:10] + text_there.encode() + blob[10 + length :])

    return damage


#: What JSON can hold, and no packed set says.
NO_METAS = (
    '{"key": 5}',
    '{"key": ""}',
    '{"files": [1]}',
    '{"files": {"train_images.npy": 1' + "0" * 400 + "}}",
    '{"classes": Infinity}',
    '{"mean": [1' + "0" * 400 + ", 0, 0]}",
    '{"copies": ' + "[" * 100_000 + "]" * 100_000 + "}",
)


def meta_of(text: str) -> Callable[[Path], None]:
    """A whole ``meta.json`` but for some of it."""

    def damage(folder: Path) -> None:
        before = (folder / "meta.json").read_text().rstrip().removesuffix("}")
        (folder / "meta.json").write_text(f"{before}, {text[1:]}")  # of two values JSON takes the latter

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        cut("train_images.npy", -1),
        cut("test_labels.npy", 0),
        cut("meta.json", 40),
        lambda folder: (folder / "meta.json").write_text("[]"),
        lambda folder: (folder / "train_labels.npy").unlink(),
        lambda folder: (folder / "test_images.npy").open("ab").write(b"more"),
        older,
        header_overwritten,
        one_bit,
        labels_for_images,
        *map(header, NO_HEADERS),
        *map(meta_of, NO_METAS),
    ],
    ids=[
        "cut off",
        "empty",
        "meta cut off",
        "other meta",
        "file missing",
        "grown",
        "older",
        "header",
        "one bit",
        "shapes",
        *NO_HEADERS,
        *NO_METAS,
    ],
)
def test_a_damaged_cache_is_noticed_and_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = tmp_path / "set"
    ensure_packed(folder, "cifar10", fill)
    damage(folder)
    assert read_packed(folder, "cifar10") is None
    assert_same(ensure_packed(folder, "cifar10", fill), make())
    assert_same(ensure_packed(folder, "cifar10", refuse), make())


def test_a_cache_of_another_dataset_is_not_taken(tmp_path: Path) -> None:
    ensure_packed(tmp_path / "set", "cifar10", fill)
    assert read_packed(tmp_path / "set", "cifar100") is None


def test_a_failed_making_leaves_the_old_folder_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_packed(tmp_path / "set", "cifar10", fill)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(DataError, match=r"set: No space left on device"):
        ensure_packed(tmp_path / "set", "cifar100", fill)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["set"]
    assert_same(ensure_packed(tmp_path / "set", "cifar10", refuse), make())


def test_left_overs_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".set.0123.tmp").mkdir()
    (tmp_path / ".set.0123.tmp" / "train_images.npy").write_bytes(b"half")
    ensure_packed(tmp_path / "set", "cifar10", fill)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["set"]


def test_a_cache_place_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"^cannot write the image cache .*file/set: .*make it writable$"):
        ensure_packed(tmp_path / "file" / "set", "cifar10", fill)


_CONTENDER = """
import sys, time
from pathlib import Path
import numpy as np
from benchmark.data.cache import ensure_packed, write_set
from benchmark.data.packed import Split, image_set

def fill(folder):
    with open(sys.argv[2], "a") as log:
        log.write("made\\n")
    time.sleep(0.3)
    split = Split(images=np.full((3, 4, 4, 3), 7, np.uint8), labels=np.arange(3))
    return write_set(folder, image_set(split, split, 3))

Path(sys.argv[2]).with_suffix(f".{sys.argv[3]}").touch()
while len(list(Path(sys.argv[2]).parent.glob("log.[0-9]"))) < 3:
    time.sleep(0.01)
assert (ensure_packed(Path(sys.argv[1]), "cifar10", fill).train.images == 7).all()
"""


def test_of_three_processes_at_once_one_makes_the_cache_and_all_get_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", _CONTENDER, str(tmp_path / "cache" / "set"), str(log)]
    processes = [subprocess.Popen([*command, str(each)]) for each in range(3)]
    try:
        assert [process.wait(timeout=30) for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()
    assert log.read_text() == "made\n"


@pytest.mark.parametrize("text", NO_METAS)
def test_a_packed_set_whose_words_are_damaged_is_not_listed(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_packed(tmp_path / "data" / "cifar100", "cifar100 official 32", fill)
    ensure_packed(tmp_path / "data" / "cifar100-b", "cifar100 official 32", fill)
    meta_of(text)(tmp_path / "data" / "cifar100")
    monkeypatch.setattr(sys, "argv", ["run_suite.py", "data", "list", "--scratch-dir", str(tmp_path)])
    main()
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines() if "packed:" in line] == [
        f"{tmp_path}/data/cifar100-b,"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_a_shared_cache_can_be_made_again_by_anybody() -> None:
    with public() as top:
        cache = top / "cache"
        cache.mkdir()
        cache.chmod(0o777)
        ensure_packed(cache / "set", "one", fill)
        with closed():  # another user
            assert_same(ensure_packed(cache / "set", "other", fill), make())
        assert {path.name for path in cache.iterdir()} == {"set"}


def test_left_overs_of_killed_packers_are_swept_where_nobody_packs(tmp_path: Path) -> None:
    ensure_packed(tmp_path / "set", "cifar10", fill)
    for name in (".set.0123.tmp", ".other.0123.tmp"):
        shutil.copytree(tmp_path / "set", tmp_path / name)
    with Lock(tmp_path / "other.lock"):
        sweep_packs(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {"set", ".other.0123.tmp", "other.lock"}
    sweep_packs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"set"}
    sweep_packs(tmp_path / "nowhere")
