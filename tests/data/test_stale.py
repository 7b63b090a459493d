"""A packed set is never older than the files it was made from, and what is unchanged is not packed again."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.data import cache as cache_module
from benchmark.data import source
from benchmark.data.cache import read_packed
from benchmark.data.pack import pack
from benchmark.data.source import digest_now, load, prepare
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset

MINE = Dataset(name="mine", source="folder", classes=2, input_size=28)
BIRDS = Dataset(name="cub200", input_size=28, train_images=4, test_images=2)


def noise(file: Path, seed: int) -> None:
    """Of one size in bytes, whatever the seed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(256, size=(36, 36, 3), dtype=np.uint8)).save(file)


def own_folder(data: Path) -> Path:
    for number in range(12):
        noise(data / "mine" / ("train" if number < 8 else "test") / "ab"[number % 2] / f"{number}.bmp", number)
    return data / "mine" / "train" / "a"


def birds(data: Path) -> Path:
    """CUB-200-2011 of 12 images."""
    top, lines = data / "CUB_200_2011", dict.fromkeys(("images", "image_class_labels", "train_test_split"), "")
    for number in range(12):
        name = f"00{number % 2 + 1}.c/{number}.bmp"
        noise(top / "images" / name, number)
        for file, word in zip(lines, (name, number % 2 + 1, int(number < 8)), strict=True):
            lines[file] += f"{number + 1} {word}\n"
    for file, text in {**lines, "classes": "1 001.c\n2 002.c\n"}.items():
        (top / f"{file}.txt").write_text(text)
    return top / "images" / "001.c"


SETS = [(MINE, own_folder), (BIRDS, birds)]


def replaced(folder: Path) -> None:
    noise(folder / "0.bmp", 99)


def replaced_as_if_never(folder: Path) -> None:
    times = (folder / "0.bmp").stat()
    noise(folder / "0.bmp", 99)
    os.utime(folder / "0.bmp", ns=(times.st_atime_ns, times.st_mtime_ns))


def exchanged(folder: Path) -> None:
    (folder / "0.bmp").rename(folder / "kept")
    (folder / "2.bmp").rename(folder / "0.bmp")
    (folder / "kept").rename(folder / "2.bmp")


def behind_a_link(folder: Path) -> None:
    noise(folder.parent.parent / ".store" / "x.bmp", 99)
    (folder / "0.bmp").unlink()
    (folder / "0.bmp").symlink_to(folder.parent.parent / ".store" / "x.bmp")


