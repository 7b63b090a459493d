import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision

from benchmark.data.cifar import read_cifar, unpickle
from benchmark.data.packed import ImageSet
from benchmark.errors import DataError

TORCHVISION = {"cifar10": torchvision.datasets.CIFAR10, "cifar100": torchvision.datasets.CIFAR100}


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_pixels_and_labels_are_torchvisions(
    name: str, data_dir: Path, official: Callable[[str], ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = official(name)
    # the oracle need not check the md5 sums once more: that takes it longer than reading
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda _: True)
    for split, train in ((found.train, True), (found.test, False)):
        oracle = TORCHVISION[name](str(data_dir), train=train)
        assert np.array_equal(split.images, oracle.data)
        assert split.labels.tolist() == oracle.targets
    assert found.classes == len(oracle.classes)


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("cifar10", (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
        ("cifar100", (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    ],
)
def test_statistics_are_the_well_known_ones(
    name: str, mean: tuple[float, ...], std: tuple[float, ...], official: Callable[[str], ImageSet]
) -> None:
    assert official(name).mean == pytest.approx(mean, abs=5.1e-5)
    assert official(name).std == pytest.approx(std, abs=5.1e-5)


def test_digests_of_the_official_files_are_pinned(official: Callable[[str], ImageSet]) -> None:
    found = official("cifar100").digest, official("cifar10").digest
    assert found == (
        "sha256:1f7f24cf34f0a5ba67c72da11fd24ab9b87b0fd83ffc5fc9bc8c804a38917225",
        "sha256:810d9424f361c48d9b7e9ea689df03f9730f8759972193ba6e7ff4f66f747402",
    )


def test_planes_become_pixels(small_cifar100: Path) -> None:
    found = read_cifar("cifar100", small_cifar100)
    raw = unpickle((small_cifar100 / "cifar-100-python" / "test").read_bytes(), Path("test"))
    assert found.test.images.shape == (12, 32, 32, 3)
    assert (
        found.test.images[5, 7, 11].tolist()
        == raw[b"data"][5, [7 * 32 + 11 + plane * 1024 for plane in range(3)]].tolist()
    )
    assert found.test.images.flags.c_contiguous
    assert found.test.labels.tolist() == raw[b"fine_labels"]


def test_a_changed_byte_is_refused_before_anything_is_unpickled(small_cifar100: Path) -> None:
    file = small_cifar100 / "cifar-100-python" / "train"
    blob = bytearray(file.read_bytes())
    blob[len(blob) // 2] ^= 1
    file.write_bytes(blob)
    with pytest.raises(
        DataError,
        match=r"train is not the official file \(md5 [0-9a-f]{32}, expected .*cifar-100-python\.tar\.gz again$",
    ):
        read_cifar("cifar100", small_cifar100)


def test_a_missing_folder_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_cifar("cifar100", tmp_path)
    assert str(caught.value) == (
        f"CIFAR-100 not found: {tmp_path}/cifar-100-python is missing; `python run_suite.py data get cifar100` fetches "
        "it, or point --data-dir (SFE_DATA_DIR) to where it lies"
    )


def test_a_missing_or_unreadable_file_is_named(small_cifar100: Path) -> None:
    file = small_cifar100 / "cifar-100-python" / "test"
    file.unlink()
    with pytest.raises(DataError, match=r"^CIFAR-100 is incomplete: .*cifar-100-python/test is missing; "):
        read_cifar("cifar100", small_cifar100)
    file.mkdir()
    with pytest.raises(DataError, match=r"cifar-100-python/test cannot be read: "):
        read_cifar("cifar100", small_cifar100)


class Command:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_a_malicious_pickle_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    blob = pickle.dumps({b"data": Command(f"touch {trace}")}, protocol=3)
    with pytest.raises(DataError, match=r"^train is no CIFAR file: it names (posix|nt)\.system; "):
        unpickle(blob, Path("train"))
    assert not trace.exists()
    pickle.loads(blob)
    assert trace.exists(), "the pickle would have done no harm: the test shows nothing"


@pytest.mark.parametrize(
    "name", ["builtins\neval", "numpy\nload", "numpy.core.multiarray\nfromfile", "numpy\nndarray.dump"]
)
def test_no_other_name_is_looked_up(name: str) -> None:
    with pytest.raises(DataError, match="it names " + name.replace("\n", ".")):
        unpickle(b"c" + name.encode() + b"\n.", Path("train"))


@pytest.mark.parametrize("blob", [b"", b"not a pickle", pickle.dumps([1, 2])])
def test_what_is_no_cifar_pickle_is_a_data_error(blob: bytes) -> None:
    with pytest.raises(DataError, match=r"^train is no CIFAR file: "):
        unpickle(blob, Path("train"))
