"""From a spec's dataset to its images (floor 1, no torch): files, cache, subset, stand-ins."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.axes import Dataset
from benchmark.data.cache import Packed, ensure_packed, write_set
from benchmark.data.cifar import LAYOUTS as CIFAR
from benchmark.data.cifar import read_cifar
from benchmark.data.folder import read_folder
from benchmark.data.layouts import read_official
from benchmark.data.listing import Listing, check_listing, refuse_part, verify_files
from benchmark.data.pack import pack
from benchmark.data.packed import ImageSet, Split, digest_of
from benchmark.data.places import FOLDERS
from benchmark.data.standin import standin
from benchmark.errors import DataError


def prepare(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> None:
    """Make sure that :func:`load` finds its images: pack the files unless they are packed.

    Stand-ins need no preparation. A good cache serves without the files; where they are at hand, their index
    is compared with the cache's.

    Args:
        dataset: which images.
        data_dir: the folder that holds the publishers' folders; None where the user named none.
        cache_dir: below it the cache folder :func:`cache_name` is created.

    Raises:
        DataError: the files are missing, incomplete or wrong, or the cache can't be written.
    """
    if dataset.source == "standin":
        return
    at_hand = data_dir is not None and (data_dir / files_folder(dataset)).is_dir()
    listing = read_listing(dataset, data_dir) if data_dir and at_hand and not _pickled(dataset) else None
    _whole(dataset, data_dir, cache_dir, listing)


def load(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> ImageSet:
    """The images of a run: the whole set or, where the spec says so, a class-balanced part.

    Mean and standard deviation are always the whole training set's (of what is there of it); the digest is
    that of the images returned.

    Args:
        dataset: which images, and how many of them.
        data_dir: the folder that holds the publishers' folders; not needed once they are packed.
        cache_dir: the folder below which packed sets lie.

    Raises:
        DataError: as :func:`prepare`.
    """
    if dataset.source == "standin":
        return standin(dataset)
    whole = _whole(dataset, data_dir, cache_dir, None)
    train = _part(whole.train, dataset.train_images)
    test = _part(whole.test, dataset.test_images)
    if train is whole.train and test is whole.test:
        return whole
    return ImageSet(
        train=train,
        test=test,
        classes=whole.classes,
        mean=whole.mean,
        std=whole.std,
        digest=f"sha256:{digest_of(train, test)}",
    )


def balanced_part(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Indices [count] of a part with as equal class counts as can be; nothing is drawn.

    Every class's first image in class order, then every class's second, and so on: a smaller part is the
    beginning of a larger one.

    Args:
        labels: [n].
        count: how many; at most n.
    """
    by_class = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[by_class], labels[by_class])  # where each one's class begins
    rank = np.empty_like(by_class)  # how many of its class come before it
    rank[by_class] = np.arange(len(labels)) - first
    return np.lexsort((labels, rank))[:count]


def files_folder(dataset: Dataset) -> str:
    """The folder below the data directory that holds the set's files."""
    return dataset.name if dataset.source == "folder" else FOLDERS[dataset.name]


def cache_name(dataset: Dataset) -> str:
    """The cache folder's name: ``cifar100``, ``stanford_dogs-256``, ``my_set-folder-73``."""
    folder = "-folder" if dataset.source == "folder" else ""
    native = dataset.source == "official" and dataset.facts.crop_padding > 0
    return dataset.name + folder + ("" if native else f"-{_side(dataset)}")


def read_listing(dataset: Dataset, data_dir: Path) -> Listing:
    """What the files of a set should be, checked as far as that goes without opening an image.

    Raises:
        DataError: see :func:`~benchmark.data.listing.check_listing`.
    """
    read = read_folder(dataset, data_dir) if dataset.source == "folder" else read_official(dataset.name, data_dir)
    check_listing(read, dataset)
    return read


def _side(dataset: Dataset) -> int:
    return dataset.facts.stored_size(dataset.image_size)


def _pickled(dataset: Dataset) -> bool:
    return dataset.source == "official" and dataset.name in CIFAR


def _part(split: Split, count: int | None) -> Split:
    if count is None or count >= len(split.labels):
        return split
    return split.take(balanced_part(split.labels, count))


def _whole(dataset: Dataset, data_dir: Path | None, cache_dir: Path, listing: Listing | None) -> ImageSet:
    """Everything there is of the set; ``listing`` where it was read already."""

    def fill(folder: Path) -> Packed:
        if data_dir is None:
            raise DataError(
                f"{dataset.facts.title} needs its {dataset.source} files: point --data-dir (or SFE_DATA_DIR) "
                f"to the folder that holds {files_folder(dataset)}"
            )
        if _pickled(dataset):
            return write_set(folder, read_cifar(dataset.name, data_dir))
        files = listing or read_listing(dataset, data_dir)
        verify_files(files)
        return pack(files, _side(dataset), folder)

    name = cache_name(dataset)
    origin = listing.fingerprint if listing else None
    found = ensure_packed(cache_dir / name, f"{dataset.name} {dataset.source} {_side(dataset)}", fill, origin)
    if not _pickled(dataset):  # whose files are whole or not the official ones
        where = f"the packed {dataset.facts.title} in {cache_dir / name}"
        refuse_part(dataset, where, len(found.train.labels), len(found.test.labels))
    return found
