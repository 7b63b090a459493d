"""``data get`` and ``check``: fetching a set, and holding what is there against the lists."""

import contextlib
import shutil
import uuid
from pathlib import Path

from benchmark.data.archives import PUBLICATIONS
from benchmark.data.cifar import LAYOUTS as CIFAR
from benchmark.data.cifar import read_cifar
from benchmark.data.download import download
from benchmark.data.layouts import read_official
from benchmark.data.listing import check_listing, verify_files
from benchmark.data.measure import copies_among
from benchmark.data.pack import decode_all
from benchmark.data.places import FOLDERS, glance, unreadable
from benchmark.data.unpack import unpack
from benchmark.errors import DataError, reason_of
from benchmark.runs.axes import Dataset
from benchmark.runs.catalogue import DATASETS
from benchmark.system.folders import make_folder, sync_folder
from benchmark.system.locks import waiting

#: Below the data directory: what is being fetched, and archives that somebody put there by hand.
DOWNLOADS = "downloads"


def get(name: str, data_dir: Path) -> bool:
    """Fetch and unpack a set, unless it is there; the folder appears whole or not at all.

    A second call at the same time waits for the first.

    Args:
        name: the set.
        data_dir: made if need be. Archives that lie in ``<data_dir>/downloads/<name>`` already are used.

    Returns:
        False where it was there already.

    Raises:
        DataError: no network, wrong bytes, an archive that is not what it should be, no room; the message names
            the remedy.
    """
    folder = data_dir / FOLDERS[name]
    try:
        if folder.exists():  # whole, as it came by a rename; and maybe where nothing can be written
            _check_index(name, data_dir)
            return False
    except OSError as error:
        raise unreadable(error) from error
    _refuse_dead(name, data_dir)  # before anything is written
    try:
        with waiting(data_dir / f".{name}.lock"):
            if folder.exists():  # somebody else fetched it meanwhile
                return False
            _fetch(name, data_dir)
    except OSError as error:
        raise DataError(
            f"cannot write below {data_dir}: {reason_of(error)}; make room there or make it writable"
        ) from error
    return True


def check(name: str, data_dir: Path) -> str:
    """Read everything of a set, every image decoded, and say what is there.

    Returns:
        One line: counts of images and classes.

    Raises:
        DataError: something is missing, damaged or not the publisher's.
    """
    try:
        return _check(name, data_dir)
    except OSError as error:
        raise unreadable(error) from error


def _check(name: str, data_dir: Path) -> str:
    title = DATASETS[name].title
    if name in CIFAR:
        images = read_cifar(name, data_dir)
        counts = images.counts
        text = f"{title}: {counts['train']} training and {counts['test']} test images, {images.digest}"
        return text + about_copies(counts["test_in_train"])
    listing = read_official(name, data_dir)
    verify_files(listing)
    side = DATASETS[name].stored_size(DATASETS[name].input_size)
    digests = [
        [digest for each in decode_all(listing, listed, side, f"{title}: {split} images") for digest in each.digests]
        for split, listed in listing.splits.items()
    ]
    check_listing(listing, Dataset(name=name))
    train, test = len(listing.train.labels), len(listing.test.labels)
    text = f"{title}: {train} training and {test} test images of {listing.classes} classes, all readable"
    return text + about_copies(sum(len(test) for _, test in copies_among(*digests)))


def about_copies(count: int) -> str:
    """The end of a sentence on a set: how many test images are copies; empty where none is."""
    return f"; {count} of the test images are also among the training images, pixel for pixel" if count else ""


def _check_index(name: str, data_dir: Path) -> None:
    """A folder that somebody else put there is not touched, but must be the set."""
    if name in CIFAR:  # whose files' md5 sums are checked whenever they are read
        if (state := glance(name, data_dir / FOLDERS[name])) != "there":
            raise DataError(f"{data_dir / FOLDERS[name]} is {state}; move it away or mend it, and run this again")
        return
    listing = read_official(name, data_dir)
    check_listing(listing, Dataset(name=name))
    verify_files(listing)


def _refuse_dead(name: str, data_dir: Path) -> None:
    downloads = data_dir / DOWNLOADS / name
    dead = [each for each in PUBLICATIONS[name].archives if not each.url and not (downloads / each.file).exists()]
    if dead:
        wanted = ", ".join(f"{archive.file} (md5 {archive.md5})" for archive in dead)
        raise DataError(
            f"the publisher's address of {DATASETS[name].title} is dead: put {wanted} into {downloads} and run this "
            f"again, or lay out {data_dir / FOLDERS[name]} as docs/datasets.md shows"
        )


def _fetch(name: str, data_dir: Path) -> None:
    published, downloads = PUBLICATIONS[name], data_dir / DOWNLOADS / name
    by_hand = [archive for archive in published.archives if (downloads / archive.file).exists()]
    try:
        files = [download(archive, downloads) for archive in published.archives]
    except DataError as error:
        with contextlib.suppress(OSError):  # they hold what came, or what somebody put there
            downloads.rmdir()
            downloads.parent.rmdir()
        if len(published.archives) == 1:
            raise
        every = ", ".join(f"{archive.file} (md5 {archive.md5})" for archive in published.archives)
        raise DataError(f"{error}; it takes all of {every} in {downloads}") from None
    for left_over in data_dir.glob(f".{name}.*.tmp"):  # of a killed process: the lock is ours
        shutil.rmtree(left_over, ignore_errors=True)
    building = data_dir / f".{name}.{uuid.uuid4().hex}.tmp"
    folder = building / FOLDERS[name]
    try:
        make_folder(folder if published.inside else building)
        for file in files:
            unpack(file, folder if published.inside else building)
        _check_index(name, building)
        folder.rename(data_dir / FOLDERS[name])
        sync_folder(data_dir)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    for archive, file in zip(published.archives, files, strict=True):
        if archive not in by_hand:
            file.unlink()
    if not by_hand:
        shutil.rmtree(downloads, ignore_errors=True)
