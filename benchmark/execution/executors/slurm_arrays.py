"""Job arrays, through submitit."""

import contextlib
import functools
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.execution.executors import placing
from benchmark.execution.executors.contract import Order
from benchmark.execution.executors.slurm_commands import one_line, outside_jobs
from benchmark.system.folders import make_folder


def script(folder: Path, parameters: dict[str, Any]) -> str:
    """What a job that takes so much is for sbatch, but that it does nothing."""
    return str(_submitter(folder, parameters)._make_submission_file_text("true", "0"))


def submit(folder: Path, tag: str, parameters: dict[str, Any], jobs: Sequence[Sequence[Order]]) -> list[str] | str:
    """Submit jobs that take the same, in one call.

    Args:
        folder: for their scripts and what they leave; made for them.
        tag: ends their name, and no other job's.
        parameters: what they take, under submitit's names.
        jobs: the workers of each.

    Returns:
        An id each, or why Slurm took none of them.
    """
    import cloudpickle  # comes with submitit

    label = parameters.get("job_name") or (jobs[0][0].run_id if len(jobs) == len(jobs[0]) == 1 else "sfe")
    named = {"array_parallelism": len(jobs)} | parameters | {"job_name": f"{label}.{tag}"}
    calls = [
        functools.partial(placing.place, [_start(one) for one in orders], str(folder / f"{number}-"))
        for number, orders in enumerate(jobs)
    ]
    cloudpickle.register_pickle_by_value(placing)
    try:
        make_folder(folder)
        with outside_jobs(), contextlib.redirect_stderr(io.StringIO()):
            return [job.job_id for job in _submitter(folder, named).submit_array(calls)]
    except Exception as error:  # whatever Slurm or the disk objects to; asked again later
        shutil.rmtree(folder, ignore_errors=True)
        return f"Slurm took no job: {one_line(str(error)) or type(error).__name__}"
    finally:
        cloudpickle.unregister_pickle_by_value(placing)


def _submitter(folder: Path, parameters: dict[str, Any]) -> Any:
    import submitit

    found = submitit.SlurmExecutor(folder)
    known = found._valid_parameters()
    ours = {key: value for key, value in parameters.items() if key in known}
    more = {key: value for key, value in parameters.items() if key not in known}
    found.update_parameters(**ours | {"additional_parameters": more | ours.get("additional_parameters", {})})
    return found


def _start(order: Order) -> placing.Start:
    return {
        "folder": str(order.folder),
        "command": list(order.command),
        "log": str(order.log),
        "environment": dict(order.environment),
    }
