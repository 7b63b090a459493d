"""Planned runs through an executor to results.

Files hold all truth: a run is done when its result is in the store. The scheduler only decides what starts when, and
what the end of a worker means.
"""

import contextlib
import math
import time
from collections.abc import Callable, Sequence

from benchmark.errors import OtherCodeError, StoreError, UnusableError
from benchmark.execution.attempts import Attempt
from benchmark.execution.executors.contract import Executor
from benchmark.execution.fleet import Clock, Fleet
from benchmark.execution.held import Drivers
from benchmark.execution.needs import Needs
from benchmark.execution.orders import order
from benchmark.execution.places import Places
from benchmark.execution.progress import View
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.standing import finished
from benchmark.execution.summary import Summary
from benchmark.execution.totals import Totals
from benchmark.planning.plan import PlannedRun, longest_first
from benchmark.results.code import require_same, this_code
from benchmark.results.store import Store
from benchmark.system import signals

#: Pause before a run that was interrupted, refused, or is under way elsewhere is looked at again.
RETRY_SECONDS = 5.0
#: How often it is looked whether somebody asks for an end; engines are polled as often as their site says.
TICK_SECONDS = 0.2
#: How often the results are listed; single paths are looked at in between.
LIST_SECONDS = 10.0
#: How often the code is compared with that on disk; it takes a tenth of a second, and workers do so themselves.
CODE_SECONDS = 2.0
#: How long workers may take to save when an end is asked for, and one that something else holds: a debugger, say.
SAVE_SECONDS, STOPPED_SECONDS = 120.0, 10.0
#: Minutes beyond its time limit after which a worker that has not ended by itself hangs, and is killed.
GRACE_MIN = 5.0
#: Rounds in a row in which an engine may start nothing of what it said it had room for.
REFUSALS = 10


