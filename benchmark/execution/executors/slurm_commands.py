"""What Slurm says when it is asked: its settings, its partitions, how jobs stand."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmark.errors import UserError
from benchmark.execution.executors.contract import Phase
from benchmark.system.processes import unbound

#: How long an answer may take. Slurm's own commands try again for a minute where nobody answers.
ANSWER_SECONDS = 20.0
#: Ids that one command line takes.
_AT_ONCE = 500
#: What Slurm's words for the state of a job mean; any other one is an end.
_PHASES: dict[Phase, str] = {
    "queued": "PENDING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED SPECIAL_EXIT RESV_DEL_HOLD",
    "running": "RUNNING COMPLETING SIGNALING STAGE_OUT RESIZING",
    "suspended": "SUSPENDED STOPPED",
}
PHASE: dict[str, Phase] = {word: phase for phase, words in _PHASES.items() for word in words.split()}


class SlurmError(Exception):
    """A command of Slurm's failed, or did not answer; the message is one line."""


@dataclass(frozen=True)
class Job:
    """How a job stands, in Slurm's words.

    Attributes:
        name: which it was given.
        state: one word.
        exit_status: of its process where that ended by itself; negative is a signal's number.
        node: where it runs, or ran.
        reason: why it waits.
    """

    name: str
    state: str
    exit_status: int | None
    node: str
    reason: str = ""


def ask(*command: str, says: str = "") -> str:
    """What one of Slurm's commands prints that reads ``says``.

    Raises:
        SlurmError: it is not there, it failed, or it does not answer.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=ANSWER_SECONDS, input=says
        )
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{command[0]} does not answer within {ANSWER_SECONDS:g} seconds") from None
    except OSError as error:
        raise SlurmError(f"{command[0]} can't be started: {error.strerror}") from None
    if done.returncode:
        raise SlurmError(f"{command[0]}: {one_line(done.stderr) or f'exit status {done.returncode}'}")
    return done.stdout


def one_line(text: str) -> str:
    """What a command of Slurm's says, without its own name before every line and without hints."""
    lines = [re.sub(r"^(?:s\w+: )?(?:error: |fatal: )?", "", line).strip() for line in text.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line and not line.startswith("Try ")))


def controller() -> dict[str, str]:
    """The settings of the cluster.

    Raises:
        UserError: there is no Slurm, or it can't be reached.
    """
    try:
        text = ask("scontrol", "show", "config")
    except SlurmError as error:
        raise UserError(f"--executor slurm: {error}; it is for a machine on which `sinfo` shows a cluster") from None
    return dict(re.findall(r"^(\w+)\s*= (.*?)\s*$", text, re.MULTILINE))


@dataclass(frozen=True)
class Partition:
    """Where jobs may run.

    Attributes:
        has_gpus: whether any of its nodes has.
        minutes: the longest a job may take; None for no bound.
        nodes: their number.
    """

    has_gpus: bool
    minutes: int | None
    nodes: int


def partition(name: str | None) -> Partition:
    """A partition, or those of a list; without a name the default one.

    Raises:
        UserError: there is none of that name.
    """
    where = ("-p", name) if name else ()
    try:
        found = [line.split("|") for line in ask("sinfo", "-h", *where, "-o", "%P|%l|%D|%G").splitlines()]
    except SlurmError as error:
        raise UserError(f"--executor slurm: {error}") from None
    if not name:
        found = [line for line in found if line[0].endswith("*")]
    if not found:
        raise UserError(
            f"--executor slurm: Slurm has no partition {name!r}; `sinfo` lists them"
            if name
            else "--executor slurm: Slurm has no default partition; set slurm_partition, `sinfo` lists them"
        )
    limits = [minutes(line[1]) for line in found]
    return Partition(
        any(re.search(r"(?:^|,)gpu:", line[3]) for line in found),
        min((limit for limit in limits if limit is not None), default=None),
        sum(int(line[2]) for line in found),
    )


def minutes(text: str) -> int | None:
    """What Slurm takes a time for: ``90``, ``90:00``, ``1:30:00``, ``1-12``, ``1-12:30``, ``1-12:30:00``.

    Seconds make another minute, as with Slurm; None of ``infinite``, and of what is no time.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text.strip())
    if found is None:
        return None
    days, *parts = found.groups()
    numbers = [int(part) for part in parts if part is not None]
    begins = 0 if days or len(numbers) == 3 else 1  # with hours, or with minutes
    hours, rest, seconds = ([0] * begins + numbers + [0, 0])[:3]
    return int(days or 0) * 1440 + hours * 60 + rest + (seconds > 0)


def jobs() -> dict[str, Job]:
    """Every job of this user that Slurm still has in mind, by its id.

    Raises:
        SlurmError: it does not answer.
    """
    fields = "JobArrayID:|,State:|,exit_code:|,NodeList:|,ReasonList:|,Name:|"
    text = ask("squeue", "--me", "--array", "--noheader", "--states=all", "-O", fields)
    found = {}
    for line in text.splitlines():
        job, state, code, node, reason, name = (line.split("|") + [""] * 5)[:6]
        raw = int(code) if code.isdigit() else 0
        why = reason.strip("()") if reason.startswith("(") and reason != "(None)" else ""
        found[job] = Job(name, state, _exit_status(state, raw >> 8, raw & 127), node, why)
    return found


def _exit_status(state: str, status: int, number: int) -> int | None:
    """Of a process that ended by itself; of one that a signal ended srun says 128 more than that."""
    if state not in ("COMPLETED", "FAILED"):
        return None
    return -number if number else 128 - status if status > 128 else status


def accounted(ids: Sequence[str]) -> dict[str, Job]:
    """What the accounts have of jobs that Slurm has forgotten, each in its last life; nothing where there are none."""
    found = {}
    for first in range(0, len(ids), _AT_ONCE):
        try:
            wanted = ",".join(ids[first : first + _AT_ONCE])
            text = ask("sacct", "-X", "-n", "-P", "-o", "JobID,State,ExitCode,NodeList,JobName", "-j", wanted)
        except SlurmError:
            continue
        for line in text.splitlines():
            job, states, code, node, name = line.split("|", 4)
            state = states.partition(" ")[0]  # CANCELLED by 1000
            status, _, number = code.partition(":")
            found[job] = Job(name, state, _exit_status(state, int(status), int(number or 0)), node)
    return found


def tell(command: Sequence[str], ids: Sequence[str]) -> None:
    """Have a command work on jobs, as far as they are there."""
    for first in range(0, len(ids), _AT_ONCE):
        try:
            ask(*command, *ids[first : first + _AT_ONCE])
        except SlurmError:  # some of them have ended meanwhile; or it can't be reached, which the next question shows
            continue


@contextmanager
def outside_jobs() -> Iterator[None]:
    """Submit in here: jobs get this process's variables, but none that bind threads to cores here.

    Nor those of a job where a driver is itself one: they would be taken for wishes.
    """
    prefixes = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_")
    free = unbound(os.environ)
    names = [name for name in os.environ if name not in free or (name.startswith(prefixes) and name != "SLURM_CONF")]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)
