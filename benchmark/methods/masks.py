"""SFE's channel masks, Eq. 1 and 2."""

import numpy as np
import torch
from torch import Tensor

from benchmark.runs.axes import Discard, Masks
from benchmark.seeding import stream


def draw_masks(masks: Masks, channels: int, stage: int, seed: int) -> Tensor:
    """Masks of the K = k + 1 views of one stage's feature, drawn once for the whole run.

    The channels are permuted and cut in k slices whose sizes differ by at most one; view i > 0 loses
    slice i - 1, view 0 loses nothing.

    Args:
        masks: how to group.
        channels: C of the masked feature.
        stage: 1-based; names the random stream.
        seed: the trial's seed.

    Returns:
        Zeros and ones ``[K, C]``.
    """
    order = np.arange(channels)
    if masks.grouping == "random":
        order = stream(seed, f"masks/stage{stage}").permutation(channels)
    order = order[: masks.maskable(channels)]
    k, n = masks.views, len(order)
    slices = [order[i * n // k : (i + 1) * n // k] for i in range(k)]  # as in Listing 1
    keep = np.ones((k + 1, channels), dtype=np.float32)
    for view in range(k):
        for extra in range(masks.groups_per_channel):  # 1: the groups do not overlap, Eq. 2
            keep[view + 1, slices[(view + extra) % k]] = 0
    return torch.from_numpy(keep)


def kept_channels(discard: Discard, channels: int, stage: int, seed: int) -> Tensor:
    """Zeros where the channels of the discarded group are, ones elsewhere, ``[C]``.

    The groups are those that :func:`draw_masks` gives SFE's views at this stage and seed.
    """
    return draw_masks(Masks(views=discard.groups), channels, stage, seed)[discard.group]
