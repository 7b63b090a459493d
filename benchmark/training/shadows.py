"""bf16 weights beside the fp32 ones: what autocast makes weight by weight, made by one call.

Autocast casts each weight of a convolution or linear layer to bf16 in the forward pass and its gradient back to fp32 in
the backward pass, two calls a weight and step. The same rounding of all of them at once takes two calls a step.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn


class Shadows:
    """bf16 copies of the parameters that autocast would cast.

    Args:
        model: where it lies; its parameters stay what the optimiser and checkpoints see.
    """

    def __init__(self, model: nn.Module) -> None:
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        self._places = [(layer, name) for layer in layers for name, _ in layer.named_parameters(recurse=False)]
        self._weights = [layer.get_parameter(name) for layer, name in self._places]
        self._shadows = [nn.Parameter(torch.empty_like(weight, dtype=torch.bfloat16)) for weight in self._weights]

    @contextmanager
    def instead(self) -> Iterator[None]:
        """In the block the layers compute with the shadows of their weights as they are now."""
        with torch.no_grad():
            torch._foreach_copy_([*self._shadows], [*self._weights])
        self._put(self._shadows)
        try:
            yield
        finally:
            self._put(self._weights)

    @torch.no_grad()
    def return_gradients(self) -> None:
        """Give the weights the gradients that the backward pass left with the shadows."""
        left = [(weight, shadow.grad) for weight, shadow in zip(self._weights, self._shadows, strict=True)]
        rough = [gradient for _, gradient in left if gradient is not None]
        used = [weight for weight, gradient in left if gradient is not None]
        exact = [torch.empty_like(weight) for weight in used]
        torch._foreach_copy_(exact, rough)
        for weight, gradient in zip(used, exact, strict=True):
            weight.grad = gradient
        for shadow in self._shadows:
            shadow.grad = None

    def _put(self, parameters: Sequence[nn.Parameter]) -> None:
        for (layer, name), parameter in zip(self._places, parameters, strict=True):
            layer._parameters[name] = parameter
