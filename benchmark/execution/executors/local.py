"""Workers as processes of this machine: one a run, as many at once as fit."""

import math
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from benchmark.execution.executors.contract import Handle, Need, Order, Site, State
from benchmark.execution.run_folder import LEASH_VARIABLE
from benchmark.system.files import open_regular
from benchmark.system.hardware import Device, chosen_device, cores, gpus, memory_available_gib, seeing_only
from benchmark.system.nvidia import Gpu, free_gib
from benchmark.system.pids import is_alive, life, machine
from benchmark.system.processes import (
    cores_of,
    cores_of_others,
    is_stopped,
    kept_to,
    unbound,
    usable_cores,
)

POLL_SECONDS = 0.2
#: What part of the free memory runs may take: estimates are rough, and others want some too.
_SHARE = 0.9
#: A whole GPU's parts, with what their sum may be off.
_WHOLE = 1.001
#: What handles call this kind of engine, and the processor.
ENGINE, _CPU = "local", "cpu"


@dataclass
class _Worker:
    """One that is at work, as far as is known.

    Attributes:
        need: what it takes.
        gpu: the one it has; None on a processor.
        cores: those it is kept to; none where it isn't.
        process: where this driver has started it.
        beside: the most others that its device has had at once.
    """

    need: Need
    gpu: Gpu | None
    cores: frozenset[int]
    process: subprocess.Popen[bytes] | None = None
    beside: int = 0


