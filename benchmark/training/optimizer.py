"""SGD as PyTorch has it, without what it imports beside."""

import inspect
from typing import Any

import torch


class SGD(torch.optim.SGD):
    """PyTorch's SGD, the same function on the same state.

    PyTorch wraps its optimisers' methods for its compiler, and the wrappers import the compiler: two seconds of
    every worker's start, though the optimiser is never compiled here. These are the methods without.
    """

    add_param_group = inspect.unwrap(torch.optim.SGD.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.SGD.zero_grad)
    state_dict = inspect.unwrap(torch.optim.SGD.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.SGD.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update of all parameters; the loss that a closure gives, if there is one."""
        return inspect.unwrap(torch.optim.SGD.step)(self, closure)
