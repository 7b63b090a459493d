"""The random choices of an epoch.

They are tables indexed by sample, drawn once an epoch, so that they depend on nothing but (seed, epoch): not
on batch size, device, method or on where a run was resumed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.data.packed import Split
from benchmark.runs.axes import Dataset
from benchmark.seeding import stream


@dataclass(frozen=True, kw_only=True)
class EpochTables:
    """One epoch's random choices; ``offsets`` and ``flips`` are indexed by sample, not by position."""

    order: NDArray[np.int64]  # [n], the samples in the order they are seen
    offsets: NDArray[np.int64]  # [n, 2], first row and column of the crop in the bordered image, pixels
    flips: NDArray[np.bool_]  # [n], mirrored left to right


def crop_range(split: Split, dataset: Dataset) -> int | NDArray[np.int64]:
    """The largest crop offset in pixels: one number where all images have one square size, else [n, 2].

    That is twice the border, plus what the stored image is larger by than the input.
    """
    ranges = split.heights_widths + 2 * dataset.facts.crop_padding - dataset.image_size
    if split.shape is not None and split.shape[0] == split.shape[1]:
        return int(ranges[0, 0])
    return ranges


def draw_epoch(seed: int, epoch: int, n: int, largest_offset: int | NDArray[np.int64]) -> EpochTables:
    """The random choices of one epoch.

    Args:
        seed: the trial's seed.
        epoch: zero-based.
        n: number of training images.
        largest_offset: offsets are uniform over 0 … this, inclusive (:func:`crop_range`).
    """
    crops = stream(seed, "crop", epoch)
    if isinstance(largest_offset, int):
        offsets = crops.integers(0, largest_offset, size=(n, 2), endpoint=True)
    else:  # one draw a number, whatever its range, so that no image's size shifts another's crop
        offsets = (crops.random((n, 2)) * (largest_offset + 1)).astype(np.int64)
    return EpochTables(
        order=stream(seed, "order", epoch).permutation(n),
        offsets=offsets,
        flips=stream(seed, "flip", epoch).integers(0, 2, size=n).astype(np.bool_),
    )
