"""Planned runs through an executor to results.

Files hold all truth: a run is done when its result is in the store. The scheduler only decides what starts when.
"""

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmark.errors import OtherCodeError, UnusableError
from benchmark.execution.attempts import Attempt
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.progress import View
from benchmark.execution.run_folder import Job, RunFolder
from benchmark.planning.estimates import gpu_memory_gib, memory_gib, relative_work
from benchmark.planning.pace import Open, Pace
from benchmark.planning.plan import PlannedRun
from benchmark.results.code import require_same, this_code
from benchmark.results.store import Store
from benchmark.runs.spec import CostSpec
from benchmark.system import signals

#: Pause before a run that was interrupted, or is under way elsewhere, is looked at again.
RETRY_SECONDS = 5.0
POLL_SECONDS = 0.2
#: How often the time left is reckoned anew.
TELL_SECONDS = 1.0
#: How long workers may take to save when an end is asked for, and one that something else holds: a debugger, say.
SAVE_SECONDS, STOPPED_SECONDS = 120.0, 10.0
#: Minutes beyond its time limit after which a worker that has not ended by itself hangs, and is killed.
GRACE_MIN = 5.0
#: Minutes of work that a lost machine may cost; a GPU's are dear, and may be lent.
CHECKPOINT_MINUTES = {"cpu": 5.0, "cuda": 2.0}


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
        obstacle: why a GPU, or everything, could not be used any more; None where all could.
        left: runs that nothing was left for.
    """

    completed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    out_of_time: bool = False
    obstacle: str | None = None
    left: int = 0


class Scheduler:
    """Runs what is missing.

    Args:
        executor: where workers run.
        store: where results appear.
        places: scratch, cache and data folders.
        view: who watches.
        pace: how long runs take here, by what was measured before.
        timeout_min: minutes that a run's training steps, and each attempt as a whole, may take; None for no
            bound. The worker keeps to it; one that hangs is killed :data:`GRACE_MIN` later.
        deadline: when every run saves and ends, as after Ctrl-C; of the clock :func:`time.monotonic`.
        graphs: have trainings replay recorded steps.
        asked: how often somebody has asked for an end by a signal, see :mod:`benchmark.system.signals`.
    """

    def __init__(
        self,
        executor: LocalExecutor,
        store: Store,
        places: Places,
        view: View,
        pace: Pace,
        *,
        timeout_min: float | None = None,
        deadline: float = math.inf,
        graphs: bool = False,
        asked: Callable[[], int] = signals.asked,
    ) -> None:
        self.executor, self.store, self.places, self.view = executor, store, places, view
        self.timeout_min, self.deadline, self.graphs, self.asked = timeout_min, deadline, graphs, asked
        self.summary = Summary()
        self.pace = pace
        self.running: dict[str, Attempt] = {}
        self.to_do: dict[str, Open] = {}
        self.work: dict[str, float] = {}
        self.most = 0  # runs at once, so far
        self.told = -math.inf
        self.begun = False  # whether any worker got as far as its run

    def run(self, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        """Train the runs, none of which has a result.

        Who asks for an end, or the deadline, makes every worker save its state and ends the call with what is done.
        What can't be used gets no more runs.

        Args:
            runs: those whose images are prepared.
            waiting: failures of earlier invocations that nobody asked for again; part of the summary.

        Raises:
            UnusableError: none can be trained, and nothing was begun.
        """
        queue = deque(map(self._attempt, runs))
        self.summary.failed = {run.run_id: self.store.load_failure(run.run_id).status for run in waiting}
        self.work = {one.name: relative_work(one.run.spec) for one in queue}
        self.to_do = {one.name: _open(one) for one in queue}
        try:
            self._loop(queue)
        except BaseException:  # a full disk, say: nothing more can be ordered or recorded
            with contextlib.suppress(OSError):
                self._stop(queue)
            raise
        finally:
            self.view.close()
        return self.summary

    def _loop(self, queue: deque[Attempt]) -> None:
        while self.running or (queue and self.executor.slots):
            if self.asked() or time.monotonic() >= self.deadline:
                self.summary.out_of_time = not self.asked()
                self._stop(queue)
                return
            self._start_what_fits(queue)
            for name, status in self.executor.ended().items():
                self._ended(self.running.pop(name), status, queue)
            self._kill_overdue()
            for name, attempt in self.running.items():
                if word := attempt.folder.progress():
                    self.to_do[name] = Open(attempt.run.spec, word.done, word.seconds)
                    self.view.moved(name, word.done, word.text)
            if time.monotonic() >= self.told + TELL_SECONDS:
                self._tell_total()
            time.sleep(POLL_SECONDS)
        self.summary.left = len(queue)
        if queue and not self.begun:
            raise UnusableError(self.summary.obstacle)

    def _start_what_fits(self, queue: deque[Attempt]) -> None:
        completed = self.store.completed()  # listed once a round: a paper's suite has hundreds of runs waiting
        for _ in range(len(queue)):
            attempt = queue.popleft()
            if attempt.name in completed:  # another runner was faster
                self._count(attempt, "completed")
            elif attempt.not_before > time.monotonic() or not self._may_start(attempt):
                queue.append(attempt)
            elif who := attempt.at_work():
                attempt.not_before = time.monotonic() + RETRY_SECONDS
                queue.append(attempt)
                if who != attempt.elsewhere:
                    attempt.elsewhere = who
                    self.view.waits(attempt.name, who)
            elif self._code_changed():
                queue.append(attempt)
            else:
                self._start(attempt)

    def _code_changed(self) -> bool:
        """Whether the code on disk is no longer that of this process; then nothing more is started."""
        try:
            require_same(this_code())
        except OtherCodeError as error:
            self.summary.obstacle = str(error)
            self.executor.close()
            return True
        return False

    def _may_start(self, attempt: Attempt) -> bool:
        """A cost run waits until it is alone, and nothing starts beside it; else whatever fits."""
        measuring = any(isinstance(other.run.spec, CostSpec) for other in self.running.values())
        if measuring or (self.running and isinstance(attempt.run.spec, CostSpec)):
            return False
        return self.executor.fits(self._memory_gib(attempt), alone=attempt.alone)

    def _memory_gib(self, attempt: Attempt) -> float:
        if self.executor.device == "cuda":
            return gpu_memory_gib(attempt.run.spec, graphs=self.graphs)
        return memory_gib(attempt.run.spec)

    def _start(self, attempt: Attempt) -> None:
        name, spec = attempt.name, attempt.run.spec
        attempt.folder.order(
            Job(
                run_id=name,
                spec=spec,
                results_folder=str(self.store.folder.resolve()),
                data_dir=str(self.places.data.resolve()) if self.places.data else None,
                cache_dir=str(self.places.cache.resolve()),
                device=self.executor.device,
                checkpoint_minutes=CHECKPOINT_MINUTES[self.executor.device],
                timeout_min=self.timeout_min,
                graphs=self.graphs,
                code=this_code(),
            )
        )
        attempt.begin(time.monotonic())
        memory = self._memory_gib(attempt)
        self.executor.start(name, attempt.folder, memory, spec.numerics.threads, alone=attempt.alone)
        self.running[name] = attempt
        self.most = max(self.most, len(self.running))
        for other in {name} | self.executor.sharing(name):
            self.running[other].folder.note_beside(len(self.executor.sharing(other)))
        self.view.started(name)

    def _kill_overdue(self) -> None:
        if self.timeout_min is None:
            return
        longest = 60 * (self.timeout_min + GRACE_MIN)
        for name, attempt in self.running.items():
            if not attempt.overdue and time.monotonic() - attempt.started > longest:
                attempt.overdue = True
                self.executor.kill(name)

    def _ended(self, attempt: Attempt, status: int, queue: deque[Attempt]) -> None:
        outcome = attempt.outcome(status, stopping=self.summary.interrupted, timeout_min=self.timeout_min)
        if attempt.had_too_little(status, outcome):
            attempt.alone = True
            self.store.forget_failure(attempt.name)
            queue.append(attempt)
        elif outcome in ("interrupted", "elsewhere", "vanished"):
            attempt.not_before = time.monotonic() + RETRY_SECONDS
            queue.append(attempt)
        elif outcome in ("unusable", "unwritable"):
            self.summary.obstacle = " ".join(attempt.folder.log_tail(1))
            queue.append(attempt)
        else:
            self._count(attempt, outcome)
        self.begun = self.begun or outcome != "unusable"
        self.view.ended(attempt.name, outcome)

    def _count(self, attempt: Attempt, outcome: str) -> None:
        self.to_do.pop(attempt.name, None)
        if outcome == "completed":
            self.summary.completed += 1
        else:
            self.summary.failed[attempt.name] = outcome
        self._tell_total()

    def _stop(self, queue: deque[Attempt]) -> None:
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
        for attempt in self.running.values():
            with contextlib.suppress(OSError):  # a full disk may be why we stop
                attempt.folder.note_attempt("interrupted")

    def _tell_total(self) -> None:
        self.told = time.monotonic()
        runs = [replace(run, running=name in self.running) for name, run in self.to_do.items()]
        finished = self.summary.completed + sum(name in self.work for name in self.summary.failed)
        left = sum(self.work[name] * (1 - run.done) for name, run in self.to_do.items())
        seconds = self.pace.with_progress(runs).left(runs, self.most)
        self.view.total(finished, len(self.work), 1 - left / (sum(self.work.values()) or 1.0), seconds)

    def _attempt(self, run: PlannedRun) -> Attempt:
        return Attempt(run, RunFolder(self.places.runs / run.run_id), self.store, self.executor.device)


def _open(attempt: Attempt) -> Open:
    """Where a run that waits goes on from."""
    word = attempt.folder.progress() if attempt.folder.checkpoint.exists() else None
    return Open(attempt.run.spec, word.done, word.seconds) if word else Open(attempt.run.spec)