@pytest.mark.parametrize("change", [replaced, replaced_as_if_never, exchanged, behind_a_link])
@pytest.mark.parametrize(("dataset", "make"), SETS)
def test_changed_files_are_packed_again(
    dataset: Dataset, make: Callable[[Path], Path], change: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = make(tmp_path / "data")
    prepare(dataset, tmp_path / "data", tmp_path / "cache")
    before = load(dataset, None, tmp_path / "cache").digest
    change(folder)
    prepare(dataset, tmp_path / "data", tmp_path / "cache")
    prepare(dataset, tmp_path / "data", tmp_path / "fresh")
    after = load(dataset, None, tmp_path / "cache").digest
    assert after == load(dataset, None, tmp_path / "fresh").digest
    assert after != before


def test_images_that_came_went_or_moved_are_noticed_in_a_folder(tmp_path: Path) -> None:
    folder, digests = own_folder(tmp_path / "data"), []
    changes: list[Callable[[], object]] = [
        lambda: noise(folder / "new.bmp", 50),
        lambda: (folder / "2.bmp").unlink(),
        lambda: (folder / "0.bmp").rename(folder.parent / "b" / "0.bmp"),
        lambda: (folder / "4.bmp").rename(folder / "9.bmp"),
    ]
    for change in [lambda: None, *changes]:
        change()
        prepare(MINE, tmp_path / "data", tmp_path / "cache")
        digests.append(load(MINE, None, tmp_path / "cache").digest)
    assert len(set(digests)) == 5


def test_names_may_hold_any_bytes(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "data")
    for split in ("train", "test"):
        place = tmp_path / "data" / "mine" / split
        (place / "b").rename(place / "caf\udce9 \n\x1b[31m")
    odd = (folder / "0.bmp").rename(folder / "\udcff.bmp")
    prepare(MINE, tmp_path / "data", tmp_path / "cache")
    before = load(MINE, None, tmp_path / "cache").digest
    noise(odd, 99)
    prepare(MINE, tmp_path / "data", tmp_path / "cache")
    assert load(MINE, None, tmp_path / "cache").digest != before
    odd.write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be decoded: cannot identify image file"):
        prepare(MINE, tmp_path / "data", tmp_path / "cache")


def test_a_listed_image_that_went_is_missed_though_it_is_packed(tmp_path: Path) -> None:
    folder = birds(tmp_path / "data")
    prepare(BIRDS, tmp_path / "data", tmp_path / "cache")
    (folder / "0.bmp").unlink()
    with pytest.raises(DataError, match=r"is incomplete: .*001\.c/0\.bmp is missing"):
        prepare(BIRDS, tmp_path / "data", tmp_path / "cache")


@pytest.mark.parametrize(("dataset", "make"), SETS)
def test_what_is_unchanged_is_not_packed_again_and_a_copy_has_the_same_digest(
    dataset: Dataset, make: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "data")
    prepare(dataset, tmp_path / "data", tmp_path / "cache")
    digest = load(dataset, None, tmp_path / "cache").digest
    shutil.copytree(tmp_path / "data", tmp_path / "moved")
    prepare(dataset, tmp_path / "moved", tmp_path / "cache")  # who knows what it holds
    assert load(dataset, None, tmp_path / "cache").digest == digest
    monkeypatch.setattr(source, "pack", None)  # would fail
    prepare(dataset, tmp_path / "moved", tmp_path / "cache")
    prepare(dataset, tmp_path / "nowhere", tmp_path / "cache")


def test_files_that_change_while_they_are_read_are_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_folder(tmp_path / "data")

    def meanwhile(*given: object) -> object:
        packed = pack(*given)  # type: ignore[arg-type]
        replaced(folder)
        return packed

    monkeypatch.setattr(source, "pack", meanwhile)
    with pytest.raises(DataError, match=r"data/mine was changed while it was read; run the command again"):
        prepare(MINE, tmp_path / "data", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("**/*.npy"))


def test_cifars_files_are_looked_at_too(small_cifar100: Path, tmp_path: Path) -> None:
    dataset, file = Dataset(name="cifar100"), small_cifar100 / "cifar-100-python" / "train"
    prepare(dataset, small_cifar100, tmp_path / "cache")
    digest, blob = load(dataset, None, tmp_path / "cache").digest, file.read_bytes()
    file.write_bytes(blob)  # the same again
    prepare(dataset, small_cifar100, tmp_path / "cache")
    assert load(dataset, None, tmp_path / "cache").digest == digest
    file.write_bytes(blob[:-9] + bytes(9))
    with pytest.raises(DataError, match=r"cifar-100-python/train is not the official file"):
        prepare(dataset, small_cifar100, tmp_path / "cache")


def test_a_copy_of_an_older_version_is_made_again_with_the_same_digest(small_cifar100: Path, tmp_path: Path) -> None:
    dataset, meta = Dataset(name="cifar100"), tmp_path / "cache" / "cifar100" / "meta.json"
    prepare(dataset, small_cifar100, tmp_path / "cache")
    content = json.loads(meta.read_text())
    meta.write_text(json.dumps({**content, "format_version": 2, "origin": ""}))
    prepare(dataset, small_cifar100, tmp_path / "cache")
    assert json.loads(meta.read_text()) == content


def test_a_digest_is_that_of_the_pixels_whatever_the_copy_says(small_cifar100: Path, tmp_path: Path) -> None:
    dataset, folder = Dataset(name="cifar100"), tmp_path / "cache" / "cifar100"
    prepare(dataset, small_cifar100, tmp_path / "cache")
    digest = load(dataset, None, tmp_path / "cache").digest
    blob = (folder / "train_images.npy").read_bytes()
    (folder / "train_images.npy").write_bytes(blob[:-3072] + bytes(3072))  # by hand
    with pytest.raises(DataError, match="CIFAR-100 needs its official files"):
        load(dataset, None, tmp_path / "cache")
    assert load(dataset, small_cifar100, tmp_path / "cache").digest == digest


def test_a_copy_that_is_made_anew_while_it_is_read_is_not_taken(
    small_cifar100: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache" / "cifar100"
    prepare(Dataset(name="cifar100"), small_cifar100, tmp_path / "cache")
    shutil.copytree(folder, tmp_path / "other")
    digest_of = cache_module._digest

    def meanwhile(place: Path) -> str:
        shutil.rmtree(folder)
        (tmp_path / "other").rename(folder)
        return digest_of(place)

    monkeypatch.setattr(cache_module, "_digest", meanwhile)
    assert read_packed(folder, "cifar100 official 32") is None


def test_the_digest_of_now_is_asked_of_what_was_packed_here_alone(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "data")
    assert digest_now(MINE, tmp_path / "data", tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()
    prepare(MINE, tmp_path / "data", tmp_path / "cache")
    before = load(MINE, None, tmp_path / "cache").digest
    assert digest_now(MINE, tmp_path / "data", tmp_path / "cache") == before
    assert digest_now(MINE, None, tmp_path / "cache") == before
    replaced(folder)
    assert digest_now(MINE, None, tmp_path / "cache") == before, "nobody can know"
    after = digest_now(MINE, tmp_path / "data", tmp_path / "cache")
    assert after == load(MINE, None, tmp_path / "cache").digest
    assert after != before
    part = MINE.model_copy(update={"train_images": 4})
    assert digest_now(part, None, tmp_path / "cache") == load(part, None, tmp_path / "cache").digest
