"""The publishers' layouts: the real samples, and what people do to them."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from benchmark.data.archives import PUBLICATIONS
from benchmark.data.cifar import LAYOUTS
from benchmark.data.layouts import _READERS, read_official
from benchmark.data.listing import check_listing, refuse_part, verify_files
from benchmark.data.places import FOLDERS, INDEX_FILES, cache_name, glance
from benchmark.data.source import load, prepare
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset
from benchmark.runs.catalogue import DATASETS

SAMPLES = ["tiny-imagenet", "cub200", "stanford_dogs", "stanford_cars"]


def part_of(name: str, input_size: int | None = None) -> Dataset:
    return Dataset(name=name, train_images=2000, test_images=1000, input_size=input_size)


@pytest.fixture
def copy(data_dir: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a sample that a test may damage."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(data_dir / FOLDERS[name], tmp_path / "data" / FOLDERS[name]))

    return make


def examine(name: str, root: Path) -> None:
    """What packing does before it opens an image."""
    listing = read_official(name, root.parent)
    check_listing(listing, part_of(name))
    verify_files(listing)


@pytest.mark.parametrize(
    ("name", "train", "test", "classes"),
    [
        ("tiny-imagenet", {500}, {50}, [0, 1, 13]),
        ("cub200", {30}, {14, 15, 22}, [4, 17, 23]),
        ("stanford_dogs", {100}, {30}, [2, 96]),
        ("stanford_cars", {1}, {1}, [0, 1, 2]),
    ],
)
def test_labels_and_splits_are_the_publishers(
    name: str, train: set[int], test: set[int], classes: list[int], data_dir: Path
) -> None:
    listing = read_official(name, data_dir)
    verify_files(listing)
    assert set(Counter(listing.train.labels.tolist()).values()) == train
    assert set(Counter(listing.test.labels.tolist()).values()) <= test
    assert sorted(set(listing.train.labels.tolist()))[:3] == classes


def test_some_labels_by_hand(data_dir: Path) -> None:
    tiny, birds = read_official("tiny-imagenet", data_dir), read_official("cub200", data_dir)
    found = dict(zip(tiny.test.files, tiny.test.labels.tolist(), strict=True))
    assert [found[f"val/images/val_{number}.JPEG"] for number in (1, 42)] == [1, 13]
    assert birds.test.files[0] == "images/005.Crested_Auklet/Crested_Auklet_0006_1813.jpg"
    assert birds.test.labels[0] == 4


@pytest.mark.parametrize("name", SAMPLES)
def test_a_part_serves_where_it_is_asked_for_and_a_whole_set_is_refused(
    name: str, data_dir: Path, tmp_path: Path
) -> None:
    part = Dataset(name=name, input_size=None if name == "tiny-imagenet" else 56, train_images=60, test_images=30)
    prepare(part, data_dir, tmp_path)
    found = load(part, None, tmp_path)
    assert (len(found.train.labels), len(found.test.labels), found.classes) == (60, 30, part.facts.classes)
    whole = part.model_copy(update={"train_images": None, "test_images": None})
    for where in (data_dir, None):
        with pytest.raises(DataError, match=r"is incomplete: \d+ of \d+ training images; "):
            prepare(whole, where, tmp_path)
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == [cache_name(part)]


@pytest.mark.parametrize("name", SAMPLES)
def test_missing_and_extra_images_are_named(name: str, copy: Callable[[str], Path]) -> None:
    root = copy(name)
    file = root / read_official(name, root.parent).train.files[7]
    file.rename(file.with_name("other.jpg"))
    with pytest.raises(DataError, match=rf" is incomplete: {file} is missing; unpack"):
        examine(name, root)
    shutil.copy(file.with_name("other.jpg"), file)
    with pytest.raises(DataError, match=r"other\.jpg is not in the publisher's list; move away"):
        examine(name, root)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_truncated_image_is_named_and_nothing_is_cached(
    name: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    root = copy(name)
    file = root / read_official(name, root.parent).test.files[3]
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(DataError, match=rf"^{file} cannot be decoded: .*truncated"):
        prepare(part_of(name), root.parent, tmp_path / "cache")
    assert [each for each in (tmp_path / "cache").iterdir() if each.suffix != ".lock"] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_each_index_file_is_needed(name: str, copy: Callable[[str], Path]) -> None:
    root = copy(name)
    for file in INDEX_FILES[name]:
        content = (root / file).read_bytes()
        (root / file).unlink()
        assert glance(name, root) == f"incomplete ({file} is missing)"
        with pytest.raises(DataError, match=rf"^{root} is not .* as published: {file} is missing; "):
            examine(name, root)
        (root / file).write_bytes(b"\0\xff nonsense\n")
        with pytest.raises(DataError, match=rf"{root}"):
            examine(name, root)
        (root / file).write_bytes(content)
    examine(name, root)


def test_swapped_splits_are_noticed(copy: Callable[[str], Path]) -> None:
    dogs, birds = copy("stanford_dogs"), copy("cub200")
    (dogs / "train_list.mat").rename(dogs / "kept")
    (dogs / "test_list.mat").rename(dogs / "train_list.mat")
    (dogs / "kept").rename(dogs / "test_list.mat")
    rows = [line.split() for line in (birds / "train_test_split.txt").read_text().splitlines()]
    (birds / "train_test_split.txt").write_text("".join(f"{each} {1 - int(flag)}\n" for each, flag in rows))
    for name, root in (("stanford_dogs", dogs), ("cub200", birds)):
        with pytest.raises(DataError, match=r"the training and test images of .* are swapped"):
            examine(name, root)


def test_swapped_folders_of_cars_are_noticed_by_their_files(copy: Callable[[str], Path]) -> None:
    root = copy("stanford_cars")
    (root / "cars_train").rename(root / "kept")
    (root / "cars_test").rename(root / "cars_train")
    (root / "kept").rename(root / "cars_test")
    with pytest.raises(DataError, match=r"Stanford Cars is incomplete: .* is missing"):
        examine("stanford_cars", root)


def test_one_list_for_both_splits_is_noticed(copy: Callable[[str], Path]) -> None:
    root = copy("stanford_dogs")
    shutil.copy(root / "train_list.mat", root / "test_list.mat")
    with pytest.raises(DataError, match=r"lists Images/.* more than once"):
        examine("stanford_dogs", root)


def test_a_class_too_few_is_noticed(copy: Callable[[str], Path]) -> None:
    tiny, dogs = copy("tiny-imagenet"), copy("stanford_dogs")
    shutil.rmtree(tiny / "train" / "n02504458")
    with pytest.raises(DataError, match=r"wnids\.txt and the folders of .* differ by n02504458"):
        examine("tiny-imagenet", tiny)
    lists = loadmat(dogs / "test_list.mat")
    keep = lists["labels"].ravel() == 3
    savemat(dogs / "test_list.mat", {key: lists[key][keep] for key in ("file_list", "labels")})
    with pytest.raises(DataError, match=r"class 97 of Stanford Dogs in .* has images in one split only"):
        examine("stanford_dogs", dogs)


def test_another_set_in_the_folder_is_noticed(copy: Callable[[str], Path], tmp_path: Path) -> None:
    birds, tiny = copy("cub200"), copy("tiny-imagenet")
    lines = (birds / "classes.txt").read_text().splitlines()
    (birds / "classes.txt").write_text("\n".join(line.replace(".", ".x") for line in lines))
    with pytest.raises(DataError, match=r"but its class is 005\.xCrested_Auklet"):
        examine("cub200", birds)
    Image.new("RGB", (32, 32)).save(tiny / read_official("tiny-imagenet", tiny.parent).train.files[0])
    with pytest.raises(DataError, match="is 32 × 32 pixels, expected 64 × 64"):
        prepare(part_of("tiny-imagenet"), tiny.parent, tmp_path / "cache")


def test_changed_index_files_make_another_cache(copy: Callable[[str], Path], tmp_path: Path) -> None:
    root, dataset = copy("cub200"), part_of("cub200", 56)
    prepare(dataset, root.parent, tmp_path)
    digest = load(dataset, None, tmp_path).digest
    rows = [line.split() for line in (root / "train_test_split.txt").read_text().splitlines()]
    rows[0][1] = "1"
    (root / "train_test_split.txt").write_text("".join(f"{each} {flag}\n" for each, flag in rows))
    prepare(dataset, root.parent, tmp_path)
    assert load(dataset, None, tmp_path).digest != digest


def test_too_many_images_are_no_official_set() -> None:
    with pytest.raises(DataError, match="X has 12001 training images, the published set 12000; is it another"):
        refuse_part(part_of("stanford_dogs"), "X", 12_001, 10)


def test_the_tables_of_places_agree() -> None:
    assert set(DATASETS) == set(FOLDERS) == set(INDEX_FILES) == set(PUBLICATIONS) == {*LAYOUTS, *_READERS}
    for name, layout in LAYOUTS.items():
        assert FOLDERS[name] == layout.folder
        assert INDEX_FILES[name] == (*layout.train, *layout.test)
