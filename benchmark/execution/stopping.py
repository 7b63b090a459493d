"""An end for everybody who is at work on the runs below one folder, whoever started them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.execution import held
from benchmark.execution.executors.contract import Executor, Handle
from benchmark.execution.executors.known import engine_of
from benchmark.execution.held import Drivers, Held
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.scheduler import SAVE_SECONDS

#: How long all of it may take: drivers themselves wait for their workers. And how often it is looked.
PATIENCE_S, LOOK_S = SAVE_SECONDS + 30.0, 0.5


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

    Live drivers see to their own workers; those of one that is gone are asked here.

    Raises:
        UserError: a worker's engine can't be asked.
        OSError: nothing can be written there.
    """
    drivers, end = Drivers(runs), time.monotonic() + patience_s
    found = Stopped(len(drivers.at_work()), len(held.all_held(runs)))
    if found.drivers:
        drivers.stop()
    engines: dict[tuple[str, str], Executor] = {}
    asked: set[Handle] = set()
    while True:
        left = held.all_held(runs)
        orphans = {folder: one for folder, one in left.items() if drivers.alive(one.driver) is None}
        _ask(orphans, runs.parents[1], engines, asked)
        if not (left or drivers.at_work()) or time.monotonic() >= end:
            found.left = [folder.name for folder in left]
            return found
        time.sleep(LOOK_S)


def _ask(
    orphans: Mapping[Path, Held], scratch: Path, engines: dict[tuple[str, str], Executor], asked: set[Handle]
) -> None:
    """Ask workers of drivers that are gone to end, once, and forget those that have."""
    places: dict[tuple[str, str], dict[Handle, Path]] = {}
    for folder, one in orphans.items():
        places.setdefault((one.handle.engine, one.handle.place), {})[one.handle] = folder
    for place, folders in places.items():
        engine = engines.setdefault(place, engines.get(place) or engine_of(next(iter(folders)), scratch))
        states = engine.poll([*folders])
        for handle in [handle for handle in folders if states[handle].phase == "ended"]:
            held.forget(RunFolder(folders[handle]))
        engine.cancel(
            [handle for handle in folders if states[handle].phase != "ended" and handle not in asked], kill=False
        )
        asked.update(folders)
