"""Test images to look at, as the network sees them but for normalisation (floor 1, no torch)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.axes import Dataset
from benchmark.data.source import load
from benchmark.errors import DataError


def centre_offset(dataset: Dataset) -> int:
    """First row and column of the centre crop in a stored image; rounds as torchvision's CenterCrop does."""
    size = dataset.image_size
    return round((dataset.facts.stored_size(size) - size) / 2)


def centre_crops(dataset: Dataset, digest: str | None, cache_dir: Path | None) -> NDArray[np.uint8] | None:
    """The test split, centre-cropped, ``[n, S, S, 3]``; None where these very images are not at hand.

    Stand-ins are made again, others come from the packed cache.

    Args:
        dataset: which images.
        digest: what the run that saw them recorded, so that no others are shown in their place.
        cache_dir: the folder below which packed sets lie; None for none.
    """
    if dataset.source != "standin" and (cache_dir is None or not cache_dir.is_dir()):
        return None
    try:
        images = load(dataset, None, cache_dir or Path())
    except DataError:
        return None
    if images.digest != digest:
        return None
    first, size = centre_offset(dataset), dataset.image_size
    return images.test.images[:, first : first + size, first : first + size]
