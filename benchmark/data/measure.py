"""What is computed of pixels once, exactly: channel statistics and a digest (floor 1, no torch)."""

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def channel_statistics(
    images: NDArray[np.uint8],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and population standard deviation (ddof 0) of each channel, pixels scaled to 0 … 1.

    Counted in integers and rounded once, so that no summation order shows in the result.

    Args:
        images: [n, H, W, 3], n at least 1.
    """
    values = np.arange(256, dtype=np.int64)
    pixels = images.size // 3
    mean, std = [], []
    for channel in range(3):
        counts = np.zeros(256, dtype=np.int64)
        for start in range(0, len(images), 1024):  # bincount makes 8 bytes of every pixel
            counts += np.bincount(images[start : start + 1024, :, :, channel].ravel(), minlength=256)
        total, squares = int(counts @ values), int(counts @ values**2)
        mean.append(total / (pixels * 255))
        std.append(math.sqrt((pixels * squares - total**2) / (pixels * 255) ** 2))
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def content_digest(*arrays: NDArray[Any]) -> str:
    """SHA-256 in hex of uint8 and int64 arrays, shapes included; the same on a big-endian machine."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{list(array.shape)}".encode())
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()
