"""How an image's views are made: turned inputs (SLA) and masked features (SFE, Eq. 1).

Views that are carried through further stages (Table 6) need no copy of the masked feature each. A stage
of a bottleneck ResNet begins with two 1×1 convolutions, one in the residual branch and one in the shortcut. They
are linear and a mask is constant over space, so what view j loses can be taken away behind them: with T the
convolution of the whole feature x and P_j that of the channels which view j drops,

    conv(x ⊙ m_j) = T - P_j.

Groups that do not overlap take the arithmetic of two convolutions together, instead of K, and x alone is kept for
backward, instead of K masked copies of it.
"""

import torch
from torch import Tensor, nn

from benchmark.models.backbone import Backbone


def rotated(images: Tensor, rotations: int) -> Tensor:
    """Images turned by 0, 90, … degrees, ``[B, 3, H, W] -> [M·B, 3, H, W]``, rotation by rotation."""
    if rotations == 1:
        return images
    turned = torch.cat([torch.rot90(images, turn, (2, 3)) for turn in range(rotations)])
    return turned.contiguous(memory_format=torch.channels_last)


def masked_copies(feature: Tensor, masks: Tensor) -> Tensor:
    """Eq. 1 on the whole map: ``[B, C, H, W]`` and ``[K, C]`` to ``[K·B, C, H, W]``, view by view."""
    kept = masks.to(feature.dtype)[:, None, :, None, None]
    return (feature * kept).flatten(0, 1).contiguous(memory_format=torch.channels_last)


def listing1_copies(feature: Tensor, masks: Tensor) -> Tensor:
    """Eq. 1 as the paper's Listing 1 has it, copy by copy, ``[B·K, C, H, W]``: image by image."""
    feature = feature.contiguous()  # the listing's view() wants it
    views, original = feature, feature * torch.ones_like(feature)
    for mask in masks[1:].to(feature.dtype):
        whole = mask[:, None, None].expand(feature.shape[1:])  # the listing holds its masks as maps
        views = torch.cat((views, original * whole.repeat(len(feature), 1, 1, 1)), 1)
    return views.view(-1, *feature.shape[1:])


class ViewsConv(nn.Module):
    """A 1×1 convolution that makes the masked views of its input, ``[B, C, H, W] -> [K·B, O, h, w]``.

    Its weight is that of the convolution it stands for, under the same name.

    Args:
        conv: 1×1, without bias.
        masks: zeros and ones ``[K, C]``.
    """

    dropped: Tensor
    counts: Tensor

    def __init__(self, conv: nn.Conv2d, masks: Tensor) -> None:
        super().__init__()
        self.weight, self.stride = conv.weight, conv.stride  # [O, C, 1, 1]
        most = int((masks == 0).sum(1).max())
        # The channels that a view drops, filled up to one length with others that count zero times.
        self.register_buffer("dropped", masks.argsort(stable=True, dim=1)[:, :most].contiguous(), persistent=False)
        self.register_buffer("counts", 1 - masks.gather(1, self.dropped), persistent=False)  # both [K, most]

    def forward(self, x: Tensor) -> Tensor:
        """All views of a batch, view by view, in channels-last order."""
        x = x[:, :, :: self.stride[0], :: self.stride[1]]
        batch, channels, height, width = x.shape
        pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # [P, C]
        weight = self.weight.flatten(1).t()  # [C, O]
        views = len(self.dropped)
        select = indexed if x.is_cuda else torch.index_select
        lost = select(pixels, 1, self.dropped.flatten()).view(len(pixels), views, -1).transpose(0, 1)  # [K, P, g]
        parts = select(weight, 0, self.dropped.flatten()).view(views, -1, weight.shape[1])  # [K, g, O]
        whole = (pixels @ weight).expand(views, -1, -1)  # T
        made = torch.baddbmm(whole, lost, parts * self.counts[:, :, None], alpha=-1)  # [K, P, O]
        return made.view(views * batch, height, width, -1).permute(0, 3, 1, 2)


def indexed(x: Tensor, axis: int, places: Tensor) -> Tensor:
    """``x.index_select(axis, places)`` with the same gradient, by other calls.

    On a GPU that is to be deterministic the gradient of ``index_select`` reads on the host how far the places reach, so
    it can't be recorded in a graph; this one does not. On a CPU it takes a multiple of the time.
    """
    return x[(slice(None),) * axis + (places,)]


def carry_by_partial_sums(backbone: Backbone, stage: int, masks: Tensor) -> None:
    """Let the convolutions that a stage begins with make the views of the feature before it.

    Args:
        backbone: of one of :data:`~benchmark.runs.catalogue.STAGES_BEGIN_WITH_1X1`; changed in place.
        stage: 1-based stage whose feature is masked.
        masks: ``[K, C]``.
    """
    first = next(iter(backbone.stages[stage].children()))
    for block in (first.get_submodule("body.conv1"), first.get_submodule("identity_conv")):
        conv = block.get_submodule("conv")
        assert isinstance(conv, nn.Conv2d)
        assert conv.kernel_size == (1, 1)
        block.conv = ViewsConv(conv, masks)
