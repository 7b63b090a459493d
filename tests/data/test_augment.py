from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as vision
from PIL import Image

from benchmark.data import augment
from benchmark.data.augment import Batches, CentreCrops
from benchmark.data.crops import crop_range, draw_epoch
from benchmark.data.packed import ImageSet, Split
from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset

CPU = torch.device("cpu")
PADDED = Dataset(name="cifar10", source="standin", train_images=23, test_images=9)
CROPPED = Dataset(name="stanford_dogs", source="standin", train_images=11, test_images=5, input_size=28)
UNIT = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.fixture(params=[PADDED, CROPPED], ids=["padded", "cropped"])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    chosen: Dataset = request.param
    return chosen


def batches(dataset: Dataset, images: ImageSet, *, seed: int = 3, unit: bool = False) -> Batches:
    mean, std = UNIT if unit else (images.mean, images.std)
    return Batches(images.train, mean, std, dataset, CPU, seed)


def oracle(image: np.ndarray[Any, Any], offset: Any, flip: Any, dataset: Dataset) -> Image.Image:
    """What torchvision makes of one image on PIL, given the same random choices."""
    padded = vision.pad(Image.fromarray(image), [dataset.facts.crop_padding] * 4)
    size = dataset.image_size
    crop = vision.crop(padded, int(offset[0]), int(offset[1]), size, size)
    result: Image.Image = vision.hflip(crop) if flip else crop
    return result


@pytest.mark.parametrize("unit", [True, False], ids=["pixels", "normalised"])
def test_batches_are_torchvisions_given_the_same_choices(dataset: Dataset, unit: bool) -> None:
    images = standin(dataset)
    tables = draw_epoch(3, 2, len(images.train.labels), crop_range(images.train, dataset))
    seen = 0
    for x, _, samples in batches(dataset, images, unit=unit).epoch(2, 4):
        for got, sample in zip(x, samples.tolist(), strict=True):
            picture = oracle(images.train.images[sample], tables.offsets[sample], tables.flips[sample], dataset)
            expected = vision.to_tensor(picture)
            if unit:
                assert torch.equal(got, expected)
            else:
                expected = vision.normalize(expected, images.mean, images.std)
                torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)
            seen += 1
    assert seen == len(images.train.labels)
    assert 0 < tables.flips.sum() < seen, "this epoch shows only one side"


def test_evaluation_is_torchvisions_centre_crop_in_order(dataset: Dataset) -> None:
    images, size = standin(dataset), dataset.image_size
    found = list(CentreCrops(images.test, images.mean, images.std, dataset, CPU).batches(4))
    assert [len(labels) for _, labels in found] == ([4, 4, 1] if dataset is PADDED else [4, 1])
    assert torch.cat([labels for _, labels in found]).tolist() == images.test.labels.tolist()
    expected = [vision.center_crop(Image.fromarray(image), [size, size]) for image in images.test.images]
    tensors = [vision.normalize(vision.to_tensor(image), images.mean, images.std) for image in expected]
    torch.testing.assert_close(torch.cat([x for x, _ in found]), torch.stack(tensors), rtol=0, atol=1e-6)


def test_centre_crop_rounds_as_torchvision_where_the_margin_is_odd() -> None:
    dataset = Dataset(name="stanford_dogs", source="standin", train_images=1, test_images=2, input_size=21)
    images = standin(dataset)
    assert images.test.images.shape[1] - 21 == 3
    (x, _), *_ = CentreCrops(images.test, *UNIT, dataset, CPU).batches(2)
    for got, image in zip(x, images.test.images, strict=True):
        assert torch.equal(got, vision.to_tensor(vision.center_crop(Image.fromarray(image), [21, 21])))


