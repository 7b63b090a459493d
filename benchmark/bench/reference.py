"""The reference loop: SFE as public CIFAR code would train it.

Written for the comparison in ``run_suite.py bench``, and independent of this project's data path, method and loop:
torchvision transforms in DataLoader workers, NCHW, fp32, views made as the paper's Listing 1 makes them, a plain
SGD, ``loss.item()`` at every step. It shares the backbone, its initial weights and the masks, so that both sides
train the same network.
"""

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmark.data.packed import ImageSet, Split
from benchmark.methods.network import JointNetwork
from benchmark.models.backbone import build_backbone
from benchmark.runs.axes import Network

WORKERS = 2


class Images(Dataset[tuple[Tensor, int]]):
    """Images through torchvision's transforms, one by one."""

    def __init__(self, split: Split, transform: transforms.Compose) -> None:
        self.split, self.transform = split, transform

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.split.images[index]), int(self.split.labels[index])


class Transaction:
    """Listing 1: masks as whole maps, and a batch of views that grows mask by mask."""

    def __init__(self, masks: Tensor, side: int) -> None:
        self.masks = [mask[:, None, None].repeat(1, side, side) for mask in masks]

    def __call__(self, x: Tensor) -> Tensor:
        """``[B, C, H, W] -> [B·K, C, H, W]``, image by image."""
        x1 = x * torch.ones(x.shape, device=x.device)
        for mask in self.masks:
            x = torch.cat((x, x1 * mask.unsqueeze(0).repeat(x.shape[0], 1, 1, 1)), 1)
        return x.view(-1, *x1.shape[1:])


class ReferenceNet(nn.Module):
    """Listing 2: joint classifiers on the last two stages of a three-stage CIFAR network.

    Args:
        network: the backbone.
        ours: this project's network, whose weights and masks it starts from.
    """

    def __init__(self, network: Network, ours: JointNetwork) -> None:
        super().__init__()
        self.backbone = build_backbone(network)
        self.backbone.load_state_dict({**self.backbone.state_dict(), **ours.backbone.state_dict()})  # it counts batches
        (self.fc2, masks2), (self.fc3, masks3) = (
            (self._copy(ours.heads[f"stage{s}"]), ours.get_buffer(f"masks_stage{s}")[1:]) for s in (2, 3)
        )
        self.views2, self.views3 = Transaction(masks2, 16), Transaction(masks3, 8)

    @staticmethod
    def _copy(layer: nn.Module) -> nn.Linear:
        assert isinstance(layer, nn.Linear)
        copy = nn.Linear(layer.in_features, layer.out_features, device=layer.weight.device)
        copy.load_state_dict(layer.state_dict())
        return copy

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Joint logits of the penultimate and the last stage, ``[B·K, N·K]``."""
        _, x2, x3 = self.backbone.forward_stages(x)
        z2 = self.fc2(F.avg_pool2d(self.views2(x2), 16).flatten(1))
        z3 = self.fc3(F.avg_pool2d(self.views3(x3), 8).flatten(1))
        return z2, z3


def reference_loss(net: ReferenceNet, images: Tensor, labels: Tensor, *, views: int, beta: float) -> Tensor:
    """Eq. 6 over the joint labels of Eq. 5 (``views`` is K)."""
    joint = torch.stack([labels * views + j for j in range(views)], 1).view(-1)
    z2, z3 = net(images)
    return F.cross_entropy(z3, joint) + beta * F.cross_entropy(z2, joint)


def reference_epochs(
    net: ReferenceNet,
    data: ImageSet,
    *,
    views: int,
    beta: float,
    batch_size: int,
    learning_rate: float,
    device: torch.device,
) -> Iterator[tuple[float, float]]:
    """Train for ever; yields seconds and mean loss of each epoch. Order and crops are torch's own draws.

    The loader keeps its workers: to start them anew would weigh on a short epoch, and vanishes in a whole one.
    """
    transform = transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(data.mean, data.std),
        ]
    )
    loader = DataLoader(
        Images(data.train, transform),
        batch_size,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
        generator=torch.Generator().manual_seed(0),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate, momentum=0.9, weight_decay=1e-4)
    while True:
        net.train()
        started, total = time.perf_counter(), 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            loss = reference_loss(net, images, labels, views=views, beta=beta)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(labels)
        yield time.perf_counter() - started, total / len(data.train.labels)
