import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.data.packed import ImageSet, Split, ensure_packed, image_set, read_packed, write_packed
from benchmark.errors import DataError


def make(seed: int = 0) -> ImageSet:
    def split(n: int) -> Split:
        random = np.random.default_rng((seed, n))
        return Split(images=random.integers(256, size=(n, 4, 4, 3), dtype=np.uint8), labels=random.integers(5, size=n))

    return image_set(split(9), split(6), 5)


def refuse() -> ImageSet:
    raise AssertionError("packed again although the cache is good")


def assert_same(found: ImageSet, expected: ImageSet) -> None:
    for split in ("train", "test"):
        np.testing.assert_array_equal(getattr(found, split).images, getattr(expected, split).images)
        np.testing.assert_array_equal(getattr(found, split).labels, getattr(expected, split).labels)
    for field in ("classes", "mean", "std", "digest"):
        assert getattr(found, field) == getattr(expected, field)


def test_what_is_written_reads_back_mapped(tmp_path: Path) -> None:
    assert_same(ensure_packed(tmp_path / "deep" / "set", "cifar10", make), make())
    again = ensure_packed(tmp_path / "deep" / "set", "cifar10", refuse)
    assert_same(again, make())
    assert isinstance(again.train.images, np.memmap)
    assert not again.train.images.flags.writeable


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


def labels_for_images(folder: Path) -> None:
    """Files of the right size that don't fit each other."""
    (folder / "train_images.npy").write_bytes((folder / "test_images.npy").read_bytes())
    meta = json.loads((folder / "meta.json").read_text())
    meta["bytes"]["train_images.npy"] = meta["bytes"]["test_images.npy"]
    (folder / "meta.json").write_text(json.dumps(meta))


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
        labels_for_images,
    ],
    ids=["cut off", "empty", "meta cut off", "other meta", "file missing", "grown", "older", "header", "shapes"],
)
def test_a_damaged_cache_is_noticed_and_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = tmp_path / "set"
    ensure_packed(folder, "cifar10", make)
    damage(folder)
    assert read_packed(folder, "cifar10") is None
    assert_same(ensure_packed(folder, "cifar10", make), make())
    assert_same(ensure_packed(folder, "cifar10", refuse), make())


def test_a_cache_of_another_dataset_is_not_taken(tmp_path: Path) -> None:
    ensure_packed(tmp_path / "set", "cifar10", make)
    assert read_packed(tmp_path / "set", "cifar100") is None


def test_a_failed_making_leaves_the_old_folder_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_packed(tmp_path / "set", "cifar10", make())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(DataError, match=r"set: No space left on device"):
        ensure_packed(tmp_path / "set", "cifar100", make)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["set"]
    assert_same(ensure_packed(tmp_path / "set", "cifar10", refuse), make())


def test_left_overs_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".set.0123.tmp").mkdir()
    (tmp_path / ".set.0123.tmp" / "train_images.npy").write_bytes(b"half")
    ensure_packed(tmp_path / "set", "cifar10", make)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["set"]


def test_a_cache_place_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"^cannot write the image cache .*file/set: .*make it writable$"):
        ensure_packed(tmp_path / "file" / "set", "cifar10", make)


_CONTENDER = """
import sys, time
from pathlib import Path
import numpy as np
from benchmark.data.packed import Split, ensure_packed, image_set

def make():
    with open(sys.argv[2], "a") as log:
        log.write("made\\n")
    time.sleep(0.3)
    split = Split(images=np.full((3, 4, 4, 3), 7, np.uint8), labels=np.arange(3))
    return image_set(split, split, 3)

Path(sys.argv[2]).with_suffix(f".{sys.argv[3]}").touch()
while len(list(Path(sys.argv[2]).parent.glob("log.[0-9]"))) < 3:
    time.sleep(0.01)
assert (ensure_packed(Path(sys.argv[1]), "cifar10", make).train.images == 7).all()
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
