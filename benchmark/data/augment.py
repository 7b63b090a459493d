"""Batches that never leave the device (floor 1; the one file of this room that imports torch).

The uint8 images lie on the device, zero border included; crop and flip are one gather. The random
choices are tables indexed by sample, drawn once an epoch, so that they depend on nothing but
(seed, epoch): not on batch size, device, method or on where a run was resumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.axes import Dataset
from benchmark.data.packed import Split
from benchmark.data.pixels import centre_offset
from benchmark.seeding import stream

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class EpochTables:
    """One epoch's random choices; ``offsets`` and ``flips`` are indexed by sample, not by position."""

    order: NDArray[np.int64]  # [n], the samples in the order they are seen
    offsets: NDArray[np.int64]  # [n, 2], first row and column of the crop in the bordered image, pixels
    flips: NDArray[np.bool_]  # [n], mirrored left to right


def crop_range(dataset: Dataset) -> int:
    """The largest crop offset in pixels: twice the border, or what the stored image is larger by."""
    facts, size = dataset.facts, dataset.image_size
    return 2 * facts.crop_padding if facts.crop_padding else facts.stored_size(size) - size


def draw_epoch(seed: int, epoch: int, n: int, largest_offset: int) -> EpochTables:
    """The random choices of one epoch.

    Args:
        seed: the trial's seed.
        epoch: zero-based.
        n: number of training images.
        largest_offset: offsets are uniform over 0 … this, inclusive (:func:`crop_range`).
    """
    return EpochTables(
        order=stream(seed, "order", epoch).permutation(n),
        offsets=stream(seed, "crop", epoch).integers(0, largest_offset, size=(n, 2), endpoint=True),
        flips=stream(seed, "flip", epoch).integers(0, 2, size=n).astype(np.bool_),
    )


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """``(x / 255 - mean) / std`` in float32.

    Args:
        images: uint8 [B, S, S, 3].
        mean: float32 [1, 3, 1, 1] on the same device, of the pixels scaled to 0 … 1.
        std: likewise.

    Returns:
        float32 [B, 3, S, S], channels_last.
    """
    planes = images.permute(0, 3, 1, 2)  # a view: NHWC bytes are channels_last already
    x = planes.to(torch.float32, memory_format=torch.channels_last)
    return x.div_(255).sub_(mean).div_(std)


class Batches:
    """The training batches of one run, resident on the device.

    Args:
        split: uint8 images [n, H, H, 3], H = ``facts.stored_size(image_size)``, and labels [n].
        mean: of the pixels scaled to 0 … 1, for R, G and B.
        std: likewise.
        dataset: says the input size and the border.
        device: where the images lie and the batches appear.
        seed: the trial's seed.

    Raises:
        ValueError: the images haven't the dataset's stored size.
    """

    def __init__(
        self, split: Split, mean: Channels, std: Channels, dataset: Dataset, device: torch.device, seed: int
    ) -> None:
        _check_side(split, dataset)
        self._seed, self._device = seed, device
        self._mean, self._std = _planes(mean, device), _planes(std, device)
        self._size, self._largest_offset = dataset.image_size, crop_range(dataset)
        self._labels = torch.tensor(split.labels, device=device)  # [n]
        self._images = _bordered(split.images, dataset.facts.crop_padding, device)  # [n, H + 2p, H + 2p, 3]

    def steps(self, batch_size: int) -> int:
        """Batches an epoch; the last may be smaller."""
        return -(-len(self._labels) // batch_size)

    def epoch(self, epoch: int, batch_size: int, start_step: int = 0) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The batches of one epoch, the smaller last one included.

        Args:
            epoch: zero-based.
            batch_size: images a batch.
            start_step: so many batches are left out at the start; the others are what they would be.

        Yields:
            images float32 [B, 3, S, S] in channels_last, normalised; labels int64 [B]; sample indices
            int64 [B] into the split. All on the device.
        """
        tables = draw_epoch(self._seed, epoch, len(self._labels), self._largest_offset)
        order = torch.from_numpy(tables.order).to(self._device)
        offsets = torch.from_numpy(tables.offsets).to(self._device)
        flips = torch.from_numpy(tables.flips).to(self._device)
        for step in range(start_step, self.steps(batch_size)):
            samples = order[step * batch_size : (step + 1) * batch_size]
            pixels = self._gather(samples, offsets[samples], flips[samples])
            yield normalise(pixels, self._mean, self._std), self._labels[samples], samples

    def _gather(self, samples: Tensor, offsets: Tensor, flips: Tensor) -> Tensor:
        """Crop and mirror in one indexing: [B], [B, 2], [B] -> uint8 [B, S, S, 3]."""
        steps = torch.arange(self._size, device=self._device)  # [S]
        rows = offsets[:, :1] + steps  # [B, S]
        cols = offsets[:, 1:] + torch.where(flips[:, None], self._size - 1 - steps, steps)  # [B, S]
        return self._images[samples[:, None, None], rows[:, :, None], cols[:, None, :]]


def centre_batches(
    split: Split, mean: Channels, std: Channels, dataset: Dataset, device: torch.device, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The evaluation batches in the split's order: centre crop, normalised, not flipped.

    Args:
        split: uint8 images [n, H, H, 3], H = ``facts.stored_size(image_size)``, and labels [n].
        mean: of the pixels scaled to 0 … 1, for R, G and B.
        std: likewise.
        dataset: says the input size.
        device: where the batches appear.
        batch_size: images a batch; the last may be smaller.

    Yields:
        images float32 [B, 3, S, S] in channels_last; labels int64 [B].

    Raises:
        ValueError: the images haven't the dataset's stored size.
    """
    _check_side(split, dataset)
    size = dataset.image_size
    shift, scale = _planes(mean, device), _planes(std, device)
    first = centre_offset(dataset)
    for start in range(0, len(split.labels), batch_size):
        crop = split.images[start : start + batch_size, first : first + size, first : first + size]
        labels = torch.tensor(split.labels[start : start + batch_size], device=device)
        yield normalise(torch.from_numpy(np.array(crop)).to(device), shift, scale), labels


def _planes(values: Channels, device: torch.device) -> Tensor:
    """One number a channel as float32 [1, 3, 1, 1], sent once: each transfer waits for the device."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)


def _bordered(images: NDArray[np.uint8], padding: int, device: torch.device) -> Tensor:
    """The images on the device with ``padding`` black pixels on each side, once for the whole run."""
    inner = torch.from_numpy(np.array(images)).to(device)  # a copy: the cache is mapped read-only
    if not padding:
        return inner
    n, height, width, channels = inner.shape
    out = inner.new_zeros((n, height + 2 * padding, width + 2 * padding, channels))
    out[:, padding : padding + height, padding : padding + width] = inner
    return out


def _check_side(split: Split, dataset: Dataset) -> None:
    side = dataset.facts.stored_size(dataset.image_size)
    if split.images.shape[1:] != (side, side, 3):
        raise ValueError(f"{dataset.name}: expected images of {side} x {side} x 3, got {split.images.shape[1:]}")
