"""How many bytes a training step moves, counted, and how fast the device's memory moves them, measured."""

import time
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmark.data.packed import ImageSet
from benchmark.runs.spec import CostSpec, CostVariant
from benchmark.training.cost import take_step, training_of

#: What is copied to measure the memory's speed: far more than any cache holds.
_COPIED = {"cpu": 2**28, "cuda": 2**30}
_COPIES = 5


class Traffic(TorchDispatchMode):
    """Adds up the bytes of the tensors that each operation reads and writes.

    That is what eager steps move where no operation finds anything in a cache, and a tensor is read once by each. Views
    move nothing.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = op(*args, **(kwargs or {}))
        read, made = _tensors((args, kwargs)), _tensors(found)
        known = {one.untyped_storage()._cdata for one in read}
        new = [one for one in made if one.untyped_storage()._cdata not in known]
        written = [
            one
            for place, given in zip(op._schema.arguments, args, strict=False)
            if place.alias_info is not None and place.alias_info.is_write
            for one in _tensors(given)
        ]
        if (new or written) and "empty" not in op._schema.name:
            self.bytes += sum(map(_size, [*read, *new, *written]))
        return found


def _tensors(tree: Any) -> list[Tensor]:
    found = {id(leaf): leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)}
    return list(found.values())


def _size(tensor: Tensor) -> int:
    """Bytes in memory; those of an expanded tensor lie there once."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def step_bytes(spec: CostSpec, data: ImageSet, device: torch.device) -> dict[str, int]:
    """Bytes that an eager step of each variant moves."""
    return {variant.name: _bytes_of(spec, variant, data, device) for variant in spec.variants}


def _bytes_of(spec: CostSpec, variant: CostVariant, data: ImageSet, device: torch.device) -> int:
    training = training_of(spec, variant, data, device)
    take_step(training, spec.batch_size)  # makes the momentum
    traffic = Traffic()
    with traffic:
        take_step(training, spec.batch_size)
    return traffic.bytes


def bandwidth(device: torch.device) -> float:
    """Bytes a second that the device's memory reads and writes together, in the fastest of some copies."""
    source = torch.ones(_COPIED[device.type], dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return 2 * source.nbytes / min(_seconds(source, target) for _ in range(_COPIES))


def _seconds(source: Tensor, target: Tensor) -> float:
    if source.device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    target.copy_(source)
    if source.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
