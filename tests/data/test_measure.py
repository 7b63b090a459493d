import hashlib

import numpy as np
import torch

from benchmark.data.augment import normalise
from benchmark.data.measure import channel_statistics, content_digest


def test_statistics_are_those_of_the_scaled_pixels() -> None:
    images = np.random.default_rng(0).integers(256, size=(1100, 3, 5, 3), dtype=np.uint8)
    images[..., 1] //= 3
    scaled = images.astype(np.float64) / 255
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 1, 2)), rtol=1e-12)


def test_a_channel_without_spread_becomes_zero_and_not_nan() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 4, 4, 3), dtype=np.uint8)
    images[..., 0], images[..., 2] = 0, 77
    mean, std = channel_statistics(images)
    assert (mean[0], std[0], std[2]) == (0, 1, 1)
    normalised = normalise(torch.from_numpy(images), *(torch.tensor(each).view(1, 3, 1, 1) for each in (mean, std)))
    assert normalised[:, ::2].abs().max() < 1e-6
    assert abs(normalised[:, 1].std(correction=0) - 1) < 1e-5


def test_statistics_do_not_depend_on_the_order_of_the_images() -> None:
    images = np.random.default_rng(0).integers(256, size=(1100, 3, 5, 3), dtype=np.uint8)
    assert channel_statistics(images) == channel_statistics(images[::-1])


def test_digest_sees_pixels_order_and_shape_but_not_memory_layout() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    changed = array.copy()
    changed[1, 2, 3] ^= 1
    others = (changed, array[::-1], array.reshape(3, 2, 4), array.astype(np.int64))
    assert len({content_digest(each) for each in (array, *others)}) == 5
    assert content_digest(array) == content_digest(np.asfortranarray(array))
    assert content_digest(np.array([1, 2])) == content_digest(np.array([1, 2], dtype=">i8"))


def test_digest_is_what_it_says() -> None:
    """Results name the images by it: it must not change between versions or machines."""
    pixels, labels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3), np.array([7])
    content = b"[1, 2, 2, 3]" + bytes(range(12)) + b"[1]" + (7).to_bytes(8, "little")
    assert content_digest(pixels, labels) == hashlib.sha256(content).hexdigest()
