import functools
from typing import get_args

import pytest
import torch
from torch import nn

from benchmark.models.backbone import _BUILDERS, Backbone, build_backbone
from benchmark.runs.axes import Network
from benchmark.runs.catalogue import (
    DATASETS,
    NETWORKS,
    Family,
    depth_problem,
    own_dataset,
    stage_channels,
    width_meaning,
)

#: Name in a manifest -> channels of the stages' features and parameters of the plain network, 100 classes.
PAPER: dict[str, tuple[tuple[int, ...], int]] = {
    "resnet110": ((64, 128, 256), 1_170_868),
    "resnet164": ((64, 128, 256), 1_727_284),
    "seresnet110": ((64, 128, 256), 1_305_604),
    "densenet100": ((216, 300, 342), 800_032),
    "wrn28-10": ((160, 320, 640), 36_536_884),
    "pyramidnet110-270": ((106, 196, 286), 28_511_307),
    "resnet18": ((64, 128, 256, 512), 11_227_812),
}
SMALL: list[tuple[Family, int, int | None]] = [
    ("resnet", 11, None),
    ("resnet", 20, None),
    ("seresnet", 11, None),
    ("densenet", 22, 12),
    ("densenet", 40, 5),  # 5 channels a unit: the transitions halve odd numbers
    ("wrn", 10, 2),
    ("pyramidnet", 14, 48),
    ("pyramidnet", 20, 50),  # 50 / 3 is no integer
]


def named(name: str) -> Network:
    return Network.model_validate(NETWORKS[name])


@functools.cache
def backbone(network: Network) -> Backbone:
    with torch.device("meta"):  # shapes and counts need no numbers
        return build_backbone(network)


def measured(network: Network, side: int) -> list[tuple[int, int]]:
    """Channels and side of each stage's feature."""
    features = backbone(network).forward_stages(torch.empty(2, 3, side, side, device="meta"))
    return [(feature.shape[1], feature.shape[2]) for feature in features]


@pytest.mark.parametrize("name", PAPER)
def test_channels_of_the_papers_networks(name: str) -> None:
    network = named(name)
    side = 64 if name == "resnet18" else 32
    sides = [16, 8, 4, 2] if name == "resnet18" else [32, 16, 8]
    assert network.stage_channels == PAPER[name][0]
    assert measured(network, side) == list(zip(PAPER[name][0], sides, strict=True))


@pytest.mark.parametrize(("family", "depth", "width"), SMALL)
def test_channels_of_smaller_relatives(family: Family, depth: int, width: int | None) -> None:
    network = Network(family=family, depth=depth, width=width)
    assert [channels for channels, _ in measured(network, 32)] == list(network.stage_channels)


@pytest.mark.parametrize("family", get_args(Family))
def test_sides_of_every_family(family: Family) -> None:
    depth, width = next((d, w) for f, d, w in [*SMALL, ("resnet_imagenet", 18, None)] if f == family)
    network = Network(family=family, depth=depth, width=width)
    for size in (8, 9, 11, 30, 31, 32, 33, 64, 65):
        assert tuple(side for _, side in measured(network, size)) == network.stage_sides(size)


@pytest.mark.parametrize("name", PAPER)
def test_parameters_of_the_plain_networks(name: str) -> None:
    network = named(name)
    plain = nn.Linear(network.stage_channels[-1], 100, device="meta")
    count = sum(tensor.numel() for module in (backbone(network), plain) for tensor in module.parameters())
    assert count == PAPER[name][1]


def test_tiny_imagenet_enters_at_its_own_size() -> None:
    assert [side for _, side in measured(named("resnet110"), 64)] == [64, 32, 16]


def test_every_network_of_the_catalogue_is_held_here() -> None:
    assert set(NETWORKS) == set(PAPER)


def test_every_family_stands_wherever_families_are_listed() -> None:
    assert set(get_args(Family)) == set(_BUILDERS)
    for family in get_args(Family):
        assert depth_problem(family, 1)


@pytest.mark.parametrize(
    ("family", "fits", "does_not"),
    [
        ("resnet", [11, 20, 110, 164], [2, 18, 111, 0, -7]),
        ("seresnet", [11, 110], [2, 50]),
        ("densenet", [10, 22, 100], [4, 101, 121]),
        ("wrn", [10, 16, 28, 40], [4, 12, 29]),
        ("pyramidnet", [8, 14, 110], [2, 111]),
        ("resnet_imagenet", [18], [34, 50]),
    ],
)
def test_depths(family: Family, fits: list[int], does_not: list[int]) -> None:
    assert [depth_problem(family, depth) for depth in fits] == [None] * len(fits)
    for depth in does_not:
        assert depth_problem(family, depth)


def test_a_wrong_depth_is_answered_with_right_ones() -> None:
    reason = depth_problem("wrn", 27)
    assert reason is not None
    assert "16" in reason
    assert depth_problem("wrn", 16) is None


def test_width_means_something_in_three_families() -> None:
    meanings = {str(network["family"]): width_meaning(str(network["family"])) for network in NETWORKS.values()}
    assert {family for family, meaning in meanings.items() if meaning} == {"densenet", "wrn", "pyramidnet"}


def test_channels_are_those_of_the_named_network() -> None:
    assert stage_channels("wrn", 28, 10) == (160, 320, 640)
    assert stage_channels("resnet", 11, None) == (64, 128, 256)


def test_datasets_as_the_paper_and_their_publishers_have_them() -> None:
    facts = {
        name: (f.classes, f.input_size, f.crop_padding, f.train_images, f.test_images) for name, f in DATASETS.items()
    }
    assert facts == {
        "cifar10": (10, 32, 4, 50_000, 10_000),
        "cifar100": (100, 32, 4, 50_000, 10_000),
        "tiny-imagenet": (200, 64, 8, 100_000, 10_000),
        "cub200": (200, 448, 0, 5_994, 5_794),
        "stanford_dogs": (120, 224, 0, 12_000, 8_580),
        "stanford_cars": (196, 224, 0, 8_144, 8_041),
    }


def test_stored_sizes() -> None:
    assert DATASETS["cub200"].stored_size(448) == 512
    assert DATASETS["stanford_dogs"].stored_size(224) == 256
    assert DATASETS["cifar100"].stored_size(32) == 32
    assert own_dataset("birds", 5, 224).stored_size(224) == 256
