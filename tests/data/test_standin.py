import time

import numpy as np
import pytest

from benchmark.data.measure import channel_statistics
from benchmark.data.packed import Split
from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset
from benchmark.runs.catalogue import DATASETS


def spec(name: str = "cifar100", train: int = 200, test: int = 100, size: int | None = None) -> Dataset:
    return Dataset(name=name, source="standin", train_images=train, test_images=test, input_size=size)


def nearest_mean_accuracy(train: Split, test: Split) -> float:
    x, y = train.images.reshape(len(train.labels), -1).astype(float), test.images.reshape(len(test.labels), -1)
    classes = np.unique(train.labels)
    means = np.stack([x[train.labels == each].mean(axis=0) for each in classes])
    distances = (means**2).sum(axis=1) - 2 * y.astype(float) @ means.T
    return float((classes[distances.argmin(axis=1)] == test.labels).mean())


def test_every_dataset_has_standins_of_its_stored_size() -> None:
    sides = {}
    for name in ("cifar10", "cifar100", "tiny-imagenet", "cub200", "stanford_dogs", "stanford_cars"):
        images = standin(spec(name, train=3, test=2))
        sides[name] = images.train.images.shape[1]
        assert images.train.images.shape == (3, sides[name], sides[name], 3)
        assert images.test.images.shape == (2, sides[name], sides[name], 3)
        assert [images.train.images.dtype.str, images.train.labels.dtype.name] == ["|u1", "int64"]
        assert images.classes == DATASETS[name].classes
        assert images.digest.startswith("standin-sha256:")
    assert list(sides.values()) == [32, 32, 64, 512, 256, 256]
    assert standin(spec("cub200", size=56)).train.images.shape[1] == 64


def test_a_nearest_mean_classifier_learns_them() -> None:
    images = standin(spec())
    assert nearest_mean_accuracy(images.train, images.test) > 0.9  # chance is 0.01


def test_the_learning_needs_the_labels() -> None:
    images = standin(spec())
    shuffled = np.random.default_rng(0).permutation(images.train.labels)
    assert nearest_mean_accuracy(Split(images=images.train.images, labels=shuffled), images.test) < 0.1


def test_labels_are_balanced_and_shuffled_and_both_splits_share_them() -> None:
    images = standin(spec(train=24, test=12))
    assert len(set(images.train.labels.tolist())) == 24
    assert set(images.test.labels.tolist()) <= set(images.train.labels.tolist())
    assert images.train.labels.tolist() != sorted(images.train.labels.tolist())
    assert np.bincount(standin(spec()).train.labels).tolist() == [2] * 100


def test_equal_arguments_give_equal_images_and_other_names_others() -> None:
    assert standin(spec()).digest == standin(spec()).digest
    assert standin(spec("cifar10")).digest != standin(spec("cifar100")).digest


def test_bytes_are_pinned() -> None:
    """Drawn in integers: another machine or version must give the same bytes."""
    assert standin(spec(train=24, test=12)).digest == (
        "standin-sha256:c44f8b64e5c082a2118fc9379d8a7d2301025dfdb63c56c3cd27b72304e31075"
    )


def test_a_smaller_set_begins_a_larger_one_and_no_image_is_in_both_splits() -> None:
    small, large = standin(spec(train=7, test=5)), standin(spec(train=31, test=40))
    np.testing.assert_array_equal(small.train.images, large.train.images[:7])
    np.testing.assert_array_equal(small.test.images, large.test.images[:5])
    assert not {each.tobytes() for each in large.train.images} & {each.tobytes() for each in large.test.images}


def test_statistics_are_of_the_generated_training_images() -> None:
    images = standin(spec())
    assert (images.mean, images.std) == channel_statistics(images.train.images)


@pytest.mark.parametrize(("name", "limit_s"), [("cifar100", 0.2), ("cub200", 2.0)])
def test_they_are_made_quickly(name: str, limit_s: float) -> None:
    start = time.process_time()
    standin(spec(name, train=24, test=8))
    assert time.process_time() - start < limit_s
