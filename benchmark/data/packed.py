"""Decoded image sets, and the cache folder that keeps one (floor 1, no torch).

A cache folder holds four ``.npy`` files and ``meta.json``. It appears whole or not at all: it is written
beside its place and renamed. What is cut off, of another version or unreadable counts as absent.
"""

import json
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from benchmark.data.measure import channel_statistics, content_digest
from benchmark.errors import DataError

#: Raised whenever the files of a cache folder change their meaning; older folders are packed again.
FORMAT_VERSION = 1
_META = "meta.json"
_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True, kw_only=True)
class Split:
    """The images of one split, in the publisher's order, and their classes."""

    images: NDArray[np.uint8]  # [n, H, W, 3], RGB
    labels: NDArray[np.int64]  # [n], 0 … classes - 1


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """A dataset in memory (or memory-mapped).

    Attributes:
        train: what is trained on.
        test: what is evaluated on.
        classes: how many classes the labels count.
        mean: of the whole training set's pixels scaled to 0 … 1, for R, G and B.
        std: their population standard deviation (ddof 0).
        digest: ``sha256:…`` of the pixels and labels in ``train`` and ``test``; ``standin-sha256:…``
            where they are generated.
    """

    train: Split
    test: Split
    classes: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    digest: str


def image_set(train: Split, test: Split, classes: int, *, prefix: str = "sha256") -> ImageSet:
    """The two splits with statistics of the training images and a digest ``<prefix>:<hex>``."""
    mean, std = channel_statistics(train.images)
    return ImageSet(
        train=train, test=test, classes=classes, mean=mean, std=std, digest=f"{prefix}:{digest_of(train, test)}"
    )


def digest_of(train: Split, test: Split) -> str:
    """SHA-256 in hex of the pixels and labels of both splits."""
    return content_digest(train.images, train.labels, test.images, test.labels)


def read_packed(folder: Path, name: str) -> ImageSet | None:
    """The cached set, images memory-mapped; None where the folder is absent, cut off or of another version.

    Args:
        folder: the cache folder.
        name: the dataset it must hold.
    """
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        if (meta["format_version"], meta["dataset"]) != (FORMAT_VERSION, name):
            return None
        files = {array: folder / f"{array}.npy" for array in _ARRAYS}
        if any(file.stat().st_size != meta["bytes"][file.name] for file in files.values()):
            return None
        arrays = {array: np.load(file, mmap_mode="r", allow_pickle=False) for array, file in files.items()}
        train, test = (_split(arrays, split) for split in ("train", "test"))
        (r, g, b), (std_r, std_g, std_b) = meta["mean"], meta["std"]
        return ImageSet(
            train=train,
            test=test,
            classes=int(meta["classes"]),
            mean=(float(r), float(g), float(b)),
            std=(float(std_r), float(std_g), float(std_b)),
            digest=str(meta["digest"]),
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _split(arrays: dict[str, NDArray[Any]], split: str) -> Split:
    images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    fits = images.ndim == 4 and images.shape[3] == 3 and labels.shape == images.shape[:1]
    if not fits or images.dtype != np.uint8 or labels.dtype != np.int64:
        raise ValueError(f"{split} images {images.shape} {images.dtype}, labels {labels.shape} {labels.dtype}")
    return Split(images=images, labels=np.array(labels))


def ensure_packed(folder: Path, name: str, make: Callable[[], ImageSet]) -> ImageSet:
    """The cached set; made and written first where there is no good one.

    A good cache is read without a lock, so that a read-only one serves too. Of several processes that
    find none, one makes it and the others wait.

    Args:
        folder: the cache folder; its parents are created.
        name: the dataset.
        make: decodes the dataset; called at most once.

    Raises:
        DataError: the cache can't be written, or what ``make`` raises.
    """
    if found := read_packed(folder, name):
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if found := read_packed(folder, name):
                return found
            write_packed(folder, name, make())
            found = read_packed(folder, name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"cannot write the image cache {folder}: {reason}; make room there or make it writable"
        ) from error
    if found is None:
        raise DataError(f"the image cache {folder} does not read back as written; check the disk it lies on")
    return found


def write_packed(folder: Path, name: str, images: ImageSet) -> None:
    """Write a cache folder in one step, in place of what was there.

    Hold the folder's lock while you call it, as :func:`ensure_packed` does.

    Raises:
        OSError: the disk is full or read-only; what was there is untouched.
    """
    for left_over in folder.parent.glob(f".{folder.name}.*.tmp"):  # of a killed process: the lock is ours
        shutil.rmtree(left_over, ignore_errors=True)
    building = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    building.mkdir(parents=True)
    try:
        _write_files(building, name, images)
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write_files(folder: Path, name: str, images: ImageSet) -> None:
    train, test = images.train, images.test
    contents: tuple[NDArray[Any], ...] = (train.images, train.labels, test.images, test.labels)
    for array, content in zip(_ARRAYS, contents, strict=True):
        with (folder / f"{array}.npy").open("wb") as file:
            np.save(file, content, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    meta = {
        "format_version": FORMAT_VERSION,
        "dataset": name,
        "classes": images.classes,
        "mean": images.mean,
        "std": images.std,
        "digest": images.digest,
        "bytes": {f"{array}.npy": (folder / f"{array}.npy").stat().st_size for array in _ARRAYS},
    }
    with (folder / _META).open("w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
