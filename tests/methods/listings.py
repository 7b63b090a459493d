"""The paper's Listing 1 and 2, word for word, as the reference that the project's own code is held against.

Only ``.cuda()`` is left out, the random order of the channels may be given, and the layers of Listing 2 are taken
from outside. Its order is image by image: [image 0 view 0, image 0 view 1, ..., image 1 view 0, ...].
"""

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Transaction:
    def __init__(self, size: tuple[int, int, int], n: int, seed_list: list[int] | None = None) -> None:
        c, h, w = size
        drop = torch.zeros((h, w))
        seed_list = seed_list or random.sample(range(0, c), c)
        self.n = n
        self.mask_list = []
        for i in range(n):
            mask = torch.ones(size)
            mask[seed_list[i * c // n : (i + 1) * c // n : 1], :, :] = drop
            self.mask_list.append(mask)

    def trans1(self, x: Tensor) -> Tensor:
        b, c, h, w = x.size()
        mask = torch.ones((b, c, h, w))
        x1 = x * mask
        for i in range(self.n):
            y = x1 * self.mask_list[i].unsqueeze(0).repeat(b, 1, 1, 1)
            x = torch.cat((x, y), 1)
        return x.view(-1, *x1.shape[1:])


class ResNet(nn.Module):
    """Listing 2 for 32-pixel images, on given layers.

    Args:
        conv1: the stem's parts, then the three layers, as in the listing.
        l2_fc: the joint classifier behind the second layer.
        l3_fc: the joint classifier behind the third layer.
        orders: the channel orders of the second and third layer's transformation.
        num_transform: K.
    """

    def __init__(
        self,
        conv1: nn.Module,
        bn1: nn.Module,
        relu: nn.Module,
        layer1: nn.Module,
        layer2: nn.Module,
        layer3: nn.Module,
        l2_fc: nn.Module,
        l3_fc: nn.Module,
        orders: tuple[list[int], list[int]],
        num_transform: int,
    ) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu = conv1, bn1, relu
        self.layer1, self.layer2, self.layer3 = layer1, layer2, layer3
        self.l2_fc, self.l3_fc = l2_fc, l3_fc
        expansion = 4
        self.l2_transaction = Transaction((32 * expansion, 16, 16), num_transform - 1, orders[0])
        self.l3_transaction = Transaction((64 * expansion, 8, 8), num_transform - 1, orders[1])
        self.l2_avgpool = nn.AvgPool2d(16)
        self.l3_avgpool = nn.AvgPool2d(8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x2 = self.l2_transaction.trans1(x)
        x2 = self.l2_avgpool(x2)
        x2 = x2.view(x2.size(0), -1)
        x2 = self.l2_fc(x2)
        x = self.layer3(x)
        x3 = self.l3_transaction.trans1(x)
        x3 = self.l3_avgpool(x3)
        x3 = x3.view(x3.size(0), -1)
        x3 = self.l3_fc(x3)
        return x2, x3


def expanded_labels(labels: Tensor, num_transform: int) -> Tensor:
    """Joint labels (y, j) in the listing's order, ``[B] -> [B·K]``."""
    return torch.stack([labels * num_transform + j for j in range(num_transform)], 1).view(-1)


def two_classifier_loss(x2: Tensor, x3: Tensor, labels: Tensor, num_transform: int, beta: float) -> Tensor:
    """Eq. 6 as docs/paper-notes.md reads it: β on the penultimate classifier's loss."""
    joint = expanded_labels(labels, num_transform)
    return F.cross_entropy(x3, joint) + beta * F.cross_entropy(x2, joint)
