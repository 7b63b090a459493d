"""Test images to look at, as the network sees them but for normalisation."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data.source import load
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset


def centre_crops(dataset: Dataset, digest: str | None, cache_dir: Path | None) -> list[NDArray[np.uint8]] | None:
    """The test split, centre-cropped, views of ``[S, S, 3]``; None where these very images are not at hand.

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
    size, offsets = dataset.image_size, images.test.centre_offsets(dataset.image_size).tolist()
    return [image[row : row + size, col : col + size] for image, (row, col) in zip(images.test, offsets, strict=True)]
