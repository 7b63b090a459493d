from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.data.augment import CentreCrops
from benchmark.data.cache import ensure_packed, write_set
from benchmark.data.packed import ImageSet
from benchmark.data.pixels import centre_crops
from benchmark.data.source import load
from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset

DOGS = Dataset(name="stanford_dogs", source="standin", train_images=4, test_images=3, input_size=56)
CIFAR = Dataset(name="cifar10", test_images=6)


@pytest.fixture
def packed(tmp_path: Path) -> ImageSet:
    """Twelve images in the cache, in the place of CIFAR-10."""
    images = standin(Dataset(name="cifar10", source="standin", train_images=4, test_images=12))
    ensure_packed(tmp_path / "cifar10", "cifar10 official 32", lambda folder: write_set(folder, images))
    return images


def test_they_are_what_the_network_sees() -> None:
    images = standin(DOGS)
    crops = centre_crops(DOGS, images.digest, None)
    assert crops is not None
    assert [crop.shape for crop in crops] == [(56, 56, 3)] * 3
    ((seen, _),) = CentreCrops(images.test, (0, 0, 0), (1, 1, 1), DOGS, torch.device("cpu")).batches(10)
    np.testing.assert_array_equal(crops, np.round(seen.numpy().transpose(0, 2, 3, 1) * 255))


def test_a_part_is_found_in_the_cache_under_the_runs_own_numbers(tmp_path: Path, packed: ImageSet) -> None:
    run = load(CIFAR, None, tmp_path)
    crops = centre_crops(CIFAR, run.digest, tmp_path)
    assert crops is not None
    np.testing.assert_array_equal(crops, run.test.images)
    assert len(crops) == 6


def test_other_images_are_not_shown_in_their_place(tmp_path: Path, packed: ImageSet) -> None:
    assert centre_crops(CIFAR, "sha256:of other images", tmp_path) is None
    assert centre_crops(CIFAR, None, tmp_path) is None
    assert centre_crops(DOGS, "standin-sha256:older", None) is None


def test_without_a_cache_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "nowhere"):
        assert centre_crops(CIFAR, "sha256:", folder) is None
    assert list(tmp_path.iterdir()) == []
