"""The paper's networks, cut at their stage boundaries.

The networks themselves are pytorchcv's and torchvision's; this project only asks for the right dimensions
(the CIFAR ResNets of the paper are bottleneck ones, see docs/paper-notes.md), drops pooling and classifier,
and splits what is left into stages.
"""

from collections.abc import Callable, Mapping

import torch
from pytorchcv.models.densenet_cifar import get_densenet_cifar
from pytorchcv.models.pyramidnet_cifar import get_pyramidnet_cifar
from pytorchcv.models.resnet_cifar import get_resnet_cifar
from pytorchcv.models.seresnet_cifar import get_seresnet_cifar
from pytorchcv.models.wrn_cifar import get_wrn_cifar
from torch import Tensor, nn

from benchmark.runs.axes import Network
from benchmark.system.packages import importing


class Backbone(nn.Module):
    """A network without pooling and classifier, as a list of stages.

    Args:
        stages: each takes the feature of the one before; the first takes images ``[B, 3, H, W]``.
    """

    def __init__(self, stages: list[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward_stages(self, x: Tensor, after: int = 0) -> tuple[Tensor, ...]:
        """Features of all stages behind stage ``after`` (1-based), first to last.

        Args:
            x: images ``[B, 3, H, W]``, or the feature of stage ``after`` ``[B, C, H, W]``.
            after: 0 to start at the images.
        """
        features = []
        for stage in self.stages[after:]:
            x = stage(x)
            features.append(x)
        return tuple(features)


def build_backbone(network: Network) -> Backbone:
    """The network of a spec, not yet initialised: call :func:`~benchmark.models.initialise.initialise`."""
    return Backbone(_BUILDERS[network.family](network))


def _cifar_stages(net: nn.Module) -> list[nn.Module]:
    """Stages of a pytorchcv CIFAR network: the stem joins stage 1, the final BN and ReLU join the last."""
    parts = dict(net.features.named_children())  # type: ignore[union-attr]
    stages = [nn.Sequential(parts["init_block"], parts["stage1"]), parts["stage2"], parts["stage3"]]
    if "post_activ" in parts:
        stages[-1] = nn.Sequential(stages[-1], parts["post_activ"])
    return stages


def _resnet(n: Network) -> list[nn.Module]:
    return _cifar_stages(get_resnet_cifar(num_classes=10, blocks=n.depth, bottleneck=True))


def _seresnet(n: Network) -> list[nn.Module]:
    return _cifar_stages(get_seresnet_cifar(num_classes=10, blocks=n.depth, bottleneck=True))


def _densenet(n: Network) -> list[nn.Module]:
    net = get_densenet_cifar(num_classes=10, blocks=n.depth, growth_rate=n.width, bottleneck=True)
    return _cifar_stages(net)


def _wrn(n: Network) -> list[nn.Module]:
    return _cifar_stages(get_wrn_cifar(num_classes=10, blocks=n.depth, width_factor=n.width))


def _pyramidnet(n: Network) -> list[nn.Module]:
    net = get_pyramidnet_cifar(num_classes=10, blocks=n.depth, alpha=n.width, bottleneck=False)
    return _cifar_stages(net)


def _resnet_imagenet(n: Network) -> list[nn.Module]:
    with importing():
        from torchvision.models import resnet18  # two seconds to import, and only this network needs it

    net = resnet18(num_classes=10)
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    return [nn.Sequential(stem, net.layer1), net.layer2, net.layer3, net.layer4]


_BUILDERS: Mapping[str, Callable[[Network], list[nn.Module]]] = {
    "resnet": _resnet,
    "seresnet": _seresnet,
    "densenet": _densenet,
    "wrn": _wrn,
    "pyramidnet": _pyramidnet,
    "resnet_imagenet": _resnet_imagenet,
}


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module without the libraries' own, unseeded initialisation; its tensors are left empty."""
    with torch.device("meta"):
        module = build()
    for part in module.modules():  # what Module.to_empty does, but that imports a library for a second
        for name, parameter in part.named_parameters(recurse=False):
            empty = torch.empty(parameter.shape, dtype=parameter.dtype)
            setattr(part, name, nn.Parameter(empty, requires_grad=parameter.requires_grad))
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, torch.empty(buffer.shape, dtype=buffer.dtype))
    return module
