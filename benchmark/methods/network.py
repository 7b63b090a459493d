"""A backbone with joint classifiers over views.

A *view* is a labelled version of an image: SLA rotates the input (M versions), SFE masks channels of a
feature (K versions). A classifier tells class and view apart: N·V joint labels with V = M·K. With M = K = 1
this is the plain network, so the baseline, several classifiers, SLA, SFE and their combinations are one
module.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.methods.masks import draw_masks, kept_channels
from benchmark.methods.views import carry_by_partial_sums, listing1_copies, masked_copies, rotated
from benchmark.models.backbone import build_backbone, on_meta
from benchmark.models.initialise import initialise
from benchmark.runs.axes import Method, Network
from benchmark.runs.spec import TrainSpec


@dataclass(frozen=True)
class Logits:
    """What the classifiers say.

    Attributes:
        joint: one tensor ``[V, B, N·V]`` a classifier, the last stage's last; joint label ``y·V + v`` with
            ``v = rotation·K + masked view``.
        plain: the self-distilled classifier's ``[B, N]``; None without one.
    """

    joint: tuple[Tensor, ...]
    plain: Tensor | None


class JointNetwork(nn.Module):
    """Backbone, masks, one joint classifier on each of the last c stages, maybe a plain one.

    Args:
        network: the backbone.
        method: rotations, masks, classifiers, distillation, discarded channels.
        classes: N.
        listing1: make SFE's views on the whole feature map as the paper's Listing 1 does, instead of on
            the pooled vector; the logits are the same (docs/paper-notes.md), the cost is not.
        partial_sums: make carried views as :mod:`benchmark.methods.views` explains, without copies.
    """

    def __init__(
        self, network: Network, method: Method, classes: int, *, listing1: bool = False, partial_sums: bool = False
    ) -> None:
        super().__init__()
        channels = network.stage_channels
        self.method, self.listing1, self.partial_sums = method, listing1, partial_sums
        self.backbone = build_backbone(network)
        self.first_tap = len(channels) - method.classifiers + 1  # 1-based stage of the first classifier
        self.carry_from = method.masks.carry_from if method.masks else None
        self.taps = range(self.first_tap, len(channels) + 1)
        self.masked = ([self.carry_from] if self.carry_from else list(self.taps)) if method.masks else []
        joint = classes * method.views
        self.heads = nn.ModuleDict({f"stage{s}": nn.Linear(channels[s - 1], joint) for s in self.taps})
        self.plain = nn.Linear(channels[-1], classes) if method.distillation else None
        for stage in self.masked:
            views = method.masks.views + 1 if method.masks else 1
            self.register_buffer(f"masks_stage{stage}", torch.empty(views, channels[stage - 1]))
        if method.discard:
            self.register_buffer("kept", torch.empty(channels[-1]))

    def forward(self, images: Tensor) -> Logits:
        """Logits of a batch ``[B, 3, H, W]`` of unrotated images."""
        features = self._features(rotated(images, self.method.rotations))  # [M·B, C, H, W] each
        joint = []
        for stage in self.taps:
            views = self._views(features[stage], stage)  # [V, B, C]
            joint.append(self.heads[f"stage{stage}"](views))
        plain = self.plain(views[0]) if self.plain is not None else None  # view 0: unrotated, unmasked
        return Logits(tuple(joint), plain)

    def class_activation(self, images: Tensor, labels: Tensor) -> Tensor:
        """Class activation maps (Zhou et al. 2016) of the single prediction, Eq. 7, ``[B, h, w]``.

        The mean of an image's map is its label's logit without the bias. In evaluation mode.

        Args:
            images: ``[B, 3, H, W]``.
            labels: ``[B]``, whose maps.
        """
        last = self.taps[-1]
        feature = self._features(images)[last][: len(images)]  # [B, C, h, w], view 0
        weight = self.heads[f"stage{last}"].get_parameter("weight")[labels * self.method.views]  # [B, C]
        if self.method.discard:
            weight = weight * self.get_buffer("kept")
        return (weight[:, :, None, None].float() * feature.float()).sum(1)

    def _features(self, x: Tensor) -> dict[int, Tensor]:
        """Feature of every stage by its number; behind ``carry_from`` of all views, ``[K·M·B, C, H, W]``.

        As Listing 1 makes views they come image by image, otherwise view by view.
        """
        if self.carry_from is None:
            return dict(enumerate(self.backbone.forward_stages(x), start=1))
        feature = x
        for stage in self.backbone.stages[: self.carry_from]:
            feature = stage(feature)
        masks = self.get_buffer(f"masks_stage{self.carry_from}")
        if self.listing1:
            feature = listing1_copies(feature, masks).contiguous(memory_format=torch.channels_last)
        elif not self.partial_sums:  # with them the stage behind makes the views
            feature = masked_copies(feature, masks)  # Eq. 1
        behind = self.backbone.forward_stages(feature, after=self.carry_from)
        return dict(enumerate(behind, start=self.carry_from + 1))

    def _views(self, feature: Tensor, stage: int) -> Tensor:
        """Pooled views ``[V, B, C]`` of one tapped stage, ``v = rotation·K + masked view``."""
        m = self.method.rotations
        if self.method.masks is None:
            pooled = pool(feature)
            if self.method.discard:
                pooled = pooled * self.get_buffer("kept").to(pooled.dtype)
            return split(pooled, m)
        masks = self.get_buffer(f"masks_stage{self.carry_from or stage}")  # [K, C]
        if self.listing1:
            views = feature if self.carry_from else listing1_copies(feature, masks)  # [M·B·K, C, H, W]
            pooled = pool(views).reshape(m, -1, len(masks), views.shape[1]).transpose(1, 2)  # [M, K, B, C]
        elif self.carry_from:
            pooled = split(pool(feature), len(masks), m).transpose(0, 1)  # [K, M, B, C] turned
        else:
            # A mask is constant over space and pooling is linear a channel, so pool first, then mask.
            pooled = split(pool(feature), m, 1) * masks[:, None].to(feature.dtype)  # [M, K, B, C]
        return pooled.flatten(0, 1)


def split(rows: Tensor, *sizes: int) -> Tensor:
    """Take the first axis apart, ``[a·b·B, C] -> [a, b, B, C]``."""
    return rows.reshape(*sizes, -1, rows.shape[-1])


def pool(feature: Tensor) -> Tensor:
    """Global average, ``[B, C, H, W] -> [B, C]``."""
    return F.avg_pool2d(feature, tuple(feature.shape[2:])).flatten(1)


def build_network(spec: TrainSpec, classes: int, *, listing1: bool = False) -> JointNetwork:
    """The seeded, initialised model of a training, on the CPU, channels last.

    Args:
        spec: its network, method and seed.
        classes: N.
        listing1: see :class:`JointNetwork`.
    """
    network, masks, discard = spec.network, spec.method.masks, spec.method.discard
    partial_sums = spec.numerics.carried_views == "partial_sums" and not listing1
    model = on_meta(lambda: JointNetwork(network, spec.method, classes, listing1=listing1, partial_sums=partial_sums))
    assert isinstance(model, JointNetwork)
    initialise(model, spec.seed)
    for stage in model.masked:
        assert masks is not None
        drawn = draw_masks(masks, network.stage_channels[stage - 1], stage, spec.seed)
        model.get_buffer(f"masks_stage{stage}").copy_(drawn)
        if partial_sums:
            carry_by_partial_sums(model.backbone, stage, drawn)
    if discard:
        channels = network.stage_channels
        model.get_buffer("kept").copy_(kept_channels(discard, channels[-1], len(channels), spec.seed))
    return model.to(memory_format=torch.channels_last)
