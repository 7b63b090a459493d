"""From a spec's dataset to its images (floor 1, no torch): official files, cache, subset, stand-ins."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.axes import Dataset
from benchmark.data.cifar import LAYOUTS, read_cifar
from benchmark.data.packed import ImageSet, Split, digest_of, ensure_packed
from benchmark.data.standin import standin
from benchmark.errors import DataError


def prepare(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> None:
    """Make sure that :func:`load` finds its images: pack the official files unless they are packed.

    Stand-ins need no preparation. A good cache serves without the official files.

    Args:
        dataset: which images.
        data_dir: the folder that holds the publishers' folders; None where the user named none.
        cache_dir: the cache folder ``<cache_dir>/<dataset name>`` is created below it.

    Raises:
        DataError: the files are missing or wrong, this version can't read them, or the cache can't be
            written.
    """
    if dataset.source == "official":
        _whole(dataset, data_dir, cache_dir)


def load(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> ImageSet:
    """The images of a run: the whole set or, where the spec says so, a class-balanced part.

    Mean and standard deviation are always the whole training set's; the digest is that of the images
    returned.

    Args:
        dataset: which images, and how many of them.
        data_dir: the folder that holds the publishers' folders; not needed once they are packed.
        cache_dir: the folder below which packed sets lie.

    Raises:
        DataError: as :func:`prepare`.
    """
    if dataset.source == "standin":
        return standin(dataset)
    whole = _whole(dataset, data_dir, cache_dir)
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


def _part(split: Split, count: int | None) -> Split:
    if count is None or count >= len(split.labels):
        return split
    indices = balanced_part(split.labels, count)
    return Split(images=split.images[indices], labels=split.labels[indices])


def _whole(dataset: Dataset, data_dir: Path | None, cache_dir: Path) -> ImageSet:
    name, title = dataset.name, dataset.facts.title
    if name not in LAYOUTS:
        raise DataError(
            f"reading {title} is not part of this version yet; --profile smoke runs the suite on stand-in images"
        )

    def make() -> ImageSet:
        if data_dir is None:
            raise DataError(
                f"{title} needs its official files: point --data-dir (or SFE_DATA_DIR) "
                f"to the folder that holds {LAYOUTS[name].folder}"
            )
        return read_cifar(name, data_dir)

    return ensure_packed(cache_dir / name, name, make)
