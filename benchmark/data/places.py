"""Where each set lies below the data directory, and what a glance tells."""

from collections.abc import Mapping
from pathlib import Path

from benchmark.errors import DataError, reason_of
from benchmark.runs.axes import Dataset

#: The folder that each publisher's archive makes, or that this project expects below the data directory.
FOLDERS: Mapping[str, str] = {
    "cifar10": "cifar-10-batches-py",
    "cifar100": "cifar-100-python",
    "tiny-imagenet": "tiny-imagenet-200",
    "cub200": "CUB_200_2011",
    "stanford_dogs": "stanford_dogs",
    "stanford_cars": "stanford_cars",
}

#: Files without which a set's folder can't be read; the images are held against them.
INDEX_FILES: Mapping[str, tuple[str, ...]] = {
    "cifar10": (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
    "cifar100": ("train", "test"),
    "tiny-imagenet": ("wnids.txt", "val/val_annotations.txt"),
    "cub200": ("images.txt", "image_class_labels.txt", "train_test_split.txt", "classes.txt"),
    "stanford_dogs": ("train_list.mat", "test_list.mat"),
    "stanford_cars": ("devkit/cars_train_annos.mat", "cars_test_annos_withlabels.mat"),
}

#: Where to count how much of a set is there: folder, what lies in it, how many in the whole set.
COUNTED: Mapping[str, tuple[str, str, int]] = {
    "tiny-imagenet": ("train", "class folders", 200),
    "cub200": ("images", "class folders", 200),
    "stanford_dogs": ("Images", "class folders", 120),
    "stanford_cars": ("cars_train", "training images", 8_144),
}


def glance(name: str, folder: Path) -> str:
    """What a set's folder holds, without opening a file: ``there``, ``missing``, ``incomplete (why)`` or ``closed``."""
    try:
        return _glance(name, folder)
    except OSError as error:
        return f"closed ({reason_of(error)})"


def unreadable(error: OSError) -> DataError:
    """What to say of a set's file or folder that the system does not let this user read."""
    return DataError(f"{error.filename} can't be read: {reason_of(error)}; check its permissions")


def _glance(name: str, folder: Path) -> str:
    if not folder.is_dir():
        return "missing"
    for file in INDEX_FILES[name]:
        if not (folder / file).is_file():
            return f"incomplete ({file} is missing)"
    if name in COUNTED:
        place, what, whole = COUNTED[name]
        inside = (folder / place).iterdir() if (folder / place).is_dir() else ()
        found = sum(not each.name.startswith(".") for each in inside)
        if found != whole:
            return f"incomplete ({found:,} of {whole:,} {what})"
    return "there"


def files_folder(dataset: Dataset) -> str:
    """The folder below the data directory that holds the set's files."""
    return dataset.name if dataset.source == "folder" else FOLDERS[dataset.name]


def cache_name(dataset: Dataset) -> str:
    """The cache folder's name: ``cifar100``, ``stanford_dogs-256``, ``my_set-folder-73``."""
    folder = "-folder" if dataset.source == "folder" else ""
    native = dataset.source == "official" and dataset.facts.crop_padding > 0
    return dataset.name + folder + ("" if native else f"-{stored_side(dataset)}")


def stored_side(dataset: Dataset) -> int:
    """Shorter side of a packed image, in pixels."""
    return dataset.facts.stored_size(dataset.image_size)
