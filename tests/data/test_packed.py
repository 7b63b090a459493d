"""Sets of images of one size and of many are the same table of pixels; both are held against images one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.data.packed import ImageSet, Split, digest_of, image_set

Images = list[NDArray[np.uint8]]
SIZES = {"one size": [(5, 4)] * 6, "many sizes": [(5, 4), (3, 7), (1, 1), (8, 2), (4, 4), (2, 9)]}


def some(kind: str, seed: int = 0) -> Images:
    draw = np.random.default_rng(seed)
    return [draw.integers(256, size=(height, width, 3), dtype=np.uint8) for height, width in SIZES[kind]]


def packed(images: Images) -> Split:
    labels = np.arange(len(images), dtype=np.int64) % 3
    shapes = [image.shape[:2] for image in images]
    if len(set(shapes)) == 1:
        return Split(images=np.stack(images), labels=labels)
    pixels = np.concatenate([image.reshape(-1, 3) for image in images])
    return Split(images=pixels, labels=labels, sizes=np.array(shapes, dtype=np.int64))


def same(split: Split, images: Images) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(split, images, strict=True))


@pytest.mark.parametrize("kind", SIZES)
def test_every_image_comes_back(kind: str) -> None:
    images = some(kind)
    split = packed(images)
    assert same(split, images)
    assert split.heights_widths.tolist() == [list(size) for size in SIZES[kind]]
    assert split.shape == ((5, 4) if kind == "one size" else None)
    first = [split.pixels[start].tolist() for start in split.starts.tolist()]
    assert first == [image[0, 0].tolist() for image in images]


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("chosen", [[4, 0, 4], [2], [5, 4, 3, 2, 1, 0]], ids=str)
def test_a_part_is_a_copy_in_the_order_asked_for(kind: str, chosen: list[int]) -> None:
    images = some(kind)
    split = packed(images)
    part = split.take(np.array(chosen))
    assert same(part, [images[index] for index in chosen])
    assert part.labels.tolist() == [index % 3 for index in chosen]
    part.pixels[:] = 0
    assert same(split, images)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("border", [1, 4])
def test_a_border_is_black_and_the_image_is_in_its_middle(kind: str, border: int) -> None:
    images = some(kind)
    wider = packed(images).bordered(border)
    assert same(wider, [np.pad(image, ((border, border), (border, border), (0, 0))) for image in images])


def test_centre_crops_begin_where_torchvision_has_them() -> None:
    split = packed([np.zeros((height, 9, 3), np.uint8) for height in (8, 9, 10, 11)])
    assert split.centre_offsets(8)[:, 0].tolist() == [0, 0, 1, 2]  # halves go to the even neighbour


def whole(kind: str) -> ImageSet:
    train, test = some(kind), some(kind, seed=1)
    test[1] = train[0] if train[0].shape == test[1].shape else test[1]
    return image_set(packed(train), packed(test), 3)


@pytest.mark.parametrize("kind", SIZES)
def test_the_digest_is_of_pixels_sizes_and_labels(kind: str) -> None:
    made = whole(kind)
    assert made.digest == f"sha256:{digest_of(made.train, made.test)}"
    relabelled = Split(images=made.train.images, labels=made.train.labels[::-1].copy(), sizes=made.train.sizes)
    digests = {digest_of(made.train, made.test), digest_of(made.test, made.train), digest_of(relabelled, made.test)}
    assert len(digests) == 3


def test_copies_are_counted_in_every_part() -> None:
    made = whole("one size")
    assert made.copies == (((0,), (1,)),)
    assert made.counts == {"train": 6, "test": 6, "test_in_train": 1}
    assert made.part(np.array([3, 0]), np.array([1, 2])).copies == (((1,), (0,)),), "by their places in the part"
    assert made.part(np.array([3, 1]), None).counts == {"train": 2, "test": 6, "test_in_train": 0}


def test_a_part_keeps_the_statistics_of_the_whole_and_gets_a_digest_of_its_own() -> None:
    made = whole("many sizes")
    part = made.part(np.array([1]), None)
    assert (part.mean, part.std, part.classes) == (made.mean, made.std, made.classes)
    assert part.digest == f"sha256:{digest_of(part.train, made.test)}" != made.digest
