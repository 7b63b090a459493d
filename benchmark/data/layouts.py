"""The publishers' index files: which images, which split, which class.

Labels are the publishers' own, minus one where they count from one. tiny-ImageNet's are places in its
``wnids.txt``; a reduced copy may keep the whole list as ``wnids.full.txt``.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.listing import ListedSplit, Listing
from benchmark.data.places import FOLDERS, INDEX_FILES, unreadable
from benchmark.errors import DataError, reason_of
from benchmark.runs.catalogue import DATASETS
from benchmark.system.files import read_regular


def read_official(name: str, data_dir: Path) -> Listing:
    """What the publisher's index files say; no image is opened.

    Args:
        name: a set with index files: any but the CIFARs.
        data_dir: the folder that holds the publishers' folders.

    Raises:
        DataError: an index file is missing, unreadable or another set's.
    """
    title, root = DATASETS[name].title, data_dir / FOLDERS[name]
    try:
        if not root.is_dir():
            raise DataError(
                f"{title} not found: {root} is missing; `python run_suite.py data get {name}` fetches it, "
                "or point --data-dir (SFE_DATA_DIR) to the folder that holds it"
            )
        for file in INDEX_FILES[name]:
            if not (root / file).is_file():
                raise DataError(
                    f"{root} is not {title} as published: {file} is missing; unpack the publisher's archive"
                )
        return _READERS[name](title, root)
    except DataError:
        raise
    except PermissionError as error:
        raise unreadable(error) from error
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataError(
            f"the index files of {title} in {root} cannot be read: {reason_of(error)}; unpack them again"
        ) from error


def _tiny_imagenet(title: str, root: Path) -> Listing:
    classes = [line[0] for line in _lines(root / "wnids.txt", 1)]
    whole = root / "wnids.full.txt"
    number = {wnid: at for at, wnid in enumerate(line[0] for line in _lines(whole, 1))} if whole.exists() else {}
    number = number or {wnid: at for at, wnid in enumerate(classes)}
    if missing := set(classes) ^ {file.split("/")[1] for file in _folders_of(root / "train")}:
        raise DataError(f"{title}: wnids.txt and the folders of {root}/train differ by {min(missing)}; unpack it again")
    train, train_labels = [], []
    for wnid in classes:
        boxes = _lines(root / "train" / wnid / f"{wnid}_boxes.txt", 5)
        train += [f"train/{wnid}/images/{line[0]}" for line in boxes]
        train_labels += [number[wnid]] * len(boxes)
    rows = _lines(root / "val" / "val_annotations.txt", 6)
    if unknown := {row[1] for row in rows} - number.keys():
        raise DataError(f"{title}: {root}/val/val_annotations.txt names {min(unknown)}, which wnids.txt does not")
    return Listing(
        title=title,
        root=root,
        train=_split(train, train_labels),
        test=_split([f"val/images/{row[0]}" for row in rows], [number[row[1]] for row in rows]),
        classes=DATASETS["tiny-imagenet"].classes,
        image_folders=(*(f"train/{wnid}/images" for wnid in classes), "val/images"),
        exact=True,
        train_per_class=(500, 500),
    )


def _cub200(title: str, root: Path) -> Listing:
    names, classes, labels, training = (
        dict(_lines(root / f"{file}.txt", 2))
        for file in ("images", "classes", "image_class_labels", "train_test_split")
    )
    if not names.keys() == labels.keys() == training.keys():
        raise DataError(f"{title}: the index files in {root} list different images; unpack them again")
    for each, name in names.items():
        if name.partition("/")[0] != classes[labels[each]]:
            raise DataError(f"{title}: {root}/images.txt has {name}, but its class is {classes[labels[each]]}")

    def split(flag: str) -> ListedSplit:
        chosen = [each for each in names if training[each] == flag]
        return _split([f"images/{names[each]}" for each in chosen], [int(labels[each]) - 1 for each in chosen])

    return Listing(
        title=title,
        root=root,
        train=split("1"),
        test=split("0"),
        classes=DATASETS["cub200"].classes,
        image_folders=("images",),
        train_per_class=(29, 30),
    )


def _stanford_dogs(title: str, root: Path) -> Listing:
    def split(file: str) -> ListedSplit:
        lists = _mat(root / file)
        names = [str(entry.item()) for entry in lists["file_list"].ravel()]
        return _split([f"Images/{name}" for name in names], [int(label) - 1 for label in lists["labels"].ravel()])

    train, test = split("train_list.mat"), split("test_list.mat")
    pairs = {
        (Path(file).parts[1], int(label))
        for each in (train, test)
        for file, label in zip(each.files, each.labels, strict=True)
    }
    breeds = {breed for breed, _ in pairs}
    if len(pairs) != len(breeds) or len(pairs) != len({label for _, label in pairs}):
        raise DataError(f"{title}: the lists in {root} give a folder two labels or a label two folders")
    return Listing(
        title=title,
        root=root,
        train=train,
        test=test,
        classes=DATASETS["stanford_dogs"].classes,
        image_folders=("Images",),
        train_per_class=(100, 100),
    )


def _stanford_cars(title: str, root: Path) -> Listing:
    def split(file: str, folder: str) -> ListedSplit:
        rows = _mat(root / file)["annotations"].ravel()
        names = [f"{folder}/{row['fname'].item()}" for row in rows]
        return _split(names, [int(row["class"].item()) - 1 for row in rows])

    return Listing(
        title=title,
        root=root,
        train=split("devkit/cars_train_annos.mat", "cars_train"),
        test=split("cars_test_annos_withlabels.mat", "cars_test"),
        classes=DATASETS["stanford_cars"].classes,
        image_folders=("cars_train", "cars_test"),
    )


_READERS: Mapping[str, Callable[[str, Path], Listing]] = {
    "tiny-imagenet": _tiny_imagenet,
    "cub200": _cub200,
    "stanford_dogs": _stanford_dogs,
    "stanford_cars": _stanford_cars,
}


def _split(files: list[str], labels: list[int]) -> ListedSplit:
    return ListedSplit(files=tuple(files), labels=np.array(labels, dtype=np.int64))


def _lines(file: Path, fields: int) -> list[list[str]]:
    """The words of each line that isn't empty; every line must have as many."""
    rows = [line.split() for line in read_regular(file).decode().splitlines() if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) != fields:
            raise ValueError(f"line {number} of {file.name} has {len(row)} fields, not {fields}")
    return rows


def _folders_of(folder: Path) -> set[str]:
    return {f"{folder.name}/{each.name}" for each in folder.iterdir() if each.is_dir()}


def _mat(file: Path) -> Mapping[str, Any]:
    """The variables of a MATLAB file."""
    from scipy.io import loadmat  # takes long to import, and only two sets need it
    from scipy.io.matlab import MatReadError

    try:
        variables: Mapping[str, Any] = loadmat(io.BytesIO(read_regular(file)))
    except (MatReadError, NotImplementedError, ValueError, EOFError) as error:
        raise ValueError(f"{file.name} is no MATLAB file ({error})") from error
    return variables
