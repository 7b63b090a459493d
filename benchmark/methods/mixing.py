"""Input mixing: Cutout and Mixup, drawn a whole epoch at a time."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from benchmark.runs.axes import Mixing
from benchmark.seeding import stream


@dataclass(frozen=True)
class Mixed:
    """A batch as the network sees it.

    Attributes:
        images: ``[B, 3, H, W]``.
        labels: ``[B]``.
        partner_labels: labels of the images mixed in, ``[B]``; None without Mixup.
        share: λ, the weight of ``labels``, a scalar tensor; 1 without Mixup.
    """

    images: Tensor
    labels: Tensor
    partner_labels: Tensor | None
    share: Tensor

    def clone(self) -> "Mixed":
        """The same numbers in memory of their own."""
        copies: dict[str, Any] = {name: None if one is None else one.clone() for name, one in self._parts()}
        return Mixed(**copies)

    def copy_(self, other: "Mixed") -> None:
        """Take over the numbers of another batch of the same shape; nothing else gets to know."""
        for (_, into), (_, one) in zip(self._parts(), other._parts(), strict=True):
            assert (into is None) == (one is None)
            if into is not None:
                into.copy_(one)

    def _parts(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


class InputMixing:
    """Cutout, then Mixup, each where the spec asks for it.

    Random choices are made for an epoch ahead and for a sample or a step by its number, so they depend
    neither on the method nor on where a run was resumed.

    Args:
        mixing: what to do.
        seed: the trial's seed.
        images: number of training images n.
        image_size: side of the images in pixels.
        device: where the batches lie.
    """

    def __init__(self, mixing: Mixing, *, seed: int, images: int, image_size: int, device: torch.device) -> None:
        self.mixing, self.seed, self.count, self.size, self.device = mixing, seed, images, image_size, device
        self.one = torch.ones((), device=device)

    def draw(self, epoch: int, steps: int) -> None:
        """Make the choices of an epoch of ``steps`` steps."""
        if self.mixing.cutout_size is not None:
            centres = stream(self.seed, "cutout", epoch).integers(0, self.size, (self.count, 2))
            self.centres = torch.from_numpy(centres).to(self.device)  # [n, 2], row and column
        if self.mixing.mixup_alpha is not None:
            alpha = self.mixing.mixup_alpha
            shares = stream(self.seed, "mixup", epoch).beta(alpha, alpha, steps).astype("float32")
            keys = stream(self.seed, "mixup/partners", epoch).random(self.count)  # order of partners
            self.shares, self.keys = (torch.from_numpy(drawn).to(self.device) for drawn in (shares, keys))

    def __call__(self, images: Tensor, labels: Tensor, samples: Tensor, step: int) -> Mixed:
        """Mix one batch; ``samples`` ``[B]`` are the images' numbers in the training set."""
        if self.mixing.cutout_size is not None:
            images = cut_out(images, self.centres[samples], self.mixing.cutout_size)
        if self.mixing.mixup_alpha is None:
            return Mixed(images, labels, None, self.one)
        partner = self.keys[samples].argsort()  # a random permutation of the batch
        share = self.shares[step]
        return Mixed(share * images + (1 - share) * images[partner], labels, labels[partner], share)


def cut_out(images: Tensor, centres: Tensor, size: int) -> Tensor:
    """Fill one square a image with zeros, clipped at the edge.

    Args:
        images: normalised, ``[B, 3, S, S]``.
        centres: row and column of the square's centre, ``[B, 2]``.
        size: side of the square in pixels.
    """
    pixels = torch.arange(images.shape[-1], device=images.device)
    first = centres[:, :, None] - size // 2  # [B, 2, 1]
    inside = (pixels >= first) & (pixels < first + size)  # [B, 2, S]
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]  # [B, S, S]
    return images.masked_fill(hole[:, None], 0.0)
