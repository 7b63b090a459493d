"""Decoded image sets, in memory or mapped from the cache."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.data.measure import Copies, channel_statistics, content_digest, copies_among, image_digest


@dataclass(frozen=True, kw_only=True)
class Split:
    """The images of one split, in the publisher's order, and their classes.

    Attributes:
        images: uint8, RGB: [n, H, W, 3] where all have one size, else [P, 3], the P pixels of all images one
            after another, row by row.
        labels: int64 [n], 0 … classes - 1.
        sizes: int64 [n, 2], height and width of each image in pixels; None where all have one size.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sizes: NDArray[np.int64] | None = None

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The pixels of all images one after another: [P, 3], a view."""
        return self.images.reshape(-1, 3)

    @property
    def heights_widths(self) -> NDArray[np.int64]:
        """Height and width of every image, pixels: [n, 2]."""
        if self.sizes is not None:
            return self.sizes
        return np.broadcast_to(np.array(self.images.shape[1:3], dtype=np.int64), (len(self.labels), 2))

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where in ``pixels`` every image begins: [n]."""
        areas: NDArray[np.int64] = self.heights_widths.prod(axis=1)
        starts: NDArray[np.int64] = np.cumsum(areas) - areas
        return starts

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width that all images share; None where they differ."""
        return None if self.sizes is not None else (self.images.shape[1], self.images.shape[2])

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Every image in turn: [H, W, 3], a view."""
        for start, (height, width) in zip(self.starts.tolist(), self.heights_widths.tolist(), strict=True):
            yield self.pixels[start : start + height * width].reshape(height, width, 3)

    def centre_offsets(self, size: int) -> NDArray[np.int64]:
        """First row and column of every image's centre crop [n, 2]; rounds as torchvision's CenterCrop does."""
        return np.rint((self.heights_widths - size) / 2).astype(np.int64)

    def take(self, indices: NDArray[np.int64]) -> "Split":
        """Some of the images, copied, in the order of ``indices`` [m]."""
        labels = self.labels[indices]
        if self.sizes is None:
            return Split(images=self.images[indices], labels=labels)
        starts, ends = self.starts[indices], (self.starts + self.sizes.prod(axis=1))[indices]
        parts = [self.images[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        return Split(images=np.concatenate(parts), labels=labels, sizes=self.sizes[indices])

    def bordered(self, border: int) -> "Split":
        """The images with ``border`` black pixels, at least 1, on each side; copied."""
        inside = slice(border, -border)
        if self.sizes is None:
            n, height, width, channels = self.images.shape
            out = np.zeros((n, height + 2 * border, width + 2 * border, channels), dtype=np.uint8)
            out[:, inside, inside] = self.images
            return Split(images=out, labels=self.labels)
        sizes = self.sizes + 2 * border
        large = Split(images=np.zeros((int(sizes.prod(axis=1).sum()), 3), np.uint8), labels=self.labels, sizes=sizes)
        for outer, inner in zip(large, self, strict=True):
            outer[inside, inside] = inner
        return large

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored and digested, by name, in the order of the digest."""
        sizes = {} if self.sizes is None else {"sizes": self.sizes}
        return {"images": self.images, **sizes, "labels": self.labels}


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """A dataset in memory (or memory-mapped).

    Attributes:
        train: what is trained on.
        test: what is evaluated on.
        classes: how many classes the labels count.
        mean: of the whole training set's pixels scaled to 0 … 1, for R, G and B.
        std: their population standard deviation (ddof 0); 1 where it is 0.
        digest: ``sha256:…`` of the pixels and labels in ``train`` and ``test``; ``standin-sha256:…``
            where they are generated.
        copies: images that are in both splits, pixel for pixel.
    """

    train: Split
    test: Split
    classes: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    digest: str
    copies: Copies = ()

    @property
    def counts(self) -> dict[str, int]:
        """Images trained on, images tested on, and how many of the latter are among the former."""
        copied = sum(len(test) for _, test in self.copies)
        return {"train": len(self.train.labels), "test": len(self.test.labels), "test_in_train": copied}

    def part(self, train: NDArray[np.int64] | None, test: NDArray[np.int64] | None) -> "ImageSet":
        """Some of the images, by their indices [m] in each split; None for all. Mean and spread stay the whole's."""
        few = self.train if train is None else self.train.take(train)
        fewer = self.test if test is None else self.test.take(test)
        places = [_places(train, len(self.train.labels)), _places(test, len(self.test.labels))]
        copies = (
            tuple(tuple(at[i] for i in group if i in at) for at, group in zip(places, pair, strict=True))
            for pair in self.copies
        )
        return replace(
            self,
            train=few,
            test=fewer,
            digest=f"sha256:{digest_of(few, fewer)}",
            copies=tuple((ours, theirs) for ours, theirs in copies if ours and theirs),
        )


def image_set(train: Split, test: Split, classes: int, *, prefix: str = "sha256") -> ImageSet:
    """The two splits with statistics of the training images and a digest ``<prefix>:<hex>``."""
    mean, std = channel_statistics(train.images)
    return ImageSet(
        train=train,
        test=test,
        classes=classes,
        mean=mean,
        std=std,
        digest=f"{prefix}:{digest_of(train, test)}",
        copies=copies_among(*(map(image_digest, split) for split in (train, test))),
    )


def _places(chosen: NDArray[np.int64] | None, count: int) -> dict[int, int]:
    """Where each chosen index stands in a part."""
    return {index: at for at, index in enumerate(range(count) if chosen is None else chosen.tolist())}


def digest_of(train: Split, test: Split) -> str:
    """SHA-256 in hex of the pixels, sizes where they differ, and labels of both splits."""
    return content_digest(*train.arrays().values(), *test.arrays().values())
