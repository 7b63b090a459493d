"""An end for everybody who is at work on the runs below one folder, whoever started them."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.execution import held
from benchmark.execution.executors.contract import Executor, Handle
from benchmark.execution.executors.known import engine_of
from benchmark.execution.held import Drivers
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.scheduler import SAVE_SECONDS
from benchmark.system.locks import holder

#: How long all of it may take: drivers themselves wait for their workers. How often it is looked, and how often workers
#: are asked: a signal may meet one that does not listen yet, or a cluster that does not answer.
PATIENCE_S, LOOK_S, ASK_S = SAVE_SECONDS + 30.0, 0.5, 10.0


@dataclass
class Stopped:
    """What a stop has come to.

    Attributes:
        drivers: how many were at work.
        workers: how many runs had a worker, or one that was queued.
        left: runs whose worker has not ended yet, or can't be asked from here.
    """

    drivers: int = 0
    workers: int = 0
    left: list[str] = field(default_factory=list)


def stop(runs: Path, patience_s: float = PATIENCE_S) -> Stopped:
    """Have workers save and end, what is queued never start, and drivers end; waits for it.

    Live drivers see to their own workers; those of one that is gone are asked here. A worker of which its engine knows
    nothing counts as ended after the site's ``lost_s`` with nobody at its lock, which is waited for.

    Raises:
        UserError: a worker's engine can't be asked.
        OSError: nothing can be written there.
    """
    drivers, end = Drivers(runs), time.monotonic() + patience_s
    found = Stopped(len(drivers.at_work()), len(held.all_held(runs)))
    if found.drivers:
        drivers.stop()
    orphans = _Orphans(runs.parents[1])
    while True:
        left = held.all_held(runs)
        orphans.look({folder: one.handle for folder, one in left.items() if drivers.alive(one.driver) is None})
        left = held.all_held(runs)
        if not (left or drivers.at_work()) or time.monotonic() >= max(end, orphans.patience):
            found.left = [folder.name for folder in left]
            return found
        time.sleep(LOOK_S)


class _Orphans:
    """Workers of drivers that are gone: asked to end, and forgotten once they have."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.patience = 0.0  # when the last of those counts as ended of whom nobody knows
        self._engines: dict[tuple[str, str], Executor] = {}
        self._asked: dict[Handle, float] = {}
        self._unknown: dict[Handle, float] = {}

    def look(self, workers: Mapping[Path, Handle]) -> None:
        """See how they stand, by their runs' folders."""
        self.patience = 0.0
        places: dict[tuple[str, str], dict[Handle, Path]] = {}
        for folder, handle in workers.items():
            places.setdefault((handle.engine, handle.place), {})[handle] = folder
        for place, folders in places.items():
            engine = self._engines.get(place) or engine_of(next(iter(folders)), self.scratch)
            self._engines[place] = engine
            self._end(engine, {handle: RunFolder(folder) for handle, folder in folders.items()})

    def _end(self, engine: Executor, workers: Mapping[Handle, RunFolder]) -> None:
        lost_s, states, now = engine.describe().lost_s, engine.poll([*workers]), time.monotonic()
        there = []
        for handle, folder in workers.items():
            if states[handle].phase != "unknown" or holder(folder.lock):
                self._unknown.pop(handle, None)
            elif now < (late := self._unknown.setdefault(handle, now) + lost_s):
                self.patience = max(self.patience, late)
            if states[handle].phase == "ended" or now >= self._unknown.get(handle, math.inf) + lost_s:
                held.forget(folder)
            elif now >= self._asked.get(handle, -math.inf) + ASK_S:
                there.append(handle)
                self._asked[handle] = now
        engine.cancel(there, kill=False)
