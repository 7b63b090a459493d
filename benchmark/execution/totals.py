"""How far all runs of an invocation are, for whoever watches."""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from benchmark.execution.attempts import Attempt
from benchmark.execution.progress import View
from benchmark.planning.estimates import relative_work
from benchmark.planning.pace import Open, Pace
from benchmark.system.files import is_there

#: How often the time left is reckoned anew, in seconds; with thousands of runs that takes a while, and is done less
#: often: no more than one part in so many of all time goes into it.
TELL_SECONDS, _RARELY = 1.0, 50


class Totals:
    """The sum of what runs have shown.

    Args:
        view: who watches.
        pace: how long runs take here, by what was measured before.
        attempts: all that are to be trained.
    """

    def __init__(self, view: View, pace: Pace, attempts: Sequence[Attempt]) -> None:
        self.view, self.pace = view, pace
        self.work = {one.name: relative_work(one.run.spec) for one in attempts}
        self.all_work = sum(self.work.values()) or 1.0
        self.to_do = {one.name: _open(one) for one in attempts}
        self.finished = 0
        self.most = 0  # runs at once, so far
        self._next = self._soonest = -math.inf

    def look(self, attempt: Attempt) -> None:
        """Pass on how far a running one is."""
        if word := attempt.folder.progress():
            self.to_do[attempt.name] = Open(attempt.run.spec, word.done, word.seconds, graphs=word.graphs)
            self.view.moved(attempt.name, word.done, word.text)

    def ended(self, name: str) -> None:
        """One is done, or has failed."""
        self.finished += name in self.work
        self.to_do.pop(name, None)
        self._next = self._soonest if self.to_do else -math.inf

    def tell(self, running: Collection[str]) -> None:
        """Say how far all are, now and then."""
        began = time.monotonic()
        self.most = max(self.most, len(running))
        if began < self._next:
            return
        runs = [replace(run, running=True) if name in running else run for name, run in self.to_do.items()]
        left = sum(self.work[name] * (1 - run.done) for name, run in self.to_do.items())
        seconds = self.pace.with_progress(runs).left(runs, self.most)
        self.view.total(self.finished, len(self.work), 1 - left / self.all_work, seconds)
        now = time.monotonic()
        self._soonest = now + _RARELY * (now - began)
        self._next = max(now + TELL_SECONDS, self._soonest)


def _open(attempt: Attempt) -> Open:
    """Where a run that waits goes on from."""
    word = attempt.folder.progress() if is_there(attempt.folder.checkpoint) else None
    return Open(attempt.run.spec, word.done, word.seconds, graphs=word.graphs) if word else Open(attempt.run.spec)
