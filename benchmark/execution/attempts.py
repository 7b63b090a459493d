"""One run of an invocation, through all its starts."""

import contextlib
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.execution import held
from benchmark.execution.executors.contract import Handle, Need, State
from benchmark.execution.failures import record_failure
from benchmark.execution.held import Drivers, Held
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
from benchmark.system.files import open_regular
from benchmark.system.locks import holder

#: Starts of a worker that may vanish without a word (killed, out of the system's memory) before it counts as crashed.
VANISHING_LIMIT = 3
#: Starts in a row that may be ended from outside before a step was saved: else they would go on for ever.
IN_VAIN_LIMIT = 3
#: What exit statuses say that are no end of a run.
_SAID = {
    EXIT_INTERRUPTED: "interrupted",
    EXIT_BUSY: "elsewhere",
    EXIT_NO_JOB: "unusable",
    EXIT_NO_DEVICE: "no_device",
    EXIT_UNUSABLE: "unusable",
    EXIT_NO_ROOM: "unwritable",
}
#: The same of a worker's own last word, where its exit status is not known or can't be right.
_WORDS = {"interrupted": "interrupted", "unusable": "no_device", "unwritable": "unwritable"}
#: Exit statuses that an engine may show of a worker which was ended from outside.
_ENDED_FROM_OUTSIDE = (-signal.SIGTERM, -signal.SIGKILL, 0, None)