def test_every_image_comes_once_an_epoch_with_its_label_and_the_last_batch_is_kept(dataset: Dataset) -> None:
    images = standin(dataset)
    n = len(images.train.labels)
    room = batches(dataset, images)
    found = list(room.epoch(0, n - 1))
    assert [len(labels) for _, labels, _ in found] == [n - 1, 1]
    assert room.steps(n - 1) == 2
    assert (room.steps(n), room.steps(n + 1), room.steps(1)) == (1, 1, n)
    samples = torch.cat([each for _, _, each in found])
    assert sorted(samples.tolist()) == list(range(n))
    assert torch.cat([labels for _, labels, _ in found]).tolist() == images.train.labels[samples.numpy()].tolist()


def test_batches_have_the_promised_types_and_layout(dataset: Dataset) -> None:
    x, labels, samples = next(iter(batches(dataset, standin(dataset)).epoch(0, 4)))
    assert x.shape == (4, 3, dataset.image_size, dataset.image_size)
    assert (x.dtype, labels.dtype, samples.dtype) == (torch.float32, torch.int64, torch.int64)
    assert x.is_contiguous(memory_format=torch.channels_last)


def by_sample(epoch: Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> dict[int, torch.Tensor]:
    return {int(sample): image for x, _, samples in epoch for image, sample in zip(x, samples, strict=True)}


def test_what_an_image_becomes_does_not_depend_on_batch_size(dataset: Dataset) -> None:
    room = batches(dataset, standin(dataset))
    small, large = by_sample(room.epoch(1, 2)), by_sample(room.epoch(1, 7))
    assert list(small) == list(large)
    assert all(torch.equal(small[sample], large[sample]) for sample in small)


def test_resuming_at_a_step_gives_the_same_rest(dataset: Dataset) -> None:
    images = standin(dataset)
    whole = list(batches(dataset, images).epoch(4, 3))
    rest = list(batches(dataset, images).epoch(4, 3, start_step=2))
    assert len(rest) == len(whole) - 2
    for got, expected in zip(rest, whole[2:], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))
    assert list(batches(dataset, images).epoch(4, 3, start_step=len(whole))) == []


def test_seeds_and_epochs_see_other_orders_crops_and_sides() -> None:
    names = [(0, 0), (0, 1), (1, 0), (1, 1)]
    drawn = [draw_epoch(seed, epoch, 64, 8) for seed, epoch in names]
    for field in ("order", "offsets", "flips"):
        assert len({getattr(tables, field).tobytes() for tables in drawn}) == 4


def test_all_offsets_and_both_sides_occur_equally_often() -> None:
    tables = draw_epoch(0, 0, 9000, 8)
    for axis in range(2):
        counts = np.bincount(tables.offsets[:, axis], minlength=9)
        assert counts.shape == (9,)
        assert abs(counts - 1000).max() < 5 * 1000**0.5
    assert abs(tables.flips.mean() - 0.5) < 5 * 0.5 / 9000**0.5


@pytest.mark.parametrize(("name", "largest"), [("cifar10", 8), ("tiny-imagenet", 16), ("cub200", 64)])
def test_the_crop_reaches_both_ends(name: str, largest: int) -> None:
    dataset = Dataset(name=name, source="standin", train_images=1, test_images=1)
    assert crop_range(standin(dataset).train, dataset) == largest


def test_the_choices_of_seed_and_epoch_are_pinned() -> None:
    """Two labs must see the same batches: a change here needs a new protocol number."""
    tables = draw_epoch(0, 1, 6, 8)
    assert tables.order.tolist() == [5, 0, 2, 1, 3, 4]
    assert tables.offsets.tolist() == [[8, 5], [0, 7], [0, 1], [2, 8], [7, 3], [5, 3]]
    assert tables.flips.tolist() == [False, False, True, False, False, True]


def test_images_of_another_size_are_refused() -> None:
    images = standin(CROPPED)
    message = r"^stanford_dogs: expected a shorter side of 64 pixels, but image 0 is 32 x 32$"
    with pytest.raises(ValueError, match=message):
        Batches(images.train, *UNIT, Dataset(name="stanford_dogs", input_size=56), CPU, 0)


