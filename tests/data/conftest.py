import functools
import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.data import cifar
from benchmark.data.packed import ImageSet


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the publishers' files."""
    if "SFE_DATA_DIR" not in os.environ:
        pytest.skip("SFE_DATA_DIR names no folder with the official image files")
    return Path(os.environ["SFE_DATA_DIR"])


@pytest.fixture(scope="session")
def official(data_dir: Path) -> Callable[[str], ImageSet]:
    """Reads a real CIFAR, once a session."""
    return functools.cache(lambda name: cifar.read_cifar(name, data_dir))


def cifar_pickle(images: int, label_key: bytes, labels: list[int], seed: int) -> bytes:
    """A pickle as the official ones are, with random pixels: it names numpy.core, not numpy._core."""
    data = np.random.default_rng(seed).integers(256, size=(images, 3072), dtype=np.uint8)
    blob = pickle.dumps({b"data": data, label_key: labels}, protocol=3)
    return blob.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.fixture
def small_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with 30 + 12 images laid out as CIFAR-100, whose md5 sums count as the official ones."""
    layout, folder = cifar.LAYOUTS["cifar100"], tmp_path / "data" / "cifar-100-python"
    folder.mkdir(parents=True)
    sums = {}
    for name, images, seed in (("train", 30, 1), ("test", 12, 2)):
        labels = np.random.default_rng(seed).permutation(np.arange(images) % 5).tolist()
        blob = cifar_pickle(images, b"fine_labels", labels, seed)
        (folder / name).write_bytes(blob)
        sums[name] = hashlib.md5(blob).hexdigest()
    small = replace(layout, train={"train": sums["train"]}, test={"test": sums["test"]})
    monkeypatch.setattr(cifar, "LAYOUTS", {**cifar.LAYOUTS, "cifar100": small})
    return folder.parent