@dataclass
class Attempt:
    """A run that is to be trained, or is.

    Attributes:
        run: which one.
        folder: its scratch folder.
        store: where its result appears.
        device: ``cpu`` or ``cuda``, for what is recorded of it.
        need: what it takes of that.
        not_before: when it may start, by the scheduler's clock; like all times here.
        handle: its worker's; None while it has none.
        offset: where in the folder's attempts its worker's own words begin.
        silent_starts: of those without a known end, how many there were before this one.
        recorded: what tells the record of an earlier failure from a new one.
        began: when its worker was first seen at work; None before.
        doubtful: since when its engine and its files tell different stories, or the engine knows nothing.
        overdue: whether it hung and was killed.
        beside: the most runs that its device had beside it, in this attempt.
        elsewhere: who else was last seen at work on it.
        saved: what tells the checkpoint that this attempt began with from a later one.
        in_vain: attempts in a row that were ended and had not saved anything.
        note: what its engine last said of its worker, in its own words.
    """

    run: PlannedRun
    folder: RunFolder
    store: Store
    device: str
    need: Need
    not_before: float = 0.0
    handle: Handle | None = None
    offset: int = 0
    silent_starts: int = 0
    recorded: tuple[int, int] | None = None
    began: float | None = None
    doubtful: float | None = None
    overdue: bool = False
    beside: int = 0
    elsewhere: str | None = None
    saved: tuple[int, int] | None = None
    in_vain: int = 0
    note: str = ""

    @property
    def name(self) -> str:
        """The run's id."""
        return self.run.run_id

    def at_work(self) -> str | None:
        """Who is at work on it, in words; None where nobody is. The first lock may be another machine's."""
        return holder(self.store.lock(self.name)) or holder(self.folder.lock)

    def begin(self) -> None:
        """Note how things stand before the worker's first word."""
        self.began, self.doubtful, self.overdue, self.beside, self.note = None, None, False, 0, ""
        self.silent_starts, self.offset = self.folder.vanished(), self.folder.said_so_far()
        self.recorded, self.saved = self._recorded(), _stamp(self.folder.checkpoint)

    def hold(self, handle: Handle, driver: str) -> None:
        """Note whose worker it has, for whoever drives next."""
        self.handle = handle
        held.keep(
            self.folder,
            Held(
                handle=handle,
                need=self.need,
                driver=driver,
                offset=self.offset,
                silent_starts=self.silent_starts,
                recorded=self.recorded,
            ),
        )

    def take_over(self, left: Held) -> Handle:
        """Go on with the worker of a driver that is gone."""
        self.need, self.handle, self.offset = left.need, left.handle, left.offset
        self.silent_starts, self.recorded, self.beside = left.silent_starts, left.recorded, self.folder.beside()
        self.saved = _stamp(self.folder.checkpoint)
        return left.handle

    def let_go(self) -> None:
        """Its worker has ended, or is not heeded any more."""
        self.handle = None
        held.forget(self.folder)

    def other_driver(self, drivers: Drivers) -> str | None:
        """Which other driver has a worker for it, in words."""
        left = held.held(self.folder)
        return drivers.alive(left.driver) if left else None

    def see(self, state: State, now: float) -> None:
        """Note what its engine says of its worker."""
        self.note = state.note
        if self.began is None and state.phase in ("running", "suspended"):
            self.began = now
        if state.beside > self.beside:
            self.beside = state.beside
            self.folder.note_beside(state.beside)

    def last_word(self) -> str | None:
        """The last one that its present worker has said."""
        return next(reversed(self.folder.words(self.offset)), None)

    def is_explained(self) -> bool:
        """Whether there is a result, or its worker has said itself why there is none."""
        return self.store.has(self.name) or self.last_word() not in (None, "start", "completed")

    def is_over(self) -> bool:
        """Whether its files say that its worker, which has begun, is at work no more, whatever its engine says."""
        return self.store.has(self.name) or (self.last_word() is not None and not self.at_work())

    def outcome(self, status: int | None, *, stopping: bool, timeout_min: float | None) -> str:
        """What its ended worker means; the files say it, the exit status only helps.

        Args:
            status: of the worker's process; negative is a signal's number, None where nobody knows.
            stopping: whether workers are being asked, or made, to end.
            timeout_min: what it was bounded by.
        """
        found = self._outcome(status, stopping, timeout_min)
        return found if stopping or found not in ("interrupted", "vanished") else self._unless_in_vain(found)

    def _outcome(self, status: int | None, stopping: bool, timeout_min: float | None) -> str:
        if self.store.has(self.name):
            return "completed"
        if status in _SAID:
            return _SAID[status]
        if status == EXIT_FAILED or self.last_word() == "failed":
            if self.store.has_failed(self.name) and self._recorded() != self.recorded:
                return self.store.load_failure(self.name).status
            return f"failed without a record: {' '.join(self.folder.log_tail(1))}"
        if self.overdue:
            return self._record("timed_out", f"took more than {timeout_min:g} minutes (--timeout-min) and hung")
        return _WORDS.get(self.last_word() or "") or self._without_a_word(status, stopping)

    def _without_a_word(self, status: int | None, stopping: bool) -> str:
        if self.at_work():  # its engine is wrong, or somebody else's worker has come in between
            return "elsewhere"
        if stopping and status in _ENDED_FROM_OUTSIDE:
            self.folder.note_attempt("interrupted")  # our own signal met it before it could say so
            return "interrupted"
        if self.folder.vanished() == self.silent_starts:  # it ended before its first word
            self.folder.note_attempt("start")
        if self.folder.vanished() < VANISHING_LIMIT:
            return "vanished"
        how = ", ".join(filter(None, ["" if status is None else f"status {status}", self.note]))
        why = f"its process ended {VANISHING_LIMIT} times without a word"
        return self._record("crashed", f"{why} ({how})" if how else why)

    def _unless_in_vain(self, outcome: str) -> str:
        """The same, or a crash where it is ended again and again before it has saved anything."""
        if _stamp(self.folder.checkpoint) != self.saved:
            self.in_vain = 0
        elif self.began is not None or self.last_word() is not None:  # what never began was not ended
            self.in_vain += 1
        if outcome == "vanished" or self.in_vain < IN_VAIN_LIMIT:
            return outcome
        why = f"was ended {self.in_vain} times before it could save a step" + (f" ({self.note})" if self.note else "")
        return self._record("crashed", f"{why}; give it more time where it runs, then --retry-failed")

    def had_too_little(self, status: int | None, outcome: str) -> bool:
        """Whether it may have lacked the memory of runs beside it: then it is tried once more, with none there."""
        killed = outcome == "vanished" and status == -signal.SIGKILL  # by the system, say
        return (outcome == "out_of_memory" or killed) and bool(self.folder.beside()) and not self.need.alone

    def wants_to_be_alone(self) -> None:
        """Give it a device for itself from now on."""
        self.need = replace(self.need, alone=True, gpus=1.0 if self.need.gpus else 0.0)

    def _recorded(self) -> tuple[int, int] | None:
        return _stamp(self.store.failures_folder / f"{self.name}.json")

    def _record(self, status: Status, reason: str) -> str:
        record_failure(self.store, self.folder, self.run.spec, self.device, status, reason)
        return status


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells a file from one that takes its place; None where there is none."""
    with contextlib.suppress(OSError), open_regular(path, sys.maxsize) as file:  # a shared disk may remember a stat
        there = os.fstat(file.fileno())
        return there.st_ino, there.st_mtime_ns
    return None
