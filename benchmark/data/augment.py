"""Batches that never leave the device (the one file of this room that imports torch).

The uint8 images lie on the device, zero border included, as one table of pixels; crop and flip are one gather,
whatever the images' sizes.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data.crops import crop_range, draw_epoch
from benchmark.data.measure import Channels
from benchmark.data.packed import Split
from benchmark.data.residence import lies_on_gpu
from benchmark.runs.axes import Dataset


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


class Pixels:
    """The images of a split as one table of pixels on a device, from which a batch is one gather.

    Without a border the table is the cache's own memory map while it stays on the CPU.

    Args:
        split: the images.
        border: black pixels added on each side.
        device: where the table lies.
    """

    def __init__(self, split: Split, border: int, device: torch.device) -> None:
        bordered = split.bordered(border) if border else split
        self.device = device
        self._pixels = _as_tensor(bordered.pixels).to(device)  # [P, 3]
        self._starts = torch.from_numpy(bordered.starts).to(device)  # [n]
        self._widths = torch.from_numpy(bordered.heights_widths[:, 1].copy()).to(device)  # [n]

    def crop(self, samples: Tensor, offsets: Tensor, flips: Tensor, size: int) -> Tensor:
        """Crop and mirror in one indexing.

        Args:
            samples: int64 [B].
            offsets: int64 [B, 2], first row and column of each crop in the bordered image.
            flips: bool [B].
            size: S.

        Returns:
            uint8 [B, S, S, 3].
        """
        steps = torch.arange(size, device=self.device)  # [S]
        rows = self._starts[samples, None] + (offsets[:, :1] + steps) * self._widths[samples, None]  # [B, S]
        cols = offsets[:, 1:] + torch.where(flips[:, None], size - 1 - steps, steps)  # [B, S]
        places = rows[:, :, None] + cols[:, None, :]  # [B, S, S]
        # on a CPU index_select takes a quarter of the time of self._pixels[places]
        return self._pixels.index_select(0, places.view(-1)).view(*places.shape, 3)


class Batches:
    """The training batches of one run, resident on the device where it has room for them.

    Args:
        split: uint8 images no smaller than ``facts.stored_size(image_size)`` on either side, and labels [n].
        mean: of the pixels scaled to 0 … 1, for R, G and B.
        std: likewise.
        dataset: says the input size and the border.
        device: where the batches appear.
        seed: the trial's seed.

    Raises:
        ValueError: the shorter side of an image isn't the dataset's stored size.
    """

    def __init__(
        self, split: Split, mean: Channels, std: Channels, dataset: Dataset, device: torch.device, seed: int
    ) -> None:
        _check_side(split, dataset)
        self._seed, self._device = seed, device
        self._mean, self._std = _planes(mean, device), _planes(std, device)
        self._size, self._largest_offset = dataset.image_size, crop_range(split, dataset)
        self._labels = torch.tensor(split.labels, device=device)  # [n]
        self._pixels = Pixels(split, dataset.facts.crop_padding, _home(split, device))

    def steps(self, batch_size: int) -> int:
        """Batches an epoch; the last may be smaller."""
        return -(-len(self._labels) // batch_size)

    def epoch(self, epoch: int, batch_size: int, start_step: int = 0) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The batches of one epoch, the smaller last one included; its random choices are made by this call.

        Args:
            epoch: zero-based.
            batch_size: images a batch.
            start_step: so many batches are left out at the start; the others are what they would be.

        Returns:
            images float32 [B, 3, S, S] in channels_last, normalised; labels int64 [B]; sample indices
            int64 [B] into the split. All on the device.
        """
        tables, home = draw_epoch(self._seed, epoch, len(self._labels), self._largest_offset), self._pixels.device
        order = torch.from_numpy(tables.order).to(home)
        offsets = torch.from_numpy(tables.offsets).to(home)
        flips = torch.from_numpy(tables.flips).to(home)
        starts = range(start_step * batch_size, len(self._labels), batch_size)
        return (self._batch(order[start : start + batch_size], offsets, flips) for start in starts)

    def _batch(self, samples: Tensor, offsets: Tensor, flips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pixels = self._pixels.crop(samples, offsets[samples], flips[samples], self._size).to(self._device)
        samples = samples.to(self._device)
        return normalise(pixels, self._mean, self._std), self._labels[samples], samples


class CentreCrops:
    """The evaluation's images in the split's order, resident on the device where it has room: centre crop, not flipped.

    Args:
        split: uint8 images no smaller than ``facts.stored_size(image_size)`` on either side, and labels [n].
        mean: of the pixels scaled to 0 … 1, for R, G and B.
        std: likewise.
        dataset: says the input size.
        device: where the batches appear.

    Raises:
        ValueError: the shorter side of an image isn't the dataset's stored size.
    """

    def __init__(self, split: Split, mean: Channels, std: Channels, dataset: Dataset, device: torch.device) -> None:
        _check_side(split, dataset)
        self.size, self.device = dataset.image_size, device
        self._mean, self._std = _planes(mean, device), _planes(std, device)
        self._labels = torch.tensor(split.labels, device=device)  # [n]
        self._pixels = Pixels(split, 0, _home(split, device))
        self._offsets = torch.from_numpy(split.centre_offsets(self.size)).to(self._pixels.device)  # [n, 2]

    def __len__(self) -> int:
        return len(self._labels)

    def batches(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images; the last batch may be smaller.

        Yields:
            images float32 [B, 3, S, S] in channels_last; labels int64 [B].
        """
        home = self._pixels.device
        for start in range(0, len(self), batch_size):
            samples = torch.arange(start, min(start + batch_size, len(self)), device=home)
            unflipped = torch.zeros(len(samples), dtype=torch.bool, device=home)
            crop = self._pixels.crop(samples, self._offsets[samples], unflipped, self.size)
            labels = self._labels[start : start + batch_size]
            yield normalise(crop.to(self.device), self._mean, self._std), labels


def _planes(values: Channels, device: torch.device) -> Tensor:
    """One number a channel as float32 [1, 3, 1, 1], sent once: each transfer waits for the device."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, 3, 1, 1)


def _home(split: Split, device: torch.device) -> torch.device:
    """Where the pixels lie: on the device, or mapped on the CPU where they would take too much of a GPU."""
    if device.type != "cuda" or lies_on_gpu(split.images.nbytes, torch.cuda.mem_get_info(device)[1]):
        return device
    return torch.device("cpu")


def _as_tensor(array: NDArray[np.uint8]) -> Tensor:
    """The array itself, not a copy; a mapped cache can't be written to, and nothing here does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(array)


def _check_side(split: Split, dataset: Dataset) -> None:
    side = dataset.facts.stored_size(dataset.image_size)
    wrong = np.flatnonzero(split.heights_widths.min(axis=1) != side)
    if len(wrong):
        height, width = split.heights_widths[wrong[0]]
        raise ValueError(
            f"{dataset.name}: expected a shorter side of {side} pixels, but image {wrong[0]} is {height} x {width}"
        )
