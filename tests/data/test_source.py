import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.data import source
from benchmark.data.measure import content_digest
from benchmark.data.packed import ImageSet
from benchmark.data.source import balanced_part, load, prepare
from benchmark.data.standin import standin
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset


def test_preparing_packs_and_the_cache_then_serves_alone(small_cifar100: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    prepare(Dataset(name="cifar100"), small_cifar100, cache)
    assert (cache / "cifar100" / "meta.json").is_file()
    whole = load(Dataset(name="cifar100"), None, cache)
    assert (whole.train.images.shape, whole.test.images.shape) == ((30, 32, 32, 3), (12, 32, 32, 3))
    assert load(Dataset(name="cifar100"), tmp_path / "nowhere", cache).digest == whole.digest


def test_loading_packs_what_nobody_prepared(small_cifar100: Path, tmp_path: Path) -> None:
    assert len(load(Dataset(name="cifar100"), small_cifar100, tmp_path / "cache").train.labels) == 30
    assert (tmp_path / "cache" / "cifar100").is_dir()


def test_a_cut_off_cache_is_packed_again(small_cifar100: Path, tmp_path: Path) -> None:
    dataset, cache = Dataset(name="cifar100"), tmp_path / "cache"
    digest = load(dataset, small_cifar100, cache).digest
    file = cache / "cifar100" / "train_images.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1000])
    with pytest.raises(DataError, match="--data-dir"):
        prepare(dataset, None, cache)
    prepare(dataset, small_cifar100, cache)
    assert file.read_bytes() == whole
    assert load(dataset, None, cache).digest == digest


def test_a_part_is_balanced_and_keeps_the_whole_sets_statistics(small_cifar100: Path, tmp_path: Path) -> None:
    whole = load(Dataset(name="cifar100"), small_cifar100, tmp_path)
    part = load(Dataset(name="cifar100", train_images=10, test_images=5), None, tmp_path)
    assert Counter(part.train.labels.tolist()) == dict.fromkeys(range(5), 2)
    assert sorted(part.test.labels.tolist()) == [0, 1, 2, 3, 4]
    assert (part.mean, part.std, part.classes) == (whole.mean, whole.std, whole.classes)
    arrays = (part.train.images, part.train.labels, part.test.images, part.test.labels)
    assert part.digest == f"sha256:{content_digest(*arrays)}"
    assert part.digest != whole.digest
    for image, label in zip(part.train.images, part.train.labels, strict=True):
        at = [i for i, other in enumerate(whole.train.images) if np.array_equal(image, other)]
        assert [whole.train.labels[i] for i in at] == [label]


def test_a_part_of_one_split_leaves_the_other_whole(small_cifar100: Path, tmp_path: Path) -> None:
    whole = load(Dataset(name="cifar100"), small_cifar100, tmp_path)
    part = load(Dataset(name="cifar100", test_images=5), None, tmp_path)
    np.testing.assert_array_equal(part.train.images, whole.train.images)
    assert len(part.test.labels) == 5
    assert part.digest != whole.digest


def test_round_robin_in_index_order_even_where_a_class_runs_out() -> None:
    labels = np.array([2, 2, 0, 1, 2, 0, 2])
    assert balanced_part(labels, 7).tolist() == [2, 3, 0, 5, 1, 4, 6]
    assert balanced_part(labels, 4).tolist() == [2, 3, 0, 5]


def test_of_the_real_set_every_class_gives_its_first_images(official: Callable[[str], ImageSet]) -> None:
    labels = official("cifar100").train.labels
    part = balanced_part(labels, 1000)
    assert np.bincount(labels[part]).tolist() == [10] * 100
    for label in (0, 57, 99):
        assert part[labels[part] == label].tolist() == np.flatnonzero(labels == label)[:10].tolist()


def test_standins_touch_neither_data_nor_cache(tmp_path: Path) -> None:
    dataset = Dataset(name="stanford_dogs", source="standin", train_images=4, test_images=2, input_size=56)
    prepare(dataset, None, tmp_path / "cache")
    assert load(dataset, None, tmp_path / "cache").digest == standin(dataset).digest
    assert list(tmp_path.iterdir()) == []


def test_no_data_folder_names_the_option_and_the_variable(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^CIFAR-10 needs its official files.*--data-dir \(or SFE_DATA_DIR\).*cifar-10-batches-py$"
    ):
        prepare(Dataset(name="cifar10"), None, tmp_path / "cache")


def test_planning_and_preparing_need_no_torch() -> None:
    code = f"import {source.__name__}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
