"""What a Slurm job is given: settings of one's own over what its runs need."""

import math
import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from benchmark.execution.executors.contract import Need
from benchmark.execution.executors.settings import ClusterSettings
from benchmark.execution.executors.slurm_commands import minutes
from benchmark.runs.schema import refuse

#: What decides how jobs and workers fit together, and stays with the engine.
_OWN = (
    "array",
    "error",
    "map_count",
    "nodes",
    "ntasks_per_node",
    "open_mode",
    "output",
    "stderr_to_stdout",
    "use_srun",
)
#: Ways to ask for GPUs; who takes one has said all about them.
_GPU_KEYS = ("gpus", "gpus_per_node", "gpus_per_task", "gres", "num_gpus")
_MEMORY_KEYS = ("mem", "mem_per_cpu", "mem_per_gpu")
#: Minutes of a job where neither its settings nor the partition bound it: all states are saved, so it may be any.
_DAY = 1440
#: Seconds before a job's end at which submitit has Slurm send its signal, what that may be early, and the least that a
#: worker should have until then: one that gets nowhere would be started again for ever.
_SIGNAL_S, _EARLY_S, _LEAST_S = 90, 60, 60
#: GiB of a node's own memory for a run that computes on a GPU, and beside its estimate for one on a processor.
_HOST_GIB, _MORE_GIB = 8.0, 1.0
#: What a GPU's shares may sum to; a third is none in binary.
_WHOLE = 1.001

Scalar = str | int | float | bool
Value = Scalar | list[Scalar] | dict[str, Scalar]


class SlurmSettings(ClusterSettings):
    """Settings of this engine; keys that begin with ``slurm_`` stand in :attr:`slurm`, without that.

    Attributes:
        runs_per_job: how many runs share a job; None for as many as share a GPU, one on a processor.
        slurm: parameters of submitit, and any option of sbatch.
    """

    runs_per_job: int | None = Field(default=None, ge=1, le=1024)
    slurm: dict[str, Value] = Field(default={})

    @model_validator(mode="after")
    def _check(self) -> "SlurmSettings":
        for key, value in self.slurm.items():
            path = f"slurm.{key}"
            if key in _OWN:
                raise refuse(path, "is set by this engine; leave it out")
            if any("\n" in part for part in _texts(value) if key not in ("setup", "teardown")):
                raise refuse(path, "should be one line")
        more = self.slurm.get("additional_parameters", {})
        if not isinstance(more, dict):
            raise refuse("slurm.additional_parameters", "should be a mapping of sbatch's options to values")
        for key, value in {**self.slurm, **more}.items():
            if key == "signal" and str(value).startswith("B:"):
                raise refuse(f"slurm.{key}", "B: ends the job's script and not its worker; write USR2@90")
        if why := self.too_short(None):
            raise refuse("slurm.time", why)
        return self

    def too_short(self, longest: int | None) -> str | None:
        """Why jobs as long as these settings or their partition let them be get nowhere; None where they do.

        Args:
            longest: minutes that the partition allows; None for no bound.
        """
        more = self.slurm.get("additional_parameters", {})
        given = {**self.slurm, **more} if isinstance(more, dict) else self.slurm
        named = re.fullmatch(r"\w+@([0-9]+)", str(given.get("signal", "")))
        ahead = named[1] if named else given.get("signal_delay_s", _SIGNAL_S)
        bounds = [bound for bound in (minutes(str(given.get("time", ""))) or None, longest) if bound is not None]
        if not bounds or not str(ahead).isdigit():
            return None
        needed = math.ceil((int(str(ahead)) + _EARLY_S + _LEAST_S) / 60)
        why = f"a worker hears of its end {ahead} s ahead, up to a minute more, and would get nowhere before"
        least = f"{why}; take {needed} minutes at least, or a shorter slurm_signal_delay_s"
        return least if min(bounds) < needed else None

    def runs_in_a_job(self, need: Need) -> int:
        """How many runs of a kind share a job."""
        if need.alone:
            return 1
        return self.runs_per_job or (math.floor(_WHOLE / need.gpus) if need.gpus else 1)

    def parameters(self, needs: Sequence[Need], longest: int | None, avoided: Sequence[str]) -> dict[str, Any]:
        """What submitit is told of a job, under its names without ``slurm_``.

        Args:
            needs: those of the job's runs.
            longest: minutes that the partition allows; None for no bound.
            avoided: nodes on which nothing more is to run.
        """
        threads = sum(need.threads for need in needs)
        gpu = any(need.gpus for need in needs)
        gib = sum(_HOST_GIB if need.gpus else need.memory_gib + _MORE_GIB for need in needs)
        time = _DAY if longest is None else min(_DAY, longest)
        found: dict[str, Any] = {"time": time, "cpus_per_task": threads, "stderr_to_stdout": True}
        if any(need.alone for need in needs):
            found["exclusive"] = True
        if gpu and not any(key in self.slurm for key in _GPU_KEYS):
            found["gpus_per_node"] = 1
        if not any(key in self.slurm for key in _MEMORY_KEYS):
            found["mem"] = f"{math.ceil(1024 * gib)}M"
        found |= self.slurm
        # since 22.05 a step is not given the job's cores by itself
        found["srun_args"] = [f"--cpus-per-task={found['cpus_per_task']}", *found.get("srun_args", [])]
        if avoided:
            found["exclude"] = ",".join([*filter(None, [found.get("exclude")]), *avoided])
        return found


def _texts(value: Value) -> list[str]:
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return [part for part in parts if isinstance(part, str)]
