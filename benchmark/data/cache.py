"""The cache folder that keeps a packed image set.

It holds ``.npy`` files and ``meta.json``, and appears whole or not at all: it is written beside its place
and renamed. Every reading computes the digest of pixels and labels anew and compares it with what ``meta.json``
says; what is cut off, damaged, edited, of other settings, of other files or of another version counts as absent.
So the digest in a result is that of the pixels it saw. SHA-256 over every byte also leaves the files in the
system's memory, where the training wants them next.
"""

import contextlib
import hashlib
import os
import shutil
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.data.measure import Channels, Copies
from benchmark.data.meta import FILE, Meta, read_meta
from benchmark.data.packed import ImageSet, Split
from benchmark.errors import DataError, reason_of
from benchmark.system.folders import make_folder, sync_folder
from benchmark.system.locks import HeldError, Lock, waiting

#: Raised whenever the files of a cache folder change their meaning; older folders are packed again.
FORMAT_VERSION = 3
_BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What is known of the arrays that were just written.

    Attributes:
        classes: how many classes the labels count.
        mean: of the training pixels scaled to 0 … 1.
        std: likewise.
        copies: images that are in both splits.
        origin: fingerprint of the files that were read; empty where there are none.
    """

    classes: int
    mean: Channels
    std: Channels
    copies: Copies = ()
    origin: str = ""


#: Writes ``<split>_images.npy``, ``_labels.npy`` and, where sizes differ, ``_sizes.npy`` into a folder.
Fill = Callable[[Path], Packed]


def ensure_packed(folder: Path, key: str, fill: Fill, origin: str | None = None) -> ImageSet:
    """The cached set; made and written first where there is no good one.

    A good cache is read without a lock, so that a read-only one serves too. Of several processes that
    find none, one makes it and the others wait.

    Args:
        folder: the cache folder; its parents are created.
        key: names the dataset and the settings it was decoded with.
        fill: decodes the dataset into an empty folder; called at most once.
        origin: fingerprint of the files as they are now, where they are at hand: a cache of others is made anew.

    Raises:
        DataError: the cache can't be written, or what ``fill`` raises.
    """
    if found := read_packed(folder, key, origin):
        return found
    try:
        with waiting(_lock(folder)):
            if found := read_packed(folder, key, origin):
                return found
            _replace(folder, key, fill)
            found = read_packed(folder, key, origin)
    except OSError as error:
        raise DataError(
            f"cannot write the image cache {folder}: {reason_of(error)}; make room there or make it writable"
        ) from error
    if found is None:
        raise DataError(f"the image cache {folder} does not read back as written; check the disk it lies on")
    return found


def read_packed(folder: Path, key: str, origin: str | None = None, *, examine: bool = True) -> ImageSet | None:
    """The cached set, images memory-mapped; None where the folder is absent, damaged or holds something else.

    Args:
        folder: the cache folder.
        key: what it must hold.
        origin: of which files; None where any will do.
        examine: False takes the digest as it was written, and reads no pixel.
    """
    try:
        before, meta = folder.stat().st_ino, read_meta(folder)
        if (
            meta is None
            or (meta.format_version, meta.key) != (FORMAT_VERSION, key)
            or origin not in (None, meta.origin)
        ):
            return None
        if _sizes(folder) != meta.files:  # before any is opened: these are files
            return None
        with warnings.catch_warnings(action="ignore"):  # numpy's, of a header that it can't make sense of
            found = ImageSet(
                train=_split(folder, "train"),
                test=_split(folder, "test"),
                classes=meta.classes,
                mean=meta.mean,
                std=meta.std,
                digest=meta.digest,
                copies=meta.copies,
            )
            good = not examine or _digest(folder) == found.digest
        # whoever makes the folder anew puts another in its place, maybe between two of these lines
        return found if good and folder.stat().st_ino == before else None
    except MemoryError:
        raise
    except Exception:  # numpy parses a header as Python does: any of its errors
        return None


def sweep_packs(cache_dir: Path) -> None:
    """Delete what killed processes left of packing, as far as that is allowed and nobody packs that set now."""
    for left in cache_dir.glob(".*.*.tmp"):
        with contextlib.suppress(OSError, HeldError), Lock(_lock(cache_dir / left.name[1:].rsplit(".", 2)[0])):
            shutil.rmtree(left, ignore_errors=True)


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def write_set(folder: Path, images: ImageSet) -> Packed:
    """Write the arrays of a set that lies in memory; a :data:`Fill` in one line."""
    for name, split in (("train", images.train), ("test", images.test)):
        for kind, array in split.arrays().items():
            write_array(folder / f"{name}_{kind}.npy", array)
    return Packed(classes=images.classes, mean=images.mean, std=images.std, copies=images.copies)


def write_array(file: Path, array: NDArray[Any]) -> None:
    """One little-endian ``.npy`` file, on the disk when this returns."""
    with file.open("wb") as out:
        np.save(out, array.astype(array.dtype.newbyteorder("<"), copy=False), allow_pickle=False)
        out.flush()
        os.fsync(out.fileno())


def _split(folder: Path, name: str) -> Split:
    def array(kind: str) -> NDArray[Any]:
        found: NDArray[Any] = np.load(folder / f"{name}_{kind}.npy", mmap_mode="r", allow_pickle=False)
        if found.dtype != (np.uint8 if kind == "images" else np.dtype("<i8")):
            raise ValueError(f"{name} {kind} are {found.dtype}")
        return found

    labels = np.array(array("labels"), dtype=np.int64)
    sizes = np.array(array("sizes"), dtype=np.int64) if (folder / f"{name}_sizes.npy").exists() else None
    split = Split(images=array("images"), labels=labels, sizes=sizes)
    of_one_size = sizes is None and split.images.ndim == 4 and len(split.images) == len(labels)
    together = sizes is not None and sizes.shape == (len(labels), 2) and len(split.images) == sizes.prod(axis=1).sum()
    if not (of_one_size or together) or split.images.shape[-1] != 3:
        raise ValueError(f"{name} images {split.images.shape}, labels {labels.shape}")
    return split


def _replace(folder: Path, key: str, fill: Fill) -> None:
    """Make the folder anew, in one step, in place of what was there; its lock is ours."""
    for left_over in folder.parent.glob(f".{folder.name}.*.tmp"):  # of a killed process
        shutil.rmtree(left_over, ignore_errors=True)
    building, former = (folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp") for _ in range(2))
    make_folder(building)  # whoever may pack beside it may also take it away
    try:
        _seal(building, key, fill(building))
        if folder.exists():
            folder.rename(former)  # a network disk may keep what somebody reads, and the folder with it
        building.rename(folder)
        sync_folder(folder.parent)
    finally:
        for left in (building, former):
            shutil.rmtree(left, ignore_errors=True)


def _seal(folder: Path, key: str, packed: Packed) -> None:
    """Add ``meta.json``. The files are read once more, so that no set has to fit into memory."""
    meta = Meta(
        format_version=FORMAT_VERSION,
        key=key,
        origin=packed.origin,
        classes=packed.classes,
        mean=packed.mean,
        std=packed.std,
        digest=_digest(folder),
        copies=packed.copies,
        files=_sizes(folder),
    )
    with (folder / FILE).open("w", encoding="utf-8") as out:
        out.write(meta.model_dump_json(indent=1))
        out.flush()
        os.fsync(out.fileno())
    sync_folder(folder)


def _files(folder: Path) -> list[Path]:
    """Those of the arrays, in the order of the digest."""
    names = [f"{split}_{kind}.npy" for split in ("train", "test") for kind in ("images", "sizes", "labels")]
    return [folder / name for name in names if (folder / name).is_file()]


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in _files(folder)}


def _digest(folder: Path) -> str:
    """That of :func:`~benchmark.data.packed.digest_of`, of the files block by block."""
    digest = hashlib.sha256()
    for file in _files(folder):
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        digest.update(f"{list(array.shape)}".encode())
        with file.open("rb") as blocks:
            blocks.seek(array.offset)
            while block := blocks.read(_BLOCK):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"
