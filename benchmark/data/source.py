"""From a spec's dataset to its images: files, cache, subset, stand-ins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data.cache import Packed, ensure_packed, read_packed, write_set
from benchmark.data.cifar import LAYOUTS as CIFAR
from benchmark.data.cifar import cifar_fingerprint, read_cifar
from benchmark.data.folder import read_folder
from benchmark.data.layouts import read_official
from benchmark.data.listing import Listing, check_listing, refuse_part, verify_files
from benchmark.data.pack import pack
from benchmark.data.packed import ImageSet, Split
from benchmark.data.places import cache_name, files_folder, stored_side, unreadable
from benchmark.data.standin import standin
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset


def prepare(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> int:
    """Make sure that :func:`load` finds its images: pack the files unless they are packed as they are now.

    Stand-ins need no preparation. A good cache serves without the files; where they are at hand, one that was made
    of other files, or of these before they were changed, is made anew.

    Args:
        dataset: which images.
        data_dir: the folder that holds the publishers' folders; None where the user named none.
        cache_dir: below it the cache folder :func:`cache_name` is created.

    Returns:
        How many images there are to train on.

    Raises:
        DataError: the files are missing, incomplete or wrong, or the cache can't be written.
    """
    if dataset.source == "standin":
        return dataset.train_images or 0
    count = len(_whole(dataset, data_dir, cache_dir, _origin(dataset, data_dir)).train.labels)
    return min(count, dataset.train_images or count)


def digest_now(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> str | None:
    """The digest that a run would record now; None where the set was never packed here, or is generated.

    A packed set whose files were changed since is made anew first, otherwise little is read.

    Raises:
        DataError: as :func:`prepare`.
    """
    folder = cache_dir / cache_name(dataset)
    if dataset.source == "standin" or not folder.is_dir():
        return None
    origin = _origin(dataset, data_dir)
    if (found := read_packed(folder, _key(dataset), origin, examine=False)) is None:
        if origin is None:  # a damaged one, and nothing to make another from
            return None
        found = _whole(dataset, data_dir, cache_dir, origin)
    return _asked(found, dataset).digest


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
    return _asked(_whole(dataset, data_dir, cache_dir, None), dataset)


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


def read_listing(dataset: Dataset, data_dir: Path) -> Listing:
    """What the files of a set should be, checked as far as that goes without opening an image.

    Raises:
        DataError: see :func:`~benchmark.data.listing.check_listing`.
    """
    read = read_folder(dataset, data_dir) if dataset.source == "folder" else read_official(dataset.name, data_dir)
    check_listing(read, dataset)
    return read


def _pickled(dataset: Dataset) -> bool:
    return dataset.source == "official" and dataset.name in CIFAR


def _key(dataset: Dataset) -> str:
    """Names what a cache folder holds."""
    return f"{dataset.name} {dataset.source} {stored_side(dataset)}"


def _chosen(split: Split, count: int | None) -> NDArray[np.int64] | None:
    return None if count is None or count >= len(split.labels) else balanced_part(split.labels, count)


def _asked(whole: ImageSet, dataset: Dataset) -> ImageSet:
    """The part that the spec asks for, or the whole."""
    train, test = _chosen(whole.train, dataset.train_images), _chosen(whole.test, dataset.test_images)
    return whole if train is None and test is None else whole.part(train, test)


def _origin(dataset: Dataset, data_dir: Path | None) -> str | None:
    """Fingerprint of the set's files as they are now; None where there are none at hand."""
    try:
        at_hand = data_dir is not None and (data_dir / files_folder(dataset)).is_dir()
    except OSError as error:
        raise unreadable(error) from error
    return _look(dataset, data_dir)[1] if data_dir and at_hand else None


def _look(dataset: Dataset, data_dir: Path) -> tuple[Listing | None, str]:
    """What should be there, where an index or folders tell, and the fingerprint of what is."""
    try:
        if _pickled(dataset):
            return None, cifar_fingerprint(dataset.name, data_dir)
        listing = read_listing(dataset, data_dir)
        return listing, verify_files(listing)
    except OSError as error:
        raise unreadable(error) from error


def _whole(dataset: Dataset, data_dir: Path | None, cache_dir: Path, origin: str | None) -> ImageSet:
    """Everything there is of the set, packed; of files with this fingerprint, or of any."""

    def fill(folder: Path) -> Packed:
        if data_dir is None:
            raise DataError(
                f"{dataset.facts.title} needs its {dataset.source} files: point --data-dir (or SFE_DATA_DIR) "
                f"to the folder that holds {files_folder(dataset)}"
            )
        listing, before = _look(dataset, data_dir)
        if listing:
            packed = pack(listing, stored_side(dataset), folder)
        else:
            packed = write_set(folder, read_cifar(dataset.name, data_dir))
        if _look(dataset, data_dir)[1] != before:
            raise DataError(f"{data_dir / files_folder(dataset)} was changed while it was read; run the command again")
        return replace(packed, origin=before)

    name = cache_name(dataset)
    found = ensure_packed(cache_dir / name, _key(dataset), fill, origin)
    if not _pickled(dataset):  # whose files are whole or not the official ones
        where = f"the packed {dataset.facts.title} in {cache_dir / name}"
        refuse_part(dataset, where, len(found.train.labels), len(found.test.labels))
    return found
