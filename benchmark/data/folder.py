"""Sets in folders ``train/<class>/*, test/<class>/*``: mirrors of known sets, and people's own."""

from pathlib import Path

import numpy as np

from benchmark.data.listing import ListedSplit, Listing, files_below
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset
from benchmark.runs.catalogue import DATASETS


def read_folder(dataset: Dataset, data_dir: Path) -> Listing:
    """List ``<data_dir>/<name>/train/<class>/*`` and ``test/<class>/*``; classes and images in the order of names.

    Every file that isn't hidden counts as an image.

    Args:
        dataset: its name and class count.
        data_dir: the folder that holds the set's.

    Raises:
        DataError: a folder is missing, the splits have different classes, or their number is wrong.
    """
    root, classes = data_dir / dataset.name, dataset.facts.classes
    found = {split: _classes(root / split, dataset) for split in ("train", "test")}
    if lone := set(found["train"]) ^ set(found["test"]):
        raise DataError(f"{root}: the class {min(lone)} is in one of train and test only; give both the same classes")
    if len(found["train"]) != classes:
        remedy = f"write classes: {len(found['train'])}" if dataset.classes else "is it another dataset?"
        raise DataError(
            f"{root}/train has {len(found['train'])} class folders, but {dataset.facts.title} has {classes} classes; "
            f"{remedy}"
        )
    splits = {split: _split(root, split, names) for split, names in found.items()}
    return Listing(
        title=dataset.facts.title,
        root=root,
        train=splits["train"],
        test=splits["test"],
        classes=classes,
        image_folders=("train", "test"),
        own=dataset.name not in DATASETS,
    )


def _classes(folder: Path, dataset: Dataset) -> list[str]:
    if not folder.is_dir():
        raise DataError(
            f"{dataset.facts.title} not found: {folder} is missing; point --data-dir (SFE_DATA_DIR) to the folder "
            f"that holds {dataset.name}/train/<class>/ and {dataset.name}/test/<class>/"
        )
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _split(root: Path, split: str, classes: list[str]) -> ListedSplit:
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        images = sorted(files_below(root, f"{split}/{name}"))
        files += images
        labels += [label] * len(images)
    return ListedSplit(files=tuple(files), labels=np.array(labels, dtype=np.int64))