def odd_sizes(side: int, count: int) -> Split:
    """Images of different sizes, ``side`` on the shorter side."""
    random = np.random.default_rng(side)
    longer = random.integers(side, 2 * side, size=count)
    sizes = np.array([(side, each) if at % 2 else (each, side) for at, each in enumerate(longer)], dtype=np.int64)
    images = random.integers(256, size=(int(sizes.prod(axis=1).sum()), 3), dtype=np.uint8)
    return Split(images=images, labels=np.arange(count) % 7, sizes=sizes)


@pytest.fixture(params=[PADDED, CROPPED], ids=["padded", "cropped"])
def odd(request: pytest.FixtureRequest) -> tuple[Dataset, Split]:
    dataset: Dataset = request.param
    return dataset, odd_sizes(dataset.facts.stored_size(dataset.image_size), 40)


def test_batches_of_odd_sizes_are_torchvisions_given_the_same_choices(odd: tuple[Dataset, Split]) -> None:
    dataset, split = odd
    pictures, ranges = list(split), crop_range(split, dataset)
    assert isinstance(ranges, np.ndarray)
    tables = draw_epoch(5, 1, len(pictures), ranges)
    seen = 0
    for x, labels, samples in Batches(split, *UNIT, dataset, CPU, 5).epoch(1, 6):
        assert labels.tolist() == split.labels[samples.numpy()].tolist()
        for got, sample in zip(x, samples.tolist(), strict=True):
            expected = oracle(pictures[sample], tables.offsets[sample], tables.flips[sample], dataset)
            assert torch.equal(got, vision.to_tensor(expected))
            seen += 1
    assert seen == 40


def test_evaluation_of_odd_sizes_is_torchvisions_centre_crop(odd: tuple[Dataset, Split]) -> None:
    dataset, split = odd
    size = dataset.image_size
    found = torch.cat([x for x, _ in CentreCrops(split, *UNIT, dataset, CPU).batches(7)])
    expected = [vision.to_tensor(vision.center_crop(Image.fromarray(image), [size, size])) for image in split]
    assert torch.equal(found, torch.stack(expected))


def test_the_offsets_of_odd_sizes_fill_each_images_own_range_and_no_more() -> None:
    ranges = np.array([[0, 3], [7, 1]] * 5000, dtype=np.int64)
    offsets = draw_epoch(0, 0, len(ranges), ranges).offsets
    for parity, axis, largest in ((0, 0, 0), (0, 1, 3), (1, 0, 7), (1, 1, 1)):
        counts = np.bincount(offsets[parity::2, axis])
        assert len(counts) == largest + 1
        assert abs(counts - 5000 / (largest + 1)).max() < 5 * (5000 / (largest + 1)) ** 0.5
    assert draw_epoch(0, 1, 3, ranges[:3]).offsets.tolist() == [[0, 3], [1, 1], [0, 1]]


def test_one_images_size_does_not_shift_the_crop_of_another() -> None:
    ranges = np.array([[9, 9]] * 6, dtype=np.int64)
    other = ranges.copy()
    other[2] = 50
    changed = draw_epoch(0, 0, 6, ranges).offsets != draw_epoch(0, 0, 6, other).offsets
    assert not changed[[0, 1, 3, 4, 5]].any()


@pytest.mark.parametrize(("free", "whole", "where"), [(1.0, 5.0, "cuda"), (5.0, 3.0, "cpu")])
def test_images_lie_on_a_gpu_by_the_size_of_its_memory(
    free: float, whole: float, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is free there another run may change, and nobody could say before how much this one takes."""
    split = standin(PADDED).train
    room = tuple(int(part * split.images.nbytes) for part in (free, whole))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: room)
    assert augment._home(split, torch.device("cuda")).type == where
    assert augment._home(split, CPU) == CPU
