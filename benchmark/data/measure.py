"""What is computed of pixels once, exactly: channel statistics, digests and copies."""

import hashlib
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Channels = tuple[float, float, float]
#: Places of equal images, training and test, a group each; only where there are some of both.
Copies = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
_CHUNK = 1 << 20  # pixels counted at once: bincount makes 8 bytes of each


def channel_counts(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each value occurs in each channel: uint8 [..., 3] -> int64 [3, 256]."""
    pixels = images.reshape(-1, 3)
    counts = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(pixels), _CHUNK):
        for channel in range(3):
            counts[channel] += np.bincount(pixels[start : start + _CHUNK, channel], minlength=256)
    return counts


def statistics_of(counts: NDArray[np.int64]) -> tuple[Channels, Channels]:
    """Mean and population standard deviation (ddof 0) of each channel, pixels scaled to 0 … 1.

    Counted in Python's integers, which can't overflow, and rounded once, so that no summation order shows
    in the result. A channel that has one value everywhere gets 1 for its deviation, so that normalising makes it 0
    instead of dividing by 0.

    Args:
        counts: [3, 256] from :func:`channel_counts`, of at least one pixel.
    """
    mean, std = [], []
    for channel in counts.tolist():
        pixels = sum(channel)
        total = sum(count * value for value, count in enumerate(channel))
        squares = sum(count * value**2 for value, count in enumerate(channel))
        mean.append(total / (pixels * 255))
        std.append(math.sqrt((pixels * squares - total**2) / (pixels * 255) ** 2) or 1.0)
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def channel_statistics(images: NDArray[np.uint8]) -> tuple[Channels, Channels]:
    """:func:`statistics_of` images [..., 3] with at least one pixel."""
    return statistics_of(channel_counts(images))


def content_digest(*arrays: NDArray[Any]) -> str:
    """SHA-256 in hex of uint8 and int64 arrays, shapes included; the same on a big-endian machine."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{list(array.shape)}".encode())
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def image_digest(image: NDArray[np.uint8]) -> bytes:
    """What an image [H, W, 3] and its copies have in common, and no other image."""
    digest = hashlib.sha256(f"{image.shape}".encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()[:16]


def copies_among(train: Iterable[bytes], test: Iterable[bytes]) -> Copies:
    """Which images of two splits are equal, by their :func:`image_digest`, in the splits' order."""
    places: dict[bytes, tuple[list[int], list[int]]] = {}
    for at, digest in enumerate(test):
        places.setdefault(digest, ([], []))[1].append(at)
    for at, digest in enumerate(train):
        if digest in places:
            places[digest][0].append(at)
    return tuple((tuple(ours), tuple(theirs)) for ours, theirs in places.values() if ours)
