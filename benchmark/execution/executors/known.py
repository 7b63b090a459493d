"""The engine of a worker that somebody has left, by its handle."""

from benchmark.errors import UserError
from benchmark.execution.executors import local
from benchmark.execution.executors.contract import Executor, Handle


def engine_of(handle: Handle) -> Executor:
    """One that can be asked for it, and can end it; nothing is to be started by it.

    Raises:
        UserError: this code knows none of that name.
    """
    if handle.engine == local.ENGINE:
        return local.LocalExecutor.on_this_machine(device="cpu", leashed=False)
    raise UserError(f"{handle.engine} at {handle.place}: this code knows no such engine")
