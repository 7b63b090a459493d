"""What an engine promises that places workers, and what it may not assume.

Engines place processes; files hold all truth. An engine starts the command of an :class:`Order` somewhere, says how
that stands, and ends it when it is told to. It does not retry, classify, lock, print or read results. It may not assume
that the driver and a worker share a machine, a process tree or a life, that a driver is the only one, or that it is the
one that started a worker: what :meth:`Executor.poll` and :meth:`Executor.cancel` need to know of a worker stands in its
:class:`Handle`, which outlives the driver as a file. One order that fails never takes others with it.

No engine inherits from another. A package that an engine needs is imported inside its module's functions, so that
everything else starts without it. One test, ``tests/execution/executors/test_contract.py``, holds every engine to this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where workers run, as far as it matters to whoever places them."""

    kind: Literal["cpu", "cuda"]
    """What runs compute on."""
    device: str | None
    """Its model, as a worker there would name it; None where nobody knows yet. Cost runs are resolved with it."""
    memory_gib: float | None = None
    """What runs may take of one GPU's memory, of the smallest where they differ; None where nobody knows."""
    poll_s: float
    """How often asking again makes sense, in seconds."""
    settle_s: float = 0.0
    """How late after a worker's end its files may show here, in seconds: 0 on a local disk, 60 on a shared one."""
    lost_s: float = 0.0
    """How long a worker's state may be ``unknown``, with nobody at work on its run, before it counts as ended."""
    where: str = ""
    """It in words, for people: ``on the processor, AMD EPYC: nvidia-smi isn't here``."""
    outlives_driver: bool
    """Whether workers go on when the driver ends; an interrupted driver then leaves them to the next one."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one run takes; equal needs may share a job array."""

    memory_gib: float
    """Of its device's memory: the GPU's, or the machine's on a processor."""
    gpus: float
    """Part of a GPU that it is given, at most 1; 0 on a processor."""
    threads: int
    """Processor threads that it computes with."""
    minutes: float | None = None
    """How long it takes by estimate; None where nobody can say. Bounds nothing by itself."""
    alone: bool = False
    """Nothing else may run on its device: a measurement, or a run that outgrew its share."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One worker to start."""

    run_id: str
    """Of its run; a name for people, in a queue's list."""
    folder: Path
    """The run's scratch folder, absolute and there already: the worker's current folder."""
    command: tuple[str, ...]
    """What to start, to the letter; its exit statuses are those of ``execution/run_folder``."""
    environment: Mapping[str, str]
    """Variables to set, beside those that the site itself sets to give the worker its device; those that
    ``processes.unbound`` takes away are to be unset."""
    log: Path
    """Where its output is appended to, standard error included."""
    need: Need
    """What it takes."""


@dataclass(frozen=True, kw_only=True)
class Handle:
    """A worker that was started or queued; plain strings, so that any later driver can ask for it."""

    engine: str
    """Which kind of engine has it: ``local``, ``slurm``, ``ray``."""
    place: str
    """Which one of that kind: the machine and its start, the cluster, the address."""
    job: str
    """What it is called there; never used twice, also after an end or a restart of the machine."""


Phase = Literal["queued", "running", "suspended", "ended", "unknown"]


@dataclass(frozen=True, kw_only=True)
class State:
    """How a worker stands, by what its engine says; the files of its run know better."""

    phase: Phase
    """``suspended`` is started but held by somebody, so that it hears no signal; ``unknown`` is whatever the engine
    can't tell now, or has never heard of."""
    exit_status: int | None = None
    """Of the worker, where it ended and the engine knows; negative is a signal's number."""
    note: str = ""
    """What the engine says to it in its own words: ``NODE_FAIL``, ``its node has died``."""
    beside: int = 0
    """The most other runs that its device has had at once, as far as the engine knows; a run that ends for want of
    memory beside others is tried alone."""


class Executor(Protocol):
    """One engine at one place, for one driver."""

    def describe(self) -> Site:
        """The site, known before suites are resolved and the same ever after.

        Raises:
            UserError: there is no such site, it can't be reached, or it lacks what was asked for; within seconds.
        """

    def objections(self, needs: Sequence[Need]) -> list[str]:
        """What can never run here, one sentence each with its remedy; asked before anything is written."""

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        """Positions of those that could start now, all of them together; earlier ones are served first.

        What can't start now holds up none behind it. A queueing engine may take more than runs at once.
        """

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        """Start or queue workers, those of a round in one call: a handle each, or why this one could not be started.

        Who was refused is tried again later. Nothing is raised for an order's sake.
        """

    def adopt(self, handle: Handle, need: Need) -> None:
        """Count a worker that an earlier driver started among one's own, as long as it lasts."""

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        """The state of each, all in one question, whoever started them; an end is told as often as it is asked for."""

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        """Have workers save and end, or end at once where that is possible; what is queued never starts.

        It does not wait. Handles of what has ended, or that nobody knows, pass without a word.
        """

    def avoid(self, handle: Handle) -> bool:
        """Place nothing more where this worker found that its device can't be used; whether any place is left."""
