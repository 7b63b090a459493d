"""From image files to pixels, in processes of their own.

A decoding process imports this file and what it needs, and nothing heavy: each costs memory.
"""

import contextlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmark.data.clear import upright, why_unclear
from benchmark.data.measure import channel_counts, image_digest
from benchmark.errors import DataError
from benchmark.system.files import open_regular
from benchmark.system.processes import start_process


class Budget:
    """How many undecoded pixels several processes may work on together; a larger image waits until it is alone.

    Args:
        context: how the processes are started.
        pixels: how many.
    """

    def __init__(self, context: SpawnContext, pixels: int) -> None:
        self.pixels = pixels
        self.free = context.Value("q", pixels, lock=False)
        self.over = context.Value("b", 0, lock=False)
        self.changed = context.Condition()

    @contextlib.contextmanager
    def held(self, pixels: int) -> Iterator[None]:
        """Wait for so many pixels, and give them back in the end.

        Raises:
            RuntimeError: nobody wants them any more.
        """
        pixels = min(pixels, self.pixels)
        with self.changed:
            self.changed.wait_for(lambda: self.over.value or self.free.value >= pixels)
            if self.over.value:
                raise RuntimeError("decoding was ended")
            self.free.value -= pixels
        try:
            yield
        finally:
            with self.changed:
                self.free.value += pixels
                self.changed.notify_all()

    def end(self) -> None:
        """Let no further image be decoded. Asks for no lock: a process that was killed may hold it for ever."""
        self.over.value = 1


_ARCHIVE = "restore it from the publisher's archive"
#: Pixels of a stored image, at most; a line of a file's pixels would become billions.
_LARGEST = 100_000_000
#: That of a decoding process; a process that decodes alone needs none.
_budget: Budget | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some image files.

    Attributes:
        files: their paths.
        side: length of the shorter side after resizing, pixels.
        exact: refuse an image that isn't ``side`` × ``side`` already, instead of resizing it.
        own: whether they are somebody's own, see :mod:`~benchmark.data.clear`.
    """

    files: tuple[str, ...]
    side: int
    exact: bool
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The images of one :class:`Task`, in its order.

    Attributes:
        pixels: RGB bytes of all images one after another, row by row.
        sizes: height and width of each, pixels.
        counts: int64 [3, 256], how often each value occurs in each channel.
        digests: the :func:`~benchmark.data.measure.image_digest` of each.
    """

    pixels: bytes
    sizes: list[tuple[int, int]]
    counts: NDArray[np.int64]
    digests: list[bytes]


def decode(task: Task) -> Decoded:
    """Decode and resize.

    Raises:
        DataError: a file is no image, or cut off, or of the wrong size.
    """
    images = [_decode_one(Path(file), task) for file in task.files]
    counts = sum((channel_counts(image) for image in images), np.zeros((3, 256), dtype=np.int64))
    sizes = [(image.shape[0], image.shape[1]) for image in images]
    return Decoded(
        pixels=b"".join(image.tobytes() for image in images),
        sizes=sizes,
        counts=counts,
        digests=[image_digest(image) for image in images],
    )


def _decode_one(file: Path, task: Task) -> NDArray[np.uint8]:
    """[H, W, 3], the shorter side as long as the task says, as torchvision's Resize makes it of a PIL image."""
    side, again = task.side, "put a good one in its place, or take it away" if task.own else _ARCHIVE
    try:
        with warnings.catch_warnings(action="ignore"), open_regular(file) as source, Image.open(source) as image:
            if task.exact and image.size != (side, side):
                width, height = image.size
                raise DataError(f"{file} is {width} × {height} pixels, expected {side} × {side}: another set's image?")
            with _budget.held(image.width * image.height) if _budget else contextlib.nullcontext():
                if reason := why_unclear(image, own=task.own):
                    raise DataError(f"{file} {reason}")
                return _shrunk(upright(image) if task.own else image, side)
    except DataError:
        raise
    except Exception as error:  # Pillow raises nearly anything
        reason = getattr(error, "strerror", None) or re.sub(r" ?<_io\.BufferedReader.*>", "", str(error))
        raise DataError(f"{file} cannot be decoded: {reason or type(error).__name__}; {again}") from None


def _shrunk(image: Image.Image, side: int) -> NDArray[np.uint8]:
    image.load()
    rgb = image if image.mode == "RGB" else image.convert("RGB")  # which would copy it, four bytes a pixel
    size = resized(*rgb.size, side)
    if size[0] * size[1] > _LARGEST:
        raise ValueError(f"{image.width} × {image.height} pixels would become {size[0]} × {size[1]}")
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
