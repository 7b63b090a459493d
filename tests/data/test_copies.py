"""Test images that are training images too, pixel for pixel, are counted wherever the images are used."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmark.data import fetch
from benchmark.data.cifar import read_cifar
from benchmark.data.measure import copies_among, image_digest
from benchmark.data.packed import ImageSet, Split, image_set
from benchmark.data.source import load, prepare
from tests.data.test_stale import MINE, birds, own_folder


def test_they_are_found_by_place_and_once_a_test_image() -> None:
    assert copies_among([b"a", b"b", b"a", b"c"], [b"a", b"x", b"a", b"b"]) == (((0, 2), (0, 2)), ((1,), (3,)))
    assert copies_among([b"a"], [b"b", b"b"]) == ()


def test_a_shape_belongs_to_an_image() -> None:
    row = np.zeros((1, 6, 3), dtype=np.uint8)
    assert image_digest(row) != image_digest(row.reshape(6, 1, 3))
    assert image_digest(row[:, ::2]) == image_digest(np.ascontiguousarray(row[:, ::2]))


def images(train: list[int], test: list[int]) -> ImageSet:
    """Of one grey value each."""
    ours, theirs = (np.array(values, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3) for values in (train, test))
    return image_set(
        Split(images=ours, labels=np.zeros(len(train), dtype=np.int64)),
        Split(images=theirs, labels=np.zeros(len(test), dtype=np.int64)),
        classes=1,
    )


def test_a_part_counts_its_own() -> None:
    whole = images([1, 2, 3, 2], [2, 9, 3, 2])
    assert whole.counts == {"train": 4, "test": 4, "test_in_train": 3}
    for train, test, count in (([0, 3], None, 2), ([3], [0, 1, 2], 1), (None, [3, 1], 1), ([0], None, 0)):
        part = whole.part(*(None if chosen is None else np.array(chosen) for chosen in (train, test)))
        kept = (
            ([1, 2, 3, 2] if train is None else [[1, 2, 3, 2][i] for i in train]),
            ([2, 9, 3, 2] if test is None else [[2, 9, 3, 2][i] for i in test]),
        )
        assert (part.counts["test_in_train"], part.copies) == (count, images(*kept).copies)


def test_packing_counts_them_whatever_the_files_are_called(tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "data")
    test = folder.parents[1] / "test" / "b" / "9.bmp"
    shutil.copy(folder / "0.bmp", test)
    prepare(MINE, tmp_path / "data", tmp_path / "cache")
    assert load(MINE, None, tmp_path / "cache").counts == {"train": 8, "test": 4, "test_in_train": 1}
    part = MINE.model_copy(update={"test_images": 2})  # of each class the first by name, 10 and 11
    assert load(part, None, tmp_path / "cache").counts == {"train": 8, "test": 2, "test_in_train": 0}


def test_data_check_tells_their_number(small_cifar100: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "among" not in fetch.check("cifar100", small_cifar100)
    folder = birds(tmp_path / "birds")
    for copied in ("8.bmp", "10.bmp"):
        shutil.copy(folder / "0.bmp", folder / copied)
    monkeypatch.setattr(fetch, "check_listing", lambda *_: None)  # twelve are not the whole set
    said = fetch.check("cub200", tmp_path / "birds")
    assert said.endswith("all readable; 2 of the test images are also among the training images, pixel for pixel")
    read = read_cifar("cifar100", small_cifar100)
    same = image_set(read.train, read.train, read.classes)
    monkeypatch.setattr(fetch, "read_cifar", lambda *_: same)
    assert fetch.check("cifar100", small_cifar100).endswith(
        "; 30 of the test images are also among the training images, pixel for pixel"
    )
