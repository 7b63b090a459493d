"""Which images a set has, before any of them is read, and what can be wrong with that."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.runs.axes import Dataset
from benchmark.system.files import why_irregular


@dataclass(frozen=True, kw_only=True)
class ListedSplit:
    """Files of one split below the set's folder, in the publisher's order, and their classes, 0 … N - 1."""

    files: tuple[str, ...]
    labels: NDArray[np.int64]  # [n]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What the index files of a set say.

    Attributes:
        title: the set's name for messages.
        root: its folder.
        train: training images.
        test: test images.
        classes: N, also where the listing has fewer.
        image_folders: below these, relative to ``root``, lie the listed images and no others.
        exact: the images must have the stored size already.
        own: it is no published set but somebody's own, see :mod:`~benchmark.data.clear`.
        train_per_class: fewest and most training images a class has in the whole set, where the publisher
            made them nearly equal; tells swapped splits.
    """

    title: str
    root: Path
    train: ListedSplit
    test: ListedSplit
    classes: int
    image_folders: tuple[str, ...] = ()
    exact: bool = False
    own: bool = False
    train_per_class: tuple[int, int] | None = None

    @property
    def splits(self) -> Mapping[str, ListedSplit]:
        """``train`` and ``test``."""
        return {"train": self.train, "test": self.test}


def check_listing(listing: Listing, dataset: Dataset) -> None:
    """Hold a listing against what is known of the set.

    Args:
        listing: what the index files say.
        dataset: a split of which it wants a part may be incomplete.

    Raises:
        DataError: swapped or overlapping splits, a class without images, or an incomplete set that is
            wanted whole.
    """
    where = f"{listing.title} in {listing.root}"
    everything = [*listing.train.files, *listing.test.files]
    if len(set(everything)) < len(everything):
        twice = Counter(everything).most_common(1)[0][0]
        raise DataError(f"{where} lists {twice} more than once; take the publisher's own index files")
    if _swapped(listing, dataset):
        raise DataError(f"the training and test images of {where} are swapped; put them back as published")
    for name, split in listing.splits.items():
        if not len(split.labels):
            raise DataError(f"{where} has no {name} images; unpack it again")
        if split.labels.min() < 0 or split.labels.max() >= listing.classes:
            raise DataError(f"{where}: a {name} label is outside 1 … {listing.classes}; is it another dataset?")
    lone = set(listing.train.labels.tolist()) ^ set(listing.test.labels.tolist())
    if lone:
        raise DataError(f"class {min(lone) + 1} of {where} has images in one split only; unpack the set again")
    refuse_part(dataset, where, len(listing.train.labels), len(listing.test.labels))
    if _wants_whole(dataset) and len(set(listing.train.labels.tolist())) != listing.classes:
        found = len(set(listing.train.labels.tolist()))
        raise DataError(f"{where} has images of {found} classes, expected {listing.classes}; unpack it again")


def refuse_part(dataset: Dataset, where: str, train: int, test: int) -> None:
    """Refuse an incomplete set where the dataset is wanted whole.

    Args:
        dataset: what is wanted.
        where: which set and where it lies, for the message.
        train: how many training images there are.
        test: how many test images.

    Raises:
        DataError: fewer or more than the publisher's, and the spec asks for no part.
    """
    facts = dataset.facts
    for split, found, whole, part in (
        ("training", train, facts.train_images, dataset.train_images),
        ("test", test, facts.test_images, dataset.test_images),
    ):
        if whole and found > whole:
            raise DataError(f"{where} has {found} {split} images, the published set {whole}; is it another dataset?")
        if whole and part is None and found != whole:
            raise DataError(
                f"{where} is incomplete: {found} of {whole} {split} images; move it away and fetch the whole with "
                f"`python run_suite.py data get {dataset.name}`, or take --profile mini, which makes do with a part"
            )


def verify_files(listing: Listing) -> str:
    """Hold the files on disk against the listing; no image is opened.

    Returns:
        The :func:`fingerprint` of what is listed: images in their order, and labels.

    Raises:
        DataError: images are missing or no files, or there are some that nobody listed.
    """
    listed = {*listing.train.files, *listing.test.files}
    there = {file for folder in listing.image_folders for file in files_below(listing.root, folder)}
    if missing := sorted(listed - there):
        raise DataError(
            f"{listing.title} is incomplete: {listing.root / missing[0]} is missing"
            f"{_and_more(missing)}; unpack the publisher's archive again"
        )
    if extra := sorted(there - listed):
        raise DataError(
            f"{listing.title}: {listing.root / extra[0]} is not in the publisher's list{_and_more(extra)}; "
            "move away what does not belong there"
        )
    labels = [split.labels.tolist() for split in listing.splits.values()]
    remedy = "put the image back, or take it away"
    return fingerprint(listing.root, [*listing.train.files, *listing.test.files], remedy, f"{labels}")


def fingerprint(root: Path, files: Iterable[str], remedy: str, about: str = "") -> str:
    """SHA-256 of what tells that a file was changed or replaced, without reading it: size, and times to the nanosecond.

    The second time is that of its last change of any kind, which nobody sets by hand. A copy of the same files has
    another fingerprint.

    Args:
        root: the set's folder.
        files: below it.
        remedy: for the message.
        about: what else matters.

    Raises:
        DataError: one of the files isn't there, or is no regular file of sane size.
    """
    digest = hashlib.sha256(about.encode())
    for file in files:
        path = f"{root}/{file}"
        try:
            status = os.stat(path)  # noqa: PTH116 - a set has 100,000 of them
            reason = why_irregular(status)
        except FileNotFoundError:
            reason = "is a link to a file that isn't there" if Path(path).is_symlink() else "is missing"
        except OSError as error:
            reason = f"can't be read: {error.strerror}"
        if reason:
            raise DataError(f"{path} {reason}; {remedy}")
        digest.update(os.fsencode(f"{file} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"))
    return digest.hexdigest()


def files_below(root: Path, folder: str, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[str]:
    """Paths, relative to ``root``, of all files below ``root/folder``; hidden ones are left out.

    ``above`` are the folders on the way there, so that a link to one of them is not followed for ever.
    """
    try:
        place = (root / folder).stat()
        if (here := (place.st_dev, place.st_ino)) in above:
            raise DataError(f"{root / folder} links to a folder above itself; take the link away")
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                path = f"{folder}/{entry.name}"
                if _is_folder(entry):
                    yield from files_below(root, path, above | {here})
                else:
                    yield path
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"{root / folder} cannot be read: {error.strerror}; check its permissions") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: what comes to read it says so
        return False


def _and_more(files: list[str]) -> str:
    return f" (and {len(files) - 1} more)" if len(files) > 1 else ""


def _wants_whole(dataset: Dataset) -> bool:
    return dataset.source == "folder" or (dataset.train_images is None and dataset.test_images is None)


def _swapped(listing: Listing, dataset: Dataset) -> bool:
    train, test, facts = listing.train.labels, listing.test.labels, dataset.facts
    if (len(train), len(test)) == (facts.test_images, facts.train_images) and len(train) != len(test):
        return True
    if listing.train_per_class is None:
        return False
    fewest, most = listing.train_per_class

    def fits(labels: NDArray[np.int64]) -> bool:
        return all(fewest <= count <= most for count in Counter(labels.tolist()).values())

    return fits(test) and not fits(train)
