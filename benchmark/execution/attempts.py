"""One run of an invocation, through all its starts."""

import contextlib
import signal
from dataclasses import dataclass

from benchmark.execution.failures import record_failure
from benchmark.execution.run_folder import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NO_DEVICE,
    EXIT_NO_JOB,
    EXIT_NO_ROOM,
    EXIT_UNUSABLE,
    RunFolder,
)
from benchmark.planning.plan import PlannedRun
from benchmark.results.store import Status, Store
from benchmark.system.locks import holder

#: Starts of a worker that may vanish without a word (killed, out of the system's memory) before it counts as crashed.
VANISHING_LIMIT = 3
#: What exit statuses say that are no end of a run.
_SAID = {
    EXIT_INTERRUPTED: "interrupted",
    EXIT_BUSY: "elsewhere",
    EXIT_NO_JOB: "unusable",
    EXIT_NO_DEVICE: "unusable",
    EXIT_UNUSABLE: "unusable",
    EXIT_NO_ROOM: "unwritable",
}


@dataclass
class Attempt:
    """A run that is to be trained, or is.

    Attributes:
        run: which one.
        folder: its scratch folder.
        store: where its result appears.
        device: ``cpu`` or ``cuda``, for what is recorded of it.
        not_before: when it may start, by :func:`time.monotonic`; like ``started``, when it did.
        silent_starts: of those without a known end, how many there were before this one.
        overdue: whether it hung and was killed.
        alone: whether it gets a device for itself.
        elsewhere: who else was last seen at work on it.
        recorded: what tells the record of an earlier failure from a new one.
    """

    run: PlannedRun
    folder: RunFolder
    store: Store
    device: str
    not_before: float = 0.0
    started: float = 0.0
    silent_starts: int = 0
    overdue: bool = False
    alone: bool = False
    elsewhere: str | None = None
    recorded: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """The run's id."""
        return self.run.run_id

    def at_work(self) -> str | None:
        """Who else is at work on it, in words; None where nobody is."""
        return holder(self.store.lock(self.name)) or holder(self.folder.lock)

    def begin(self, now: float) -> None:
        """Note what a start changes, before the worker's first word."""
        self.started, self.overdue, self.silent_starts = now, False, self.folder.vanished()
        self.recorded = self._recorded()

    def outcome(self, status: int, *, stopping: bool, timeout_min: float | None) -> str:
        """What its ended worker means; the files say it, the exit status only helps.

        Args:
            status: of the worker's process; negative is a signal's number.
            stopping: whether workers are being asked, or made, to end.
            timeout_min: what it was bounded by.
        """
        if self.name in self.store.completed():
            return "completed"
        if status in _SAID:
            return _SAID[status]
        if status == EXIT_FAILED:
            if self.name in self.store.failed() and self._recorded() != self.recorded:
                return self.store.load_failure(self.name).status
            return f"failed without a record: {' '.join(self.folder.log_tail(1))}"
        if self.overdue:
            return self._record("timed_out", f"took more than {timeout_min:g} minutes (--timeout-min) and hung")
        if stopping and status in (-signal.SIGTERM, -signal.SIGKILL):
            self.folder.note_attempt("interrupted")  # our own signal met it before it could say so
            return "interrupted"
        if self.folder.vanished() == self.silent_starts:  # it ended before its first word
            self.folder.note_attempt("start")
        if self.folder.vanished() < VANISHING_LIMIT:
            return "vanished"
        return self._record("crashed", f"its process ended {VANISHING_LIMIT} times without a word (status {status})")

    def had_too_little(self, status: int, outcome: str) -> bool:
        """Whether it may have lacked the memory of runs beside it: then it is tried once more, with none there."""
        killed = outcome == "vanished" and status == -signal.SIGKILL  # by the system, say
        return (outcome == "out_of_memory" or killed) and bool(self.folder.beside()) and not self.alone

    def _recorded(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            record = (self.store.failures_folder / f"{self.name}.json").stat()
            return record.st_ino, record.st_mtime_ns
        return None

    def _record(self, status: Status, reason: str) -> str:
        record_failure(self.store, self.folder, self.run.spec, self.device, status, reason)
        return status
