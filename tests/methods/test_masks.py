import hashlib

import numpy as np
import pytest
import torch

from benchmark.methods.masks import draw_masks
from benchmark.runs.axes import Masks

SIZES = [(64, 8), (256, 32), (300, 8), (342, 8), (30, 7), (9, 8), (5, 2)]


def lost(mask: torch.Tensor) -> set[int]:
    return {channel for channel, kept in enumerate(mask.tolist()) if kept == 0}


@pytest.mark.parametrize(("channels", "views"), SIZES)
def test_the_first_view_is_the_feature_itself(channels: int, views: int) -> None:
    masks = draw_masks(Masks(views=views), channels, stage=3, seed=0)
    assert masks.shape == (views + 1, channels)
    assert masks.dtype == torch.float32
    assert set(masks.flatten().tolist()) == {0.0, 1.0}
    assert lost(masks[0]) == set()


@pytest.mark.parametrize(("channels", "views"), SIZES)
def test_what_the_views_lose_adds_up_to_the_feature(channels: int, views: int) -> None:
    # Eq. 2
    masks = draw_masks(Masks(views=views), channels, stage=3, seed=0)
    feature = torch.from_numpy(np.random.default_rng(0).integers(1, 100, (channels, 2, 2)).astype(np.float32))
    summed = torch.zeros_like(feature)
    for mask in masks[1:]:
        summed += feature - feature * mask[:, None, None]
    assert torch.equal(summed, feature)


@pytest.mark.parametrize(("channels", "views"), SIZES)
def test_groups_are_disjoint_and_as_equal_as_can_be(channels: int, views: int) -> None:
    groups = [lost(mask) for mask in draw_masks(Masks(views=views), channels, stage=2, seed=1)[1:]]
    assert sorted(channel for group in groups for channel in group) == list(range(channels))
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    assert [len(group) for group in groups] == [
        (i + 1) * channels // views - i * channels // views for i in range(views)
    ]


def test_random_groups_are_scattered_and_contiguous_ones_are_not() -> None:
    scattered = draw_masks(Masks(views=4), 64, stage=1, seed=0)
    contiguous = draw_masks(Masks(views=4, grouping="contiguous"), 64, stage=1, seed=0)
    assert lost(scattered[1]) != set(range(16))
    for view in range(4):
        assert lost(contiguous[view + 1]) == set(range(16 * view, 16 * view + 16))


def test_each_seed_and_stage_has_its_own_draw() -> None:
    drawn = [draw_masks(Masks(views=8), 64, stage, seed) for seed in (0, 1) for stage in (2, 3)]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert not torch.equal(one, other)
    assert torch.equal(drawn[0], draw_masks(Masks(views=8), 64, 2, 0))


@pytest.mark.parametrize(("fraction", "maskable"), [(0.5, 32), (0.3, 19), (1.0, 64)])
def test_a_fraction_leaves_the_other_channels_alone(fraction: float, maskable: int) -> None:
    masks = draw_masks(Masks(views=4, masked_fraction=fraction), 64, stage=3, seed=0)
    groups = [lost(mask) for mask in masks[1:]]
    assert sum(map(len, groups)) == len(set().union(*groups)) == maskable
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


@pytest.mark.parametrize("times", [2, 3])
def test_a_channel_can_stand_in_several_groups(times: int) -> None:
    once = [lost(mask) for mask in draw_masks(Masks(views=5), 64, stage=3, seed=0)[1:]]
    masks = draw_masks(Masks(views=5, groups_per_channel=times), 64, stage=3, seed=0)
    assert (1 - masks).sum(0).tolist() == [times] * 64
    for view in range(5):
        wanted: set[int] = set().union(*(once[(view + extra) % 5] for extra in range(times)))
        assert lost(masks[view + 1]) == wanted


def test_golden_masks() -> None:
    # Two labs start from the same masks. A change here changes every published run: raise PROTOCOL.
    masks = draw_masks(Masks(views=8), 300, stage=2, seed=0)
    digest = hashlib.sha256(masks.numpy().astype("<f4").tobytes()).hexdigest()
    assert digest == "5a9384fd1150f05055bd95129a0b3b7468f25296918e30bc8769559545851e9c"


def test_a_fraction_is_not_cut_short_by_its_binary_form() -> None:
    assert Masks(views=4, masked_fraction=0.57).maskable(300) == 171  # 300 * 0.57 is 170.99999999999997
    assert Masks(views=4, masked_fraction=0.5).maskable(65) == 32