@dataclass
class LocalExecutor:
    """A machine with some GPUs, or with its processor alone.

    Runs share a GPU as their needs say and its memory allows. On a processor each has cores of its own, as many as it
    has threads, and is kept to them; on a GPU it isn't: cores are not what it computes on, its compiler wants many,
    and which of them lie near the GPU nobody has measured.

    Attributes:
        device: what runs compute on.
        memory_gib: what all runs on a device may take of its memory, for each of the devices; None is the processor.
            Those that turn out unusable are given up.
        cores: numbers of those that runs may use.
        jobs: the most runs at once, asked for by a person, whatever the cores say; None for as many as fit.
        leashed: whether workers end with this process.
    """

    device: Device
    memory_gib: dict[Gpu | None, float]
    cores: Sequence[int]
    jobs: int | None = None
    leashed: bool = True
    _workers: dict[Handle, _Worker] = field(default_factory=dict)
    _ended: dict[Handle, State] = field(default_factory=dict)

    @classmethod
    def on_this_machine(cls, *, device: str = "auto", jobs: int | None = None, leashed: bool = True) -> "LocalExecutor":
        """An executor for what the machine has: every GPU, else the cores that a container's quota leaves.

        Raises:
            DeviceError: a GPU is asked for where there is none.
        """
        chosen = chosen_device(device)
        memory: dict[Gpu | None, float]
        if chosen.kind == "cuda":
            free = free_gib()
            memory = {gpu: _SHARE * free.get(gpu.uuid, math.inf) for gpu in gpus()}
        else:
            memory = {None: _SHARE * memory_available_gib()}
        return cls(chosen, memory, (usable_cores() or range(cores()))[: cores()], jobs, leashed)

    def describe(self) -> Site:
        """See :class:`~benchmark.execution.executors.contract.Executor`, here and below."""
        least = min(self.memory_gib.values(), default=math.inf)
        return Site(
            kind="cuda" if self.device.kind == "cuda" else "cpu",
            device=self.device.name,
            memory_gib=None if least == math.inf else least,
            poll_s=POLL_SECONDS,
            where=str(self.device),
            outlives_driver=not self.leashed,
        )

    def objections(self, needs: Sequence[Need]) -> list[str]:
        """None: the largest run may always try it alone."""
        return []

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        """Where devices have room for; one without others on its device always may."""
        workers, chosen, refused = [*self._workers.values()], [], set()
        for position, need in enumerate(needs):
            if need in refused:
                continue
            if (place := self._place(need, workers, self.cores)) is None:
                refused.add(need)
            else:
                chosen.append(position)
                workers.append(_Worker(need, *place))
        return chosen

    def _place(
        self, need: Need, workers: Sequence[_Worker], cores: Sequence[int]
    ) -> tuple[Gpu | None, frozenset[int]] | None:
        """The device for one more, and the cores to keep it to, the first of these that are free; None without room."""
        if self.jobs is not None and len(workers) >= self.jobs:
            return None
        by_device = {gpu: [one for one in workers if one.gpu == gpu] for gpu in self.memory_gib}
        threads = need.threads + sum(one.need.threads for one in workers)
        fits = self.jobs is not None or threads <= len(cores)
        for gpu, beside in sorted(by_device.items(), key=lambda item: len(item[1])):  # each has one before any has two
            shared = fits and not need.alone and not any(one.need.alone for one in beside)
            room = self.memory_gib[gpu] - sum(one.need.memory_gib for one in beside)
            part = need.gpus + sum(one.need.gpus for one in beside)
            if not beside or (shared and need.memory_gib <= room and part < _WHOLE):
                free = [core for core in cores if not any(core in one.cores for one in workers)]
                kept = gpu is None and not need.alone and len(free) >= need.threads
                return gpu, frozenset(free[: need.threads] if kept else ())
        return None

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        """A process each, on cores that no other program's process is kept to, while there are some."""
        others = cores_of_others()
        quietest = sorted(self.cores, key=lambda core: core in others)
        return [self._start(order, quietest) for order in orders]

    def _start(self, order: Order, cores: Sequence[int]) -> Handle | str:
        place = self._place(order.need, [*self._workers.values()], cores)
        if place is None:
            return "there is no room for it now"
        gpu, own = place
        environment = unbound(os.environ) | dict(order.environment) | (seeing_only(gpu) if gpu else {})
        environment |= {LEASH_VARIABLE: str(os.getpid())} if self.leashed else {}
        try:
            with open_regular(order.log, mode="ab") as log, kept_to(own):
                process = subprocess.Popen(
                    order.command,
                    cwd=order.folder,  # the runner's own may be deleted while this trains
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,  # a Ctrl-C at the terminal is the runner's to pass on
                )
        except OSError as error:
            return f"{error.filename or order.command[0]}: {error.strerror or error}"
        name = gpu.visible if gpu else _CPU
        handle = Handle(engine=ENGINE, place=machine(), job=f"{process.pid} {life(process.pid)} {name}")
        self._add(handle, _Worker(order.need, gpu, own, process))
        return handle

    def _add(self, handle: Handle, worker: _Worker) -> None:
        self._workers[handle] = worker
        here = [one for one in self._workers.values() if one.gpu == worker.gpu]
        for one in here:
            one.beside = max(one.beside, len(here) - 1)

    def adopt(self, handle: Handle, need: Need) -> None:
        """Where it is still alive: it keeps its GPU, or its cores."""
        if (pid := _alive(handle)) is not None:
            visible = handle.job.split()[2]
            gpu = next((gpu for gpu in self.memory_gib if gpu and gpu.visible == visible), None)
            self._add(handle, _Worker(need, gpu, cores_of(pid)))

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        """Of one's own processes with their exit status."""
        for handle, worker in list(self._workers.items()):
            status = worker.process.poll() if worker.process else None
            if status is not None or (worker.process is None and _alive(handle) is None):
                del self._workers[handle]
                self._ended[handle] = State(phase="ended", exit_status=status, beside=worker.beside)
        return {handle: self._ended.get(handle) or self._state(handle) for handle in handles}

    def _state(self, handle: Handle) -> State:
        if not _is_of_this_machine(handle):
            return State(phase="unknown", note="it is another machine's, or of before this one's last start")
        worker = self._workers.get(handle)
        pid = worker.process.pid if worker and worker.process else _alive(handle)
        if pid is None:
            return State(phase="ended")
        return State(phase="suspended" if is_stopped(pid) else "running", beside=worker.beside if worker else 0)

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        """By a signal, also to one that was stopped."""
        for handle in handles:
            worker, pid = self._workers.get(handle), _alive(handle)
            for number in (signal.SIGKILL,) if kill else (signal.SIGTERM, signal.SIGCONT):
                with suppress(ProcessLookupError, PermissionError):
                    if worker and worker.process:
                        worker.process.send_signal(number)
                    elif pid is not None:
                        os.kill(pid, number)

    def avoid(self, handle: Handle) -> bool:
        """Its GPU gets no more runs."""
        visible = handle.job.split()[2]
        self.memory_gib = {
            gpu: gib for gpu, gib in self.memory_gib.items() if (gpu.visible if gpu else _CPU) != visible
        }
        return bool(self.memory_gib)


def _is_of_this_machine(handle: Handle) -> bool:
    return handle.engine == ENGINE and handle.place == machine()


def _alive(handle: Handle) -> int | None:
    """The pid of a worker that has not ended, as far as this machine can tell."""
    if not _is_of_this_machine(handle):
        return None
    pid, since, _ = handle.job.split()
    return int(pid) if is_alive(int(pid), None if since == "None" else since) else None
