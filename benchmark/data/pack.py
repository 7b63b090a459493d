"""Decoding a whole set into the arrays of the cache, in parallel and in bounded memory."""

import io
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data.bar import progress_bar
from benchmark.data.cache import Packed, write_array
from benchmark.data.decode import Budget, Decoded, Task, decode, start_decoding
from benchmark.data.listing import ListedSplit, Listing
from benchmark.data.measure import copies_among, statistics_of
from benchmark.errors import DataError
from benchmark.system.hardware import cores
from benchmark.system.processes import starting

#: More processes would not fit into 1 GiB together with their parent.
MAX_PROCESSES = 8
#: Fewer images than this for each process are not worth starting it.
IMAGES_PER_PROCESS = 64
#: Decoded bytes a task brings back at once, about.
TASK_BYTES = 2 << 20
#: Pixels of the images that all processes decode at one time. Pillow takes 4 bytes of each, 12 for the costliest
#: formats; what 1 GiB leaves beside the processes themselves is about this.
PIXELS_AT_ONCE = 40_000_000
_SOON_S = 0.2
_HEADER = 128  # bytes of an .npy header of four dimensions or fewer


def pack(listing: Listing, side: int, folder: Path) -> Packed:
    """Decode both splits into ``folder``; a :data:`~benchmark.data.cache.Fill`.

    Args:
        listing: the images, their order and labels.
        side: length of the shorter side of a stored image, pixels.
        folder: an empty one.

    Raises:
        DataError: an image is damaged; ``folder`` is then worth nothing.
        OSError: the disk is full.
    """
    writers = {}
    for name, split in listing.splits.items():
        with SplitWriter(folder / f"{name}_images.npy") as writer:
            for decoded in decode_all(listing, split, side, f"{listing.title}: {name} images"):
                writer.add(decoded)
        if (sizes := writer.sizes_where_different()) is not None:
            write_array(folder / f"{name}_sizes.npy", sizes)
        write_array(folder / f"{name}_labels.npy", split.labels)
        writers[name] = writer
    mean, std = statistics_of(writers["train"].counts)
    copies = copies_among(*(writer.digests for writer in writers.values()))
    return Packed(classes=listing.classes, mean=mean, std=std, copies=copies)


class SplitWriter:
    """Streams decoded images into one ``.npy`` file.

    Whether all have one size is known at the end only, so the header is written last, over its place.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.sizes: list[tuple[int, int]] = []
        self.counts: NDArray[np.int64] = np.zeros((3, 256), dtype=np.int64)
        self.digests: list[bytes] = []

    def __enter__(self) -> "SplitWriter":
        self.out = self.file.open("wb")
        self.out.write(bytes(_HEADER))
        return self

    def add(self, decoded: Decoded) -> None:
        """Append some images."""
        self.out.write(decoded.pixels)
        self.sizes += decoded.sizes
        self.counts += decoded.counts
        self.digests += decoded.digests

    def sizes_where_different(self) -> NDArray[np.int64] | None:
        """Height and width of every image [n, 2]; None where all are equal."""
        return None if len(set(self.sizes)) == 1 else np.array(self.sizes, dtype=np.int64)

    def __exit__(self, *exception: object) -> None:
        with self.out:
            if exception[0] is None:
                self._write_header()
                self.out.flush()
                os.fsync(self.out.fileno())

    def _write_header(self) -> None:
        one_size = self.sizes_where_different() is None
        pixels = sum(height * width for height, width in self.sizes)
        shape = (len(self.sizes), *self.sizes[0], 3) if one_size else (pixels, 3)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        assert header.tell() == _HEADER
        self.out.seek(0)
        self.out.write(header.getvalue())


def decode_all(listing: Listing, split: ListedSplit, side: int, title: str) -> Iterator[Decoded]:
    """Decode the images of a split in their order, behind a progress bar.

    Raises:
        DataError: an image is damaged, or a decoding process was killed.
    """
    each = max(1, min(IMAGES_PER_PROCESS, TASK_BYTES // (4 * side * side)))
    files = [str(listing.root / file) for file in split.files]
    tasks = [
        Task(files=tuple(files[start : start + each]), side=side, exact=listing.exact, own=listing.own)
        for start in range(0, len(files), each)
    ]
    processes = min(MAX_PROCESSES, cores(), len(files) // IMAGES_PER_PROCESS)
    with progress_bar(title, len(files)) as advance:
        for decoded in map(decode, tasks) if processes < 2 else _in_processes(tasks, processes):
            yield decoded
            advance(len(decoded.sizes))


def _in_processes(tasks: list[Task], processes: int) -> Iterator[Decoded]:
    """Results in order; never more than a few tasks ahead of whoever takes them."""
    context = multiprocessing.get_context("spawn")  # fork would copy the parent's threads and locks
    try:
        with starting():
            budget = Budget(context, PIXELS_AT_ONCE)
            pool = ProcessPoolExecutor(processes, context, initializer=start_decoding, initargs=(os.getpid(), budget))
    except OSError:  # where /dev/shm is full or read-only, processes have no locks to share
        yield from map(decode, tasks)
        return
    waiting: deque[Future[Decoded]] = deque()
    try:
        for task in tasks:
            with starting():
                waiting.append(pool.submit(decode, task))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        time.sleep(_SOON_S)  # a signal to the whole group may have met the helpers first, and ends this process now
        raise DataError("a decoding process was killed, perhaps for want of memory; run the command again") from error
    finally:
        budget.end()  # what is still decoded then nobody takes
        pool.shutdown(wait=True, cancel_futures=True)
