"""From image files to pixels, in processes of their own (floor 1, no torch).

A decoding process imports this file and what it needs, and nothing heavy: each costs memory.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.data.measure import channel_counts
from benchmark.errors import DataError
from benchmark.processes import start_process


class Budget:
    """How many undecoded pixels several processes may work on together; a larger image waits until it is alone.

    Args:
        context: how the processes are started.
        pixels: how many.
    """

    def __init__(self, context: SpawnContext, pixels: int) -> None:
        self.pixels = pixels
        self.free = context.Value("q", pixels, lock=False)
        self.changed = context.Condition()

    @contextlib.contextmanager
    def held(self, pixels: int) -> Iterator[None]:
        """Wait for so many pixels, and give them back in the end."""
        pixels = min(pixels, self.pixels)
        with self.changed:
            self.changed.wait_for(lambda: self.free.value >= pixels)
            self.free.value -= pixels
        try:
            yield
        finally:
            with self.changed:
                self.free.value += pixels
                self.changed.notify_all()


#: That of a decoding process; a process that decodes alone needs none.
_budget: Budget | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some image files.

    Attributes:
        files: their paths.
        side: length of the shorter side after resizing, pixels.
        exact: refuse an image that isn't ``side`` × ``side`` already, instead of resizing it.
    """

    files: tuple[str, ...]
    side: int
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The images of one :class:`Task`, in its order.

    Attributes:
        pixels: RGB bytes of all images one after another, row by row.
        sizes: height and width of each, pixels.
        counts: int64 [3, 256], how often each value occurs in each channel.
    """

    pixels: bytes
    sizes: list[tuple[int, int]]
    counts: NDArray[np.int64]


def decode(task: Task) -> Decoded:
    """Decode and resize.

    Raises:
        DataError: a file is no image, or cut off, or of the wrong size.
    """
    images = [_decode_one(Path(file), task.side, task.exact) for file in task.files]
    counts = sum((channel_counts(image) for image in images), np.zeros((3, 256), dtype=np.int64))
    sizes = [(image.shape[0], image.shape[1]) for image in images]
    return Decoded(pixels=b"".join(image.tobytes() for image in images), sizes=sizes, counts=counts)


def _decode_one(file: Path, side: int, exact: bool) -> NDArray[np.uint8]:
    """[H, W, 3], the shorter side ``side`` long, as torchvision's Resize makes it of a PIL image."""
    again = "restore it from the publisher's archive"
    try:
        with Image.open(file) as image:
            if exact and image.size != (side, side):
                width, height = image.size
                raise DataError(f"{file} is {width} × {height} pixels, expected {side} × {side}: another set's image?")
            with _budget.held(image.width * image.height) if _budget else contextlib.nullcontext():
                return _shrunk(image, side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises
        reason = str(error).replace(f"'{file}'", "").strip()
        raise DataError(f"{file} cannot be decoded: {reason}; {again}") from None


def _shrunk(image: Image.Image, side: int) -> NDArray[np.uint8]:
    image.load()
    rgb = image if image.mode == "RGB" else image.convert("RGB")  # which would copy it, four bytes a pixel
    size = resized(*rgb.size, side)
    return np.asarray(rgb if rgb.size == size else rgb.resize(size, Image.Resampling.BILINEAR))


def resized(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height when the shorter side becomes ``side`` pixels; the longer is rounded down."""
    if width <= height:
        return side, int(side * height / width)
    return int(side * width / height), side


def start_decoding(parent: int, budget: Budget) -> None:
    """Set a decoding process up."""
    global _budget
    _budget = budget
    start_process(parent)