class Scheduler:
    """Runs what is missing.

    Args:
        executor: where workers run.
        store: where results appear.
        places: scratch, cache and data folders.
        view: who watches.
        needs: what runs take there.
        timeout_min: minutes that a run's training steps, and each attempt as a whole, may take; None for no
            bound. The worker keeps to it; one that hangs is killed :data:`GRACE_MIN` later.
        deadline: when every run saves and ends, as after Ctrl-C; of ``clock``.
        asked: how often somebody has asked for an end by a signal, see :mod:`benchmark.system.signals`.
        clock: what time it is.
    """

    def __init__(
        self,
        executor: Executor,
        store: Store,
        places: Places,
        view: View,
        needs: Needs,
        *,
        timeout_min: float | None = None,
        deadline: float = math.inf,
        asked: Callable[[], int] = signals.asked,
        clock: Clock | None = None,
    ) -> None:
        self.executor, self.store, self.places, self.view, self.needs = executor, store, places, view, needs
        self.timeout_min, self.deadline, self.asked = timeout_min, deadline, asked
        self.clock = clock or Clock()
        self.site = needs.site
        self.drivers = Drivers(places.runs)
        self.fleet = Fleet(executor, self.site, self.drivers, self.clock)
        self.running = self.fleet.running
        self.summary = Summary()
        self.queue: dict[str, Attempt] = {}
        self.totals = Totals(view, needs.pace, ())
        self.closed = False  # nothing more is started
        self.begun = False  # whether any worker got as far as its run
        self.refusals = 0
        self.listed = self.compared = -math.inf

    def run(self, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        """Train the runs, none of which has a result; workers of an earlier driver that is gone are taken over.

        Who asks for an end, or the deadline, makes every worker save its state and ends the call with what is done;
        where workers outlive their driver, a signal leaves them at work. What can't be used gets no more runs.

        Args:
            runs: those whose images are prepared.
            waiting: failures of earlier invocations that nobody asked for again; part of the summary.

        Raises:
            UnusableError: none can be trained, and nothing was begun.
        """
        attempts = [self._attempt(run) for run in longest_first(runs)]
        self.queue = {one.name: one for one in attempts}
        self.summary.failed = {run.run_id: self.store.load_failure(run.run_id).status for run in waiting}
        self.totals = Totals(self.view, self.needs.pace, attempts)
        try:
            with self.drivers.named() if attempts else contextlib.nullcontext():
                self._take_over()
                self._loop()
        finally:
            self.view.close()
        return self.summary

    def _loop(self) -> None:
        try:
            soon = -math.inf
            while self.running or (self.queue and not self.closed):
                if self._asks() or self.clock.now() >= self.deadline:
                    self.summary.out_of_time = not self._asks()
                    self._end()
                    return
                if self.clock.now() >= soon:
                    self._list_now_and_then()
                    self._start_what_fits()
                    self._see_to_what_ended()
                    self._kill_overdue()
                    soon = self.clock.now() + self.site.poll_s
                self.totals.tell(self.running)
                self.clock.sleep(min(TICK_SECONDS, self.site.poll_s))
        except BaseException:  # a full disk, say: nothing more can be ordered or recorded
            with contextlib.suppress(OSError):
                self._end()
            raise
        self.summary.left = len(self.queue)
        if self.queue and not self.begun:
            raise UnusableError(self.summary.obstacle)

    def _list_now_and_then(self) -> None:
        """Look for what other drivers have trained."""
        if self.clock.now() >= self.listed + LIST_SECONDS:
            self.listed = self.clock.now()
            with contextlib.suppress(StoreError):  # a disk of others that does not answer for a moment
                for name in self.store.completed() & self.queue.keys():
                    self._count(self.queue.pop(name), "completed")

    def _kill_overdue(self) -> None:
        if self.timeout_min is not None:
            self.fleet.kill_overdue(60 * (self.timeout_min + GRACE_MIN))

    def _asks(self) -> int:
        """How often somebody has asked for an end, here or by `stop`."""
        return self.asked() + self.drivers.told_to_stop()

    def _attempt(self, run: PlannedRun) -> Attempt:
        folder = RunFolder(self.places.runs / run.run_id)
        return Attempt(run, folder, self.store, self.site.kind, self.needs.of(run.spec))

    # ------------------------------------------------------------------ starting

    def _take_over(self) -> None:
        """Go on with workers that a driver which is gone has started."""
        for name in [name for name, attempt in self.queue.items() if self.fleet.take_over(attempt)]:
            del self.queue[name]
            self.view.started(name)

    def _start_what_fits(self) -> None:
        while self.queue and not self.closed:
            now = self.clock.now()
            waiting = [attempt for attempt in self.queue.values() if attempt.not_before <= now]
            chosen = [waiting[place] for place in self.executor.room_for([one.need for one in waiting])]
            ready = [attempt for attempt in chosen if self._is_free(attempt)]
            if not chosen or (ready and self._code_changed()) or (ready and not self._start(ready)):
                return

    def _is_free(self, attempt: Attempt) -> bool:
        """Whether nobody has trained it meanwhile, or is about to."""
        if self.store.has(attempt.name):  # another driver was faster
            self._count(self.queue.pop(attempt.name), "completed")
            return False
        who = attempt.at_work() or attempt.other_driver(self.drivers)
        if who:
            self._wait(attempt, who)
        return who is None

    def _wait(self, attempt: Attempt, why: str) -> None:
        attempt.not_before = self.clock.now() + RETRY_SECONDS
        if why != attempt.elsewhere:
            attempt.elsewhere = why
            self.view.waits(attempt.name, why)

    def _code_changed(self) -> bool:
        """Whether the code on disk is no longer that of this process; then nothing more is started."""
        if time.monotonic() >= self.compared + CODE_SECONDS:
            self.compared = time.monotonic()
            try:
                require_same(this_code())
            except OtherCodeError as error:
                self._close(str(error))
        return self.closed

    def _close(self, why: str) -> None:
        self.closed, self.summary.obstacle = True, why

    def _start(self, ready: Sequence[Attempt]) -> bool:
        """Hand workers to the engine, in one call; whether it has taken them all."""
        orders = [order(one, self.places, timeout_min=self.timeout_min, graphs=self.needs.graphs) for one in ready]
        refused = self.fleet.start(ready, orders)
        for attempt in ready:
            if attempt.name in refused:
                self._wait(attempt, refused[attempt.name])
            else:
                del self.queue[attempt.name]
                self.view.started(attempt.name)
        self.refusals = self.refusals + 1 if len(refused) == len(ready) else 0
        if self.refusals == REFUSALS:
            self._close(next(iter(refused.values())))
        return not refused

    # ------------------------------------------------------------------ ending

    def _see_to_what_ended(self) -> None:
        for attempt, status in self.fleet.ended():
            self._ended(attempt, status)
        for attempt in self.running.values():
            self.totals.look(attempt)

    def _ended(self, attempt: Attempt, status: int | None) -> None:
        outcome = attempt.outcome(status, stopping=self.summary.interrupted, timeout_min=self.timeout_min)
        self.queue[attempt.name] = attempt
        if attempt.had_too_little(status, outcome):
            attempt.wants_to_be_alone()
            self.store.forget_failure(attempt.name)
        elif outcome in ("interrupted", "elsewhere", "vanished"):
            attempt.not_before = self.clock.now() + RETRY_SECONDS
        elif outcome in ("unusable", "unwritable", "no_device"):
            self._unusable(attempt, whole=outcome != "no_device")
            outcome = "unusable" if outcome == "no_device" else outcome
        else:
            self._count(self.queue.pop(attempt.name), outcome)
        attempt.let_go()
        self.begun = self.begun or outcome != "unusable"
        found = finished(attempt.name, self.store).numbers() if outcome == "completed" else ""
        self.view.ended(attempt.name, outcome, found)

    def _unusable(self, attempt: Attempt, *, whole: bool) -> None:
        """What this worker found unusable, its device or everything, gets no more runs."""
        self.summary.obstacle = " ".join(attempt.folder.log_tail(1))
        if whole or attempt.handle is None or not self.executor.avoid(attempt.handle):
            self.closed = True

    def _count(self, attempt: Attempt, outcome: str) -> None:
        self.totals.ended(attempt.name)
        if outcome == "completed":
            self.summary.completed += 1
        else:
            self.summary.failed[attempt.name] = outcome
        self.totals.tell(self.running)

    def _end(self) -> None:
        """Let every worker save. Who asks again, or two minutes, ends them without; ten seconds one that is stopped.

        Where they outlive their driver they are left at work, unless it is they who are to stop.
        """
        self.summary.interrupted = True
        if self.site.outlives_driver and not (self.summary.out_of_time or self.drivers.told_to_stop()):
            self.summary.going_on = len(self.running)
            return
        asks, began, soon = self._asks(), self.clock.now(), -math.inf
        self.fleet.end(kill=False)
        try:
            while self.running and self._asks() == asks and self.clock.now() < began + SAVE_SECONDS:
                if self.clock.now() >= soon:
                    if self.clock.now() > began + STOPPED_SECONDS:
                        self.fleet.kill_suspended()
                    self._see_to_what_ended()
                    soon = self.clock.now() + self.site.poll_s
                self.clock.sleep(min(TICK_SECONDS, self.site.poll_s))
        finally:
            self.fleet.end(kill=True)
        self.summary.interrupted = bool(self.queue or self.running)  # else the last ones ended by themselves meanwhile
        for attempt in self.running.values():
            with contextlib.suppress(OSError):  # a full disk may be why we stop
                attempt.folder.note_attempt("interrupted")
                attempt.let_go()
