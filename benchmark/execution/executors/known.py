"""The engine of a worker that somebody has left, by its handle."""

from pathlib import Path

from benchmark.errors import UserError
from benchmark.execution.executors.choice import ENGINES, Choice, make
from benchmark.execution.executors.contract import Executor, Handle


def engine_of(handle: Handle, scratch: Path) -> Executor:
    """One that can be asked for it, and can end it; nothing is to be started by it.

    Raises:
        UserError: it can't be reached from here, or this code knows none of that name.
    """
    if handle.engine not in ENGINES:
        raise UserError(f"{handle.engine} at {handle.place}: this code knows no such engine")
    if handle.engine == "slurm":
        from benchmark.execution.executors.slurm import SlurmExecutor

        return SlurmExecutor.to_end(scratch.absolute() / "slurm")
    address = [f"address={handle.place}"] if handle.engine == "ray" else []
    return make(Choice(engine=handle.engine, device="cpu", leashed=False, changes=address), scratch)
