"""A recorder for processors that is as strict as CUDA's graphs.

What is recorded are PyTorch's own calls below autograd and autocast. A replay runs no Python of the step: its numbers
are those of the recording, every tensor stays where it was, and a step that reads a number on the host, draws at random
or brings a number from the host can't be recorded. Recording itself computes nothing: what it wrote is put back.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

#: A read on the host, a shape that depends on values, a random draw: what a CUDA graph can't hold or must not.
_REFUSED = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape, torch.Tag.nondeterministic_seeded)

Storages = dict[int, torch.UntypedStorage]


def record(body: Callable[[], None]) -> Callable[[], None]:
    """Record what ``body`` does without doing it; gives what does it."""
    tape = Tape()
    try:
        with tape:
            body()
    finally:
        tape.put_back()
    return tape.replay


def storages(tree: Any) -> Storages:
    """The memory of all tensors of a tree, by a number that is its own."""
    tensors = [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
    return {one.untyped_storage()._cdata: one.untyped_storage() for one in tensors}


class Tape(TorchDispatchMode):
    """Notes every call that computes, with the tensors that it read and wrote."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # with its arguments, and where its results belong that aren't in an argument's memory
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor | None]]] = []
        self.made: Storages = {}
        self.found: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}  # with a copy of what it held

    def __torch_dispatch__(self, op: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _refused(op, args):
            raise RuntimeError(f"{op._schema.name} can't be recorded")
        read = storages((args, kwargs))
        for name, memory in read.items():
            if name not in self.made and name not in self.found:
                self.found[name] = memory, memory.clone()  # type: ignore[no-untyped-call]
        out = op(*args, **kwargs)
        new = {name: memory for name, memory in storages(out).items() if name not in read}
        self.made.update(new)
        if op._schema.is_mutable or new:  # views compute nothing
            leaves = [leaf if isinstance(leaf, Tensor) else None for leaf in tree_leaves(out)]
            fresh = [None if leaf is None or storages(leaf).keys() <= read.keys() else leaf for leaf in leaves]
            self.calls.append((op, args, kwargs, fresh))
        return out

    def put_back(self) -> None:
        """Undo what was written while recording."""
        for memory, before in self.found.values():
            memory.copy_(before)
        self.found.clear()

    @torch.no_grad()
    def replay(self) -> None:
        """Do what was recorded, in the memory that was recorded."""
        for op, args, kwargs, fresh in self.calls:
            for into, new in zip(fresh, tree_leaves(op(*args, **kwargs)), strict=True):
                if into is not None:
                    into.copy_(new)


def _refused(op: Any, args: tuple[Any, ...]) -> bool:
    if op._schema.name == "aten::index":  # its shape depends on masks alone
        return any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in args[1])
    return op._schema.name == "aten::lift_fresh" or any(tag in op.tags for tag in _REFUSED)
