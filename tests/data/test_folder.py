from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.data.source import load, prepare
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset

MINE = Dataset(name="mine", source="folder", classes=2, input_size=28)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes, 3 + 2 images each, of odd sizes and modes; and what people leave lying about."""
    random = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 2)):
        for name in ("beta", "alpha"):
            folder = tmp_path / "data" / "mine" / split / name
            folder.mkdir(parents=True)
            for at in range(count):
                size = (40 + 7 * at, 50)
                noise = random.integers(256, size=(*size, 3), dtype=np.uint8)
                Image.fromarray(noise).convert("L" if at else "RGB").save(folder / f"{at}.png")
            (folder / ".DS_Store").write_text("x")
    return tmp_path / "data"


def test_classes_and_images_come_in_the_order_of_their_names(data: Path, tmp_path: Path) -> None:
    prepare(MINE, data, tmp_path / "cache")
    found = load(MINE, None, tmp_path / "cache")
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.test.labels.tolist() == [0, 0, 1, 1]
    assert found.train.heights_widths.tolist() == [[32, 40], [32, 34], [34, 32]] * 2
    assert (found.classes, found.digest[:7]) == (2, "sha256:")
    assert (tmp_path / "cache" / "mine-folder-32").is_dir()


def test_a_changed_image_makes_another_cache(data: Path, tmp_path: Path) -> None:
    prepare(MINE, data, tmp_path / "cache")
    before = load(MINE, None, tmp_path / "cache").digest
    Image.new("RGB", (40, 50)).save(data / "mine" / "train" / "beta" / "0.png")
    prepare(MINE, data, tmp_path / "cache")
    assert load(MINE, None, tmp_path / "cache").digest != before


def test_a_mirror_of_a_known_set_must_be_whole(data: Path, tmp_path: Path) -> None:
    (data / "mine").rename(data / "cifar10")
    with pytest.raises(DataError, match=r"cifar10/train has 2 class folders, but CIFAR-10 has 10 classes; is it"):
        prepare(Dataset(name="cifar10", source="folder"), data, tmp_path / "cache")
    for split in ("train", "test"):
        for extra in range(8):
            folder = data / "cifar10" / split / f"x{extra}"
            folder.mkdir()
            Image.new("RGB", (32, 32)).save(folder / "0.png")
    with pytest.raises(DataError, match=r"CIFAR-10 in .*cifar10 is incomplete: 14 of 50000 training images; "):
        prepare(Dataset(name="cifar10", source="folder"), data, tmp_path / "cache")
    part = Dataset(name="cifar10", source="folder", train_images=10, test_images=10)
    prepare(part, data, tmp_path / "cache")
    assert sorted(load(part, None, tmp_path / "cache").test.labels.tolist()) == list(range(10))


def test_what_is_wrong_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mine needs its folder files: point --data-dir"):
        prepare(MINE, None, tmp_path / "cache")
    with pytest.raises(DataError, match=r"^mine not found: .*nowhere/mine/train is missing; point --data-dir .* mine/"):
        prepare(MINE, tmp_path / "nowhere", tmp_path / "cache")
    with pytest.raises(DataError, match=r"has 2 class folders, but mine has 3 classes; write classes: 2$"):
        prepare(MINE.model_copy(update={"classes": 3}), data, tmp_path / "cache")
    (data / "mine" / "train" / "beta" / "notes.txt").write_text("not an image")
    with pytest.raises(DataError, match=r"notes\.txt cannot be decoded: cannot identify image file"):
        prepare(MINE, data, tmp_path / "cache")
    (data / "mine" / "test" / "beta").rename(data / "mine" / "test" / "gamma")
    with pytest.raises(DataError, match=r"the class beta is in one of train and test only"):
        prepare(MINE, data, tmp_path / "cache")
