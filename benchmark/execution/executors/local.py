"""Workers as processes of this machine: one a run, as many at once as fit."""

import math
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.execution.run_folder import (
    EXIT_NO_DEVICE,
    EXIT_NO_JOB,
    EXIT_NO_ROOM,
    EXIT_UNUSABLE,
    LEASH_VARIABLE,
    RunFolder,
    worker_command,
)
from benchmark.system.files import open_regular
from benchmark.system.hardware import cores, device_kind, gpus, memory_available_gib, seeing_only
from benchmark.system.nvidia import Gpu, free_gib
from benchmark.system.processes import is_stopped, unbound

#: What part of the free memory runs may take: estimates are rough, and others want some too.
_SHARE = 0.9


@dataclass(frozen=True)
class Slot:
    """A place for one run: a share of a GPU, or processor cores."""

    gpu: Gpu | None
    number: int


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    slot: Slot
    memory_gib: float
    alone: bool


@dataclass
class LocalExecutor:
    """A queue of slots on this machine.

    Attributes:
        device: what the slots compute on, ``cpu`` or ``cuda``.
        slots: places for one run each; those of what turns out unusable are given up.
        memory_gib: what all runs together may take of the machine's memory, on a processor.
        gpu_gib: what they may take of each GPU's; one that is missing here is bounded by its slots alone.
    """

    device: str
    slots: Sequence[Slot]
    memory_gib: float
    gpu_gib: Mapping[Gpu, float] = field(default_factory=dict)
    _running: dict[str, _Running] = field(default_factory=dict)

    @classmethod
    def on_this_machine(
        cls, *, device: str = "auto", jobs: int | None = None, threads: int = 1, runs_per_gpu: int = 1
    ) -> "LocalExecutor":
        """An executor for what the machine has: ``runs_per_gpu`` slots a GPU, or one per ``threads`` cores.

        Raises:
            DeviceError: a GPU is asked for where there is none.
        """
        kind = device_kind(device)
        if kind == "cuda":
            found = [Slot(gpu, n) for n in range(runs_per_gpu) for gpu in gpus()]
            free = free_gib()
        else:
            found, free = [Slot(None, n) for n in range(jobs or max(1, cores() // threads))], {}
        gpu_gib = {slot.gpu: _SHARE * free[slot.gpu.uuid] for slot in found if slot.gpu and slot.gpu.uuid in free}
        return cls(kind, found[:jobs], _SHARE * memory_available_gib(), gpu_gib)

    def fits(self, memory_gib: float, *, alone: bool = False) -> bool:
        """Whether one more run of this size can start now; one without others on its device always may.

        Args:
            memory_gib: what it takes of its device's memory.
            alone: whether it wants a device for itself.
        """
        return self._free_slot(memory_gib, alone) is not None

    def _free_slot(self, memory_gib: float, alone: bool) -> Slot | None:
        busy = [one.slot for one in self._running.values()]
        for slot in self.slots:
            beside = [one for one in self._running.values() if one.slot.gpu == slot.gpu]
            shared = not alone and not any(one.alone for one in beside)
            room = self._room(slot.gpu) - sum(one.memory_gib for one in beside)
            if slot not in busy and (not beside or (shared and memory_gib <= room)):
                return slot
        return None

    def _room(self, gpu: Gpu | None) -> float:
        return self.memory_gib if gpu is None else self.gpu_gib.get(gpu, math.inf)

    def sharing(self, run_id: str) -> set[str]:
        """The other runs that are on the device of a running one."""
        gpu = self._running[run_id].slot.gpu
        return {name for name, one in self._running.items() if one.slot.gpu == gpu} - {run_id}

    def start(self, run_id: str, folder: RunFolder, memory_gib: float, threads: int, *, alone: bool = False) -> None:
        """Start the worker of a job that :meth:`fits`; its output goes to the folder's log."""
        slot = self._free_slot(memory_gib, alone)
        assert slot is not None
        environment = {
            **unbound(os.environ),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            LEASH_VARIABLE: str(os.getpid()),
        }
        if slot.gpu is not None:
            environment |= seeing_only(slot.gpu)
        place = folder.folder.resolve()
        with open_regular(folder.log, mode="ab") as log:
            process = subprocess.Popen(
                worker_command(place),
                cwd=place,  # the runner's own may be deleted while this trains
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # a Ctrl-C at the terminal is the runner's to pass on
            )
        self._running[run_id] = _Running(process, slot, memory_gib, alone)

    def ended(self) -> dict[str, int]:
        """Exit statuses of the runs that ended since the last call; negative is a signal's number."""
        over = {name: end for name, one in self._running.items() if (end := one.process.poll()) is not None}
        for name, status in over.items():
            slot = self._running.pop(name).slot
            if status == EXIT_NO_DEVICE:  # nor can any other run use it
                self.slots = [other for other in self.slots if other.gpu != slot.gpu]
            if status in (EXIT_NO_JOB, EXIT_UNUSABLE, EXIT_NO_ROOM):
                self.close()
        return over

    def close(self) -> None:
        """Start nothing more; what runs goes on."""
        self.slots = []

    def kill(self, run_id: str) -> None:
        """End one worker at once."""
        self._running[run_id].process.kill()

    def stop(self, *, kill: bool = False) -> None:
        """Ask every running worker to save and end, also one that was stopped; ``kill`` ends it at once."""
        for one in self._running.values():
            for number in (signal.SIGKILL,) if kill else (signal.SIGTERM, signal.SIGCONT):
                one.process.send_signal(number)

    def stopped(self) -> list[str]:
        """Runs whose worker hears no signal: a debugger holds it, or somebody has stopped it again."""
        return [name for name, one in self._running.items() if is_stopped(one.process.pid)]
