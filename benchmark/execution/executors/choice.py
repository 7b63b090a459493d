"""Which engine a command uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from benchmark.errors import UserError
from benchmark.execution.executors.contract import Executor

EngineName = Literal["local", "slurm", "ray"]
ENGINES: tuple[str, ...] = get_args(EngineName)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What somebody says of the engine.

    Attributes:
        engine: its name.
        device: ``auto``, ``cpu`` or ``cuda``.
        jobs: the most runs at once; None for what its settings say, or as many as fit.
        leashed: whether workers of this machine end with this process; those of a cluster never do.
        config: a file of settings; None for none.
        changes: settings as ``KEY=VALUE``, over those of the file.
    """

    engine: str = "local"
    device: str = "auto"
    jobs: int | None = None
    leashed: bool = True
    config: Path | None = None
    changes: Sequence[str] = ()


def make(choice: Choice, scratch: Path) -> Executor:
    """The engine.

    Args:
        choice: which one.
        scratch: the scratch folder; an engine may keep files of its own there.

    Raises:
        UserError: it can't be reached, or its settings can't be used; within seconds.
    """
    if choice.engine == "local":
        from benchmark.execution.executors.local import LocalExecutor

        if choice.config or choice.changes:
            raise UserError("--executor local has no settings; leave --executor-config and --executor-set out")
        return LocalExecutor.on_this_machine(device=choice.device, jobs=choice.jobs, leashed=choice.leashed)
    from benchmark.execution.executors.settings import read_settings

    changes = [*choice.changes, *([f"runs_at_once={choice.jobs}"] if choice.jobs else [])]
    if choice.engine == "ray":
        from benchmark.execution.executors.ray import RayExecutor, RaySettings

        return RayExecutor.reached(read_settings(RaySettings, choice.config, changes), choice.device)
    from benchmark.execution.executors.slurm import SlurmExecutor
    from benchmark.execution.executors.slurm_settings import SlurmSettings

    settings = read_settings(SlurmSettings, choice.config, changes, free="slurm_")
    return SlurmExecutor.reached(settings, scratch.absolute() / "slurm", choice.device)
