"""Generated images that a network can learn, for smoke runs.

Every class is a blurred random pattern, every image its class's pattern plus noise. Made in integers
from the project's own streams: the same bytes on every machine, with nothing to download.
"""

import numpy as np
from numpy.typing import NDArray

from benchmark.data.packed import ImageSet, Split, image_set
from benchmark.runs.axes import Dataset
from benchmark.seeding import stream

_GRID = 4  # a pattern has 4 × 4 coloured corners, with colours between them interpolated
_PATTERN_LEVELS = 192  # 0 … 191 …
_NOISE_LEVELS = 64  # … plus 0 … 63 stays within a byte; a power of two
_IMAGES = 64  # where the spec names no number


def standin(dataset: Dataset) -> ImageSet:
    """Images of the dataset's stored size and class count; equal for equal arguments on every machine.

    Labels cycle through the classes in one shuffled order, the same for both splits, so that a small test
    split has the classes of a small training split. A smaller set is the beginning of a larger one.

    Args:
        dataset: its name, input size and image counts are used; a count of None means 64.

    Returns:
        uint8 images [n, S, S, 3] with S = ``facts.stored_size(image_size)``; statistics of the generated
        training images; a digest that starts with ``standin-sha256:``.
    """
    classes, side = dataset.facts.classes, dataset.facts.stored_size(dataset.image_size)
    name = f"standin/{dataset.name}"
    order = stream(0, f"{name}/classes").permutation(classes)
    corners = stream(0, f"{name}/prototypes").integers(_PATTERN_LEVELS, size=(classes, _GRID, _GRID, 3), dtype=np.int32)
    train, test = (
        _split(f"{name}/{split}", count or _IMAGES, order, corners, side)
        for split, count in (("train", dataset.train_images), ("test", dataset.test_images))
    )
    return image_set(train, test, classes, prefix="standin-sha256")


def _split(purpose: str, count: int, order: NDArray[np.int64], corners: NDArray[np.int32], side: int) -> Split:
    labels = np.resize(order, count).astype(np.int64)
    noise = np.frombuffer(stream(0, f"{purpose}/noise").bytes(count * side * side * 3), dtype=np.uint8)
    images = noise.reshape(count, side, side, 3) % np.uint8(_NOISE_LEVELS)
    for label in order[:count]:  # patterns of classes that occur only
        images[labels == label] += _prototype(corners[label], side)
    return Split(images=images, labels=labels)


def _prototype(corners: NDArray[np.int32], side: int) -> NDArray[np.uint8]:
    """Bilinear enlargement of [G, G, 3] to [side, side, 3], in integers (a BLAS would round its own way)."""
    at = np.arange(side) * (_GRID - 1)
    span = side - 1
    left = np.minimum(at // span, _GRID - 2)
    weights = np.zeros((side, _GRID), dtype=np.int32)  # each row sums to span
    weights[np.arange(side), left + 1] = at - left * span
    weights[np.arange(side), left] = span - (at - left * span)
    rows = np.tensordot(weights, corners, axes=1)  # [side, G, 3]
    pattern: NDArray[np.int32] = np.matmul(weights, rows) // span**2  # [side, side, 3]; 191 * 511**2 fits 32 bits
    return pattern.astype(np.uint8)
