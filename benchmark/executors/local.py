"""Workers as processes of this machine: one a run, as many at once as fit."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmark.files import open_regular
from benchmark.hardware import cores, device_kind, gpus, memory_available_gib, seeing_only
from benchmark.jobs import EXIT_NO_DEVICE, RunFolder
from benchmark.nvidia import Gpu
from benchmark.paths import ROOT
from benchmark.processes import unbound


@dataclass(frozen=True)
class Slot:
    """A place for one run: a share of a GPU, or processor cores."""

    gpu: Gpu | None
    number: int


@dataclass
class LocalExecutor:
    """A queue of slots on this machine.

    Attributes:
        device: what the slots compute on, ``cpu`` or ``cuda``.
        slots: places for one run each; those of a GPU that turns out unusable are given up.
        memory_gib: what all runs together may take of the machine's memory.
    """

    device: str
    slots: Sequence[Slot]
    memory_gib: float
    _running: dict[str, tuple[subprocess.Popen[bytes], Slot, float]] = field(default_factory=dict)

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
        else:
            found = [Slot(None, n) for n in range(jobs or max(1, cores() // threads))]
        return cls(kind, found[:jobs], 0.9 * memory_available_gib())

    def fits(self, memory_gib: float) -> bool:
        """Whether one more run of this size can start now; a lone run always may."""
        if len(self._running) >= len(self.slots):
            return False
        taken = sum(memory for _, _, memory in self._running.values())
        return not self._running or self.device == "cuda" or taken + memory_gib <= self.memory_gib

    def start(self, run_id: str, folder: RunFolder, memory_gib: float, threads: int) -> None:
        """Start the worker of a job; its output goes to the folder's log."""
        busy = [slot for _, slot, _ in self._running.values()]
        slot = next(slot for slot in self.slots if slot not in busy)
        environment = {
            **unbound(os.environ),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        if slot.gpu is not None:
            environment |= seeing_only(slot.gpu)
        with open_regular(folder.log, mode="ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmark.worker", str(folder.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # a Ctrl-C at the terminal is the runner's to pass on
            )
        self._running[run_id] = (process, slot, memory_gib)

    def ended(self) -> dict[str, int]:
        """Exit statuses of the runs that ended since the last call; negative is a signal's number."""
        over = {name: status for name, (p, _, _) in self._running.items() if (status := p.poll()) is not None}
        for name, status in over.items():
            _, slot, _ = self._running.pop(name)
            if status == EXIT_NO_DEVICE:  # nor can any other run use it
                self.slots = [other for other in self.slots if other.gpu != slot.gpu]
        return over

    def kill(self, run_id: str) -> None:
        """End one worker at once."""
        process, _, _ = self._running[run_id]
        process.kill()

    def stop(self, *, kill: bool = False) -> None:
        """Ask every running worker to save and end; ``kill`` ends it at once."""
        for process, _, _ in self._running.values():
            process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
