"""CIFAR-10 and CIFAR-100 as their publisher ships them: pickles in a folder.

A pickle can run any code. These are therefore held against the official md5 first, and then read by an
unpickler that knows how to rebuild a NumPy array and nothing else.
"""

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.listing import fingerprint
from benchmark.data.packed import ImageSet, Split, image_set
from benchmark.errors import DataError
from benchmark.runs.catalogue import DATASETS
from benchmark.system.files import read_regular


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where one CIFAR's parts stand: ``train`` and ``test`` map a file's name to its official md5."""

    folder: str
    archive: str
    label_key: bytes
    train: Mapping[str, str]
    test: Mapping[str, str]


LAYOUTS: Mapping[str, Layout] = {
    "cifar10": Layout(
        folder="cifar-10-batches-py",
        archive="cifar-10-python.tar.gz",
        label_key=b"labels",
        train={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        test={"test_batch": "40351d587109b95175f43aff81a1287e"},
    ),
    "cifar100": Layout(
        folder="cifar-100-python",
        archive="cifar-100-python.tar.gz",
        label_key=b"fine_labels",
        train={"train": "16019d7e3df5f24257cddd939b257f8d"},
        test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    ),
}

#: All that the official pickles name. NumPy's own way to ask for its array rebuilder has no public name.
_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _ALLOWED[module, name]


def unpickle(blob: bytes, file: Path) -> dict[bytes, Any]:
    """The dictionary in an official CIFAR pickle (written by Python 2: its strings come as bytes).

    Args:
        blob: the file's content.
        file: where it is from, for the message.

    Raises:
        DataError: the pickle is broken or names anything but what a NumPy array needs; nothing was run.
    """
    try:
        content = _ArrayUnpickler(io.BytesIO(blob), encoding="bytes").load()
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(f"{file} is no CIFAR file: {error}; unpack the official archive again") from error
    if not isinstance(content, dict):
        raise DataError(f"{file} is no CIFAR file: it holds no dictionary; unpack the official archive again")
    return content


def read_cifar(name: str, data_dir: Path) -> ImageSet:
    """Read the official files of ``cifar10`` or ``cifar100`` (fine labels).

    Args:
        name: a key of :data:`LAYOUTS`.
        data_dir: the folder that holds ``cifar-10-batches-py`` or ``cifar-100-python``.

    Returns:
        uint8 images [n, 32, 32, 3] and labels in the publisher's order.

    Raises:
        DataError: a file is missing, can't be read or isn't the official one.
    """
    title, layout, folder = DATASETS[name].title, LAYOUTS[name], _folder(name, data_dir)
    train, test = (_read_split(folder, sums, layout, title) for sums in (layout.train, layout.test))
    return image_set(train, test, DATASETS[name].classes)


def cifar_fingerprint(name: str, data_dir: Path) -> str:
    """The :func:`~benchmark.data.listing.fingerprint` of the files that :func:`read_cifar` reads.

    Raises:
        DataError: one of them is missing or no file.
    """
    layout = LAYOUTS[name]
    remedy = f"unpack the official {layout.archive} again"
    return fingerprint(_folder(name, data_dir), [*layout.train, *layout.test], remedy)


def _folder(name: str, data_dir: Path) -> Path:
    folder = data_dir / LAYOUTS[name].folder
    remedy = f"`python run_suite.py data get {name}` fetches it, or point --data-dir (SFE_DATA_DIR) to where it lies"
    if not folder.is_dir():
        raise DataError(f"{DATASETS[name].title} not found: {folder} is missing; {remedy}")
    return folder


def _read_split(folder: Path, sums: Mapping[str, str], layout: Layout, title: str) -> Split:
    images, labels = [], []
    for name, md5 in sums.items():
        content = unpickle(_checked(folder / name, md5, layout, title), folder / name)
        planes = content[b"data"].reshape(-1, 3, 32, 32)  # [n, 3, H, W]
        images.append(planes.transpose(0, 2, 3, 1))
        labels.extend(content[layout.label_key])
    # ascontiguousarray: concatenate would keep the planes' order in memory under the new shape
    return Split(images=np.ascontiguousarray(np.concatenate(images)), labels=np.array(labels, dtype=np.int64))


def _checked(file: Path, md5: str, layout: Layout, title: str) -> bytes:
    """The file's bytes, the very ones whose md5 was compared."""
    again = f"unpack the official {layout.archive} again"
    try:
        blob = read_regular(file)
    except FileNotFoundError as error:
        raise DataError(f"{title} is incomplete: {file} is missing; {again}") from error
    except OSError as error:
        raise DataError(f"{title}: {file} cannot be read: {error.strerror}; {again}") from error
    found = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(f"{title}: {file} is not the official file (md5 {found}, expected {md5}); {again}")
    return blob
