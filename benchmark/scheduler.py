"""Planned runs through an executor to results (floor 5).

Files hold all truth: a run is done when its result is in the store. The scheduler only decides what starts
when, and what an ended worker means.
"""

import contextlib
import math
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import signals
from benchmark.costs import gpu_memory_gib, memory_gib, relative_work
from benchmark.errors import DeviceError
from benchmark.executors.local import LocalExecutor
from benchmark.failures import record_failure
from benchmark.jobs import EXIT_BUSY, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NO_DEVICE, Job, RunFolder
from benchmark.plan import PlannedRun, taken_up
from benchmark.progress import Pace, View
from benchmark.spec import CostSpec
from benchmark.store import Status, Store

#: Starts of a worker that may vanish without a word (killed, out of the system's memory) before it counts as crashed.
VANISHING_LIMIT = 3
#: Pause before a run that was interrupted, or is under way elsewhere, is looked at again.
RETRY_SECONDS = 5.0
POLL_SECONDS = 0.2
#: How long workers may take to save when an end is asked for, and one that something else holds: a debugger, say.
SAVE_SECONDS, STOPPED_SECONDS = 120.0, 10.0
#: Minutes beyond its time limit after which a worker that has not ended by itself hangs, and is killed.
GRACE_MIN = 5.0
#: Minutes of work that a lost machine may cost; a GPU's are dear, and may be lent.
CHECKPOINT_MINUTES = {"cpu": 5.0, "cuda": 2.0}
#: What exit statuses say that are no end of a run.
_SAID = {EXIT_INTERRUPTED: "interrupted", EXIT_BUSY: "elsewhere", EXIT_NO_DEVICE: "no device"}


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders of one invocation.

    Attributes:
        runs: scratch folders of the runs: jobs, logs, checkpoints.
        cache: packed datasets.
        data: the publishers' files; None where nobody said.
    """

    runs: Path
    cache: Path
    data: Path | None


@dataclass
class Summary:
    """How an invocation ended.

    Attributes:
        completed: how many runs.
        failed: runs with the kind of failure.
        interrupted: whether it was.
        out_of_time: whether by its deadline.
        no_device: why a GPU could not be used; None where all could.
        left: runs that no GPU was left for.
    """

    completed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    out_of_time: bool = False
    no_device: str | None = None
    left: int = 0


class Scheduler:
    """Runs what is missing.

    Args:
        executor: where workers run.
        store: where results appear.
        places: scratch, cache and data folders.
        view: who watches.
        timeout_min: minutes that a run's training steps, and each attempt as a whole, may take; None for no
            bound. The worker keeps to it; one that hangs is killed :data:`GRACE_MIN` later.
        deadline: when every run saves and ends, as after Ctrl-C; of the clock :func:`time.monotonic`.
        graphs: have trainings replay recorded steps.
        asked: how often somebody has asked for an end by a signal, see :mod:`benchmark.signals`.
    """

    def __init__(
        self,
        executor: LocalExecutor,
        store: Store,
        places: Places,
        view: View,
        *,
        timeout_min: float | None = None,
        deadline: float = math.inf,
        graphs: bool = False,
        asked: Callable[[], int] = signals.asked,
    ) -> None:
        self.executor, self.store, self.places, self.view = executor, store, places, view
        self.timeout_min, self.deadline, self.graphs, self.asked = timeout_min, deadline, graphs, asked
        self.summary = Summary()
        self.pace = Pace({})
        self.running: dict[str, PlannedRun] = {}
        self.not_before: dict[str, float] = {}
        self.silent_before: dict[str, int] = {}
        self.started: dict[str, float] = {}
        self.overdue: set[str] = set()
        self.alone: set[str] = set()  # those that get a device for themselves
        self.begun = False  # whether any worker got as far as its run

    def run(self, runs: Sequence[PlannedRun], *, retry_failed: bool = False) -> Summary:
        """Train the runs, none of which has a result; with ``retry_failed`` just the failures of earlier invocations.

        Without it those wait, and are part of the summary. Who asks for an end, or the deadline, makes every worker
        save its state and ends the call with what is done. A GPU that can't be used gets no more runs.

        Raises:
            DeviceError: no GPU can be used, and nothing was begun.
        """
        queue = deque(taken_up(runs, self.store, retry_failed=retry_failed))
        if not retry_failed:
            waiting = taken_up(runs, self.store, retry_failed=True)
            self.summary.failed = {run.run_id: self.store.load_failure(run.run_id).status for run in waiting}
        self.pace = Pace({run.run_id: relative_work(run.spec) for run in queue})
        try:
            self._loop(queue)
        except BaseException:  # a full disk, say: nothing more can be ordered or recorded
            with contextlib.suppress(OSError):
                self._stop(queue)
            raise
        finally:
            self.view.close()
        return self.summary

    def _loop(self, queue: deque[PlannedRun]) -> None:
        while self.running or (queue and self.executor.slots):
            if self.asked() or time.monotonic() >= self.deadline:
                self.summary.out_of_time = not self.asked()
                self._stop(queue)
                return
            self._start_what_fits(queue)
            for name, status in self.executor.ended().items():
                self._ended(self.running.pop(name), status, queue)
            self._kill_overdue()
            for name in self.running:
                if word := self._folder(name).progress():
                    self.pace.moved(name, word.done)
                    self.view.moved(name, word.done, word.text)
            self._tell_total()
            time.sleep(POLL_SECONDS)
        self.summary.left = len(queue)
        if queue and not self.begun:
            raise DeviceError(self.summary.no_device)

    def _start_what_fits(self, queue: deque[PlannedRun]) -> None:
        completed = self.store.completed()  # listed once a round: a paper's suite has hundreds of runs waiting
        for _ in range(len(queue)):
            run = queue.popleft()
            too_early = self.not_before.get(run.run_id, 0) > time.monotonic()
            if run.run_id in completed:  # another runner was faster
                self._count(run, "completed")
            elif too_early or not self._may_start(run):
                queue.append(run)
            else:
                self._start(run)

    def _may_start(self, run: PlannedRun) -> bool:
        """A cost run waits until it is alone, and nothing starts beside it; else whatever fits."""
        measuring = any(isinstance(other.spec, CostSpec) for other in self.running.values())
        if measuring or (self.running and isinstance(run.spec, CostSpec)):
            return False
        return self.executor.fits(self._memory_gib(run), alone=run.run_id in self.alone)

    def _memory_gib(self, run: PlannedRun) -> float:
        if self.executor.device == "cuda":
            return gpu_memory_gib(run.spec, graphs=self.graphs)
        return memory_gib(run.spec)

    def _start(self, run: PlannedRun) -> None:
        folder = self._folder(run.run_id)
        folder.order(
            Job(
                run_id=run.run_id,
                spec=run.spec,
                results_folder=str(self.store.folder.resolve()),
                data_dir=str(self.places.data.resolve()) if self.places.data else None,
                cache_dir=str(self.places.cache.resolve()),
                device=self.executor.device,
                checkpoint_minutes=CHECKPOINT_MINUTES[self.executor.device],
                timeout_min=self.timeout_min,
                graphs=self.graphs,
            )
        )
        self.silent_before[run.run_id] = folder.vanished()
        alone = run.run_id in self.alone
        self.executor.start(run.run_id, folder, self._memory_gib(run), run.spec.numerics.threads, alone=alone)
        for name in {run.run_id} | self.executor.sharing(run.run_id):
            self._folder(name).note_beside(len(self.executor.sharing(name)))
        self.running[run.run_id] = run
        self.started[run.run_id] = time.monotonic()
        self.overdue.discard(run.run_id)
        self.view.started(run.run_id)

    def _kill_overdue(self) -> None:
        if self.timeout_min is None:
            return
        longest = 60 * (self.timeout_min + GRACE_MIN)
        for name in self.running.keys() - self.overdue:
            if time.monotonic() - self.started[name] > longest:
                self.overdue.add(name)
                self.executor.kill(name)

    def _ended(self, run: PlannedRun, status: int, queue: deque[PlannedRun]) -> None:
        outcome = self._outcome(run, status)
        if self._had_too_little(run, status, outcome):
            self.alone.add(run.run_id)
            self.store.forget_failure(run.run_id)
            queue.append(run)
        elif outcome in ("interrupted", "elsewhere", "vanished"):
            self.not_before[run.run_id] = time.monotonic() + RETRY_SECONDS
            queue.append(run)
        elif outcome == "no device":
            self.summary.no_device = " ".join(self._folder(run.run_id).log_tail(1))
            queue.append(run)
        else:
            self._count(run, outcome)
        self.begun = self.begun or outcome != "no device"
        self.view.ended(run.run_id, outcome)

    def _had_too_little(self, run: PlannedRun, status: int, outcome: str) -> bool:
        """Whether a run may have lacked the memory of runs beside it: then it is tried once more, with none there."""
        killed = outcome == "vanished" and status == -signal.SIGKILL  # by the system, say
        beside = self._folder(run.run_id).beside()
        return (outcome == "out_of_memory" or killed) and bool(beside) and run.run_id not in self.alone

    def _outcome(self, run: PlannedRun, status: int) -> str:
        """What an ended worker means; the files say it, its exit status only helps."""
        if run.run_id in self.store.completed():
            return "completed"
        if status in _SAID:
            return _SAID[status]
        if status == EXIT_FAILED:
            if run.run_id in self.store.failed():
                return self.store.load_failure(run.run_id).status
            return f"failed without a record: {' '.join(self._folder(run.run_id).log_tail(1))}"
        if run.run_id in self.overdue:
            self._record(run, "timed_out", f"took more than {self.timeout_min:g} minutes (--timeout-min) and hung")
            return "timed_out"
        folder = self._folder(run.run_id)
        if self.summary.interrupted and status in (-signal.SIGTERM, -signal.SIGKILL):
            folder.note_attempt("interrupted")  # our own signal met it before it could say so
            return "interrupted"
        if folder.vanished() == self.silent_before[run.run_id]:  # it ended before its first word
            folder.note_attempt("start")
        if folder.vanished() < VANISHING_LIMIT:
            return "vanished"
        self._record(run, "crashed", f"its process ended {VANISHING_LIMIT} times without a word (status {status})")
        return "crashed"

    def _count(self, run: PlannedRun, outcome: str) -> None:
        self.pace.ended(run.run_id)
        if outcome == "completed":
            self.summary.completed += 1
        else:
            self.summary.failed[run.run_id] = outcome
        self._tell_total()

    def _stop(self, queue: deque[PlannedRun]) -> None:
        """Let every worker save. Who asks again, or two minutes, ends them without; ten seconds one that is stopped."""
        self.summary.interrupted = True
        asked, began = self.asked(), time.monotonic()
        self.executor.stop()
        try:
            while self.running and self.asked() == asked and time.monotonic() < began + SAVE_SECONDS:
                if time.monotonic() > began + STOPPED_SECONDS:
                    for name in self.executor.stopped():
                        self.executor.kill(name)
                for name, status in self.executor.ended().items():
                    self._ended(self.running.pop(name), status, queue)
                time.sleep(POLL_SECONDS)
        finally:
            self.executor.stop(kill=True)
        self.summary.interrupted = bool(queue or self.running)  # else the last ones ended by themselves meanwhile
        for name in self.running:
            with contextlib.suppress(OSError):  # a full disk may be why we stop
                self._folder(name).note_attempt("interrupted")

    def _tell_total(self) -> None:
        work = self.pace.work
        finished = self.summary.completed + sum(name in work for name in self.summary.failed)
        self.view.total(finished, len(work), self.pace.done(), self.pace.seconds_left())

    def _record(self, run: PlannedRun, status: Status, reason: str) -> None:
        record_failure(self.store, self._folder(run.run_id), run.spec, self.executor.device, status, reason)

    def _folder(self, name: str) -> RunFolder:
        return RunFolder(self.places.runs / name)
