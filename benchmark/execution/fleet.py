"""The workers of one driver: handed to an engine, watched, ended."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.execution.attempts import Attempt
from benchmark.execution.executors.contract import Executor, Order, Site, State
from benchmark.execution.held import Drivers, held

#: How often files are held against what an engine says of a worker that it takes for alive.
LOOK_SECONDS = 60.0

_UNKNOWN = State(phase="unknown")


@dataclass(frozen=True)
class Clock:
    """What time it is, in seconds; a simulation has another one."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Fleet:
    """Workers that were handed to an engine and have not ended.

    Args:
        executor: the engine.
        site: what it says of itself.
        drivers: to tell other drivers' workers from those of one that is gone.
        clock: what time it is.
    """

    def __init__(self, executor: Executor, site: Site, drivers: Drivers, clock: Clock) -> None:
        self.executor, self.site, self.drivers, self.clock = executor, site, drivers, clock
        self.running: dict[str, Attempt] = {}
        self._states: Mapping[str, State] = {}
        self._looked = -math.inf

    def take_over(self, attempt: Attempt) -> bool:
        """Go on with the worker that a driver which is gone has left; whether there is one."""
        left = held(attempt.folder)
        if left is None or self.drivers.alive(left.driver):
            return False
        self.executor.adopt(attempt.take_over(left), left.need)
        attempt.hold(left.handle, self.drivers.me)
        self.running[attempt.name] = attempt
        return True

    def start(self, attempts: Sequence[Attempt], orders: Sequence[Order]) -> dict[str, str]:
        """Hand workers to the engine, in one call; why it refused those that it has not taken."""
        answers = list(zip(attempts, self.executor.submit(orders), strict=True))
        taken = [(attempt, answer) for attempt, answer in answers if not isinstance(answer, str)]
        self.running.update((attempt.name, attempt) for attempt, _ in taken)
        for attempt, handle in taken:
            attempt.handle = handle
        for attempt, handle in taken:  # what can't be written ends the driver, and no worker is overlooked then
            attempt.hold(handle, self.drivers.me)
        return {attempt.name: answer for attempt, answer in answers if isinstance(answer, str)}

    def ended(self) -> list[tuple[Attempt, int | None]]:
        """Those that have ended since the last call, with exit statuses as far as they are known."""
        now = self.clock.now()
        closely = now >= self._looked + LOOK_SECONDS
        self._looked = now if closely else self._looked
        told = self.executor.poll([one.handle for one in self.running.values() if one.handle])
        states = {
            name: told.get(one.handle, _UNKNOWN) if one.handle else _UNKNOWN for name, one in self.running.items()
        }
        over = []
        for name, state in states.items():
            attempt = self.running[name]
            attempt.see(state, now)
            if self._has_ended(attempt, state, closely=closely):
                over.append((attempt, state.exit_status))
                if state.phase != "ended" and attempt.handle:
                    self.executor.cancel([attempt.handle], kill=True)
        for attempt, _ in over:
            del self.running[attempt.name]
        self._states = states
        return over

    def _has_ended(self, attempt: Attempt, state: State, *, closely: bool) -> bool:
        """Whether a worker's end is to be judged now: its engine may err, and its files may show late."""
        if state.phase == "ended":
            patience = 0.0 if attempt.is_explained() else self.site.settle_s
        elif state.phase == "unknown":
            patience = math.inf if attempt.at_work() else self.site.lost_s
        elif closely:
            patience = max(LOOK_SECONDS, self.site.settle_s) if attempt.is_over() else math.inf
        else:
            return False
        if patience == math.inf:
            attempt.doubtful = None
            return False
        if attempt.doubtful is None:
            attempt.doubtful = self.clock.now()
        return self.clock.now() - attempt.doubtful >= patience

    def kill_overdue(self, longest_s: float) -> None:
        """End what has been at work for longer."""
        for attempt in self.running.values():
            if attempt.began is not None and self.clock.now() - attempt.began > longest_s and not attempt.overdue:
                attempt.overdue = True
                self._cancel([attempt], kill=True)

    def end(self, *, kill: bool) -> None:
        """Ask all to save and end, or end them at once."""
        self._cancel([*self.running.values()], kill=kill)

    def kill_suspended(self) -> None:
        """End those that hear no signal."""
        self._cancel([one for name, one in self.running.items() if self._is_suspended(name)], kill=True)

    def _is_suspended(self, name: str) -> bool:
        return name in self._states and self._states[name].phase == "suspended"

    def _cancel(self, attempts: Sequence[Attempt], *, kill: bool) -> None:
        if handles := [attempt.handle for attempt in attempts if attempt.handle]:
            self.executor.cancel(handles, kill=kill)
