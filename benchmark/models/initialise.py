"""Initial weights that every machine draws alike."""

import math

import torch
from torch import Tensor, nn

from benchmark.seeding import stream


@torch.no_grad()
def initialise(module: nn.Module, seed: int) -> None:
    """Fill every parameter and statistic from the run's own streams, one stream a tensor.

    Convolutions are He-normal with fan-out and zero bias, batch norms start at weight 1, bias 0, linear
    layers as PyTorch's own: uniform in ±1/√fan_in. A tensor's stream is named by the tensor, so a
    backbone starts from the same weights whatever heads it carries.

    Args:
        module: what to fill; tensors may be uninitialised.
        seed: the trial's seed.

    Raises:
        TypeError: a layer with parameters that none of these rules covers.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]
            _normal(layer.weight, math.sqrt(2 / fan_out), seed, f"{name}.weight")
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
            layer.num_batches_tracked = None  # nothing reads it beside a momentum: a kernel a step saved
        elif isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            _uniform(layer.weight, bound, seed, f"{name}.weight")
            _uniform(layer.bias, bound, seed, f"{name}.bias")
        elif any(True for _ in layer.parameters(recurse=False)):
            raise TypeError(f"no initialisation is known for {name}, a {type(layer).__name__}")


def _normal(tensor: Tensor, std: float, seed: int, name: str) -> None:
    values = stream(seed, f"init/{name}").standard_normal(tuple(tensor.shape), dtype="float32")
    tensor.copy_(torch.from_numpy(values)).mul_(std)


def _uniform(tensor: Tensor, bound: float, seed: int, name: str) -> None:
    values = stream(seed, f"init/{name}").random(tuple(tensor.shape), dtype="float32")
    tensor.copy_(torch.from_numpy(values)).mul_(2 * bound).sub_(bound)
