"""What a driver leaves to the next one: handles of workers that may outlive it, and word of who drives.

``handle.json`` in a run's folder names its worker until some driver has seen its end. ``drivers/`` beside the runs'
folders has a lock for each driver that is alive; ``stop`` there asks all of them to end.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from benchmark.execution.executors.contract import Handle, Need
from benchmark.execution.run_folder import RunFolder
from benchmark.runs.schema import Frozen
from benchmark.system.files import MOST_TEXT, open_regular, read_regular, write_atomic
from benchmark.system.locks import Lock, holder

#: Of a worker, in its run's folder.
_FILE = "handle.json"


class Held(Frozen):
    """A worker that was started, or queued, and whose end nobody has seen yet.

    Attributes:
        handle: what its engine knows it by.
        need: what it takes.
        driver: who has started it, see :class:`Drivers`.
        offset: where in ``attempts.txt`` its own words begin, in bytes.
        silent_starts: of starts without a known end, how many there were before.
        recorded: what tells the record of an earlier failure from a new one.
    """

    handle: Handle
    need: Need
    driver: str
    offset: int
    silent_starts: int
    recorded: tuple[int, int] | None


def keep(folder: RunFolder, held: Held) -> None:
    """Leave word of a worker.

    Raises:
        OSError: it can't be written.
    """
    write_atomic(folder.folder / _FILE, json.dumps(held.model_dump(), indent=1).encode(), lasting=False)


def held(folder: RunFolder) -> Held | None:
    """The worker of a run whose end nobody has seen; None where there is none, or nothing that can be read."""
    try:
        return Held.model_validate_json(read_regular(folder.folder / _FILE, MOST_TEXT))
    except (OSError, ValidationError):
        return None


def forget(folder: RunFolder) -> None:
    """Its end was seen."""
    with contextlib.suppress(OSError):
        (folder.folder / _FILE).unlink()


def all_held(runs: Path) -> dict[Path, Held]:
    """Every worker below some runs' folders whose end nobody has seen."""
    found = ((path.parent, held(RunFolder(path.parent))) for path in sorted(runs.glob(f"*/{_FILE}")))
    return {folder: one for folder, one in found if one}


class Drivers:
    """Those that are at work on the runs below one folder.

    Args:
        runs: that folder.
    """

    def __init__(self, runs: Path) -> None:
        self._folder = runs / "drivers"
        self._stop = self._folder / "stop"
        self.me = uuid.uuid4().hex[:12]
        self._seen = self._stopped_at()

    @contextmanager
    def named(self) -> Iterator[None]:
        """Be known as one of them while the block runs."""
        with Lock(self._lock(self.me), driver=self.me):
            yield

    def alive(self, driver: str) -> str | None:
        """Who a driver other than this one is, in words; None where it is gone. What is long silent counts as gone."""
        return None if driver == self.me else holder(self._lock(driver))

    def at_work(self) -> list[str]:
        """Names of those that are alive."""
        return [path.stem for path in sorted(self._folder.glob("*.json")) if holder(path)]

    def stop(self) -> None:
        """Ask all of them to have their workers save, and to end.

        Raises:
            OSError: nothing can be written there.
        """
        with open_regular(self._stop, mode="wb") as file:
            file.write(self.me.encode())

    def told_to_stop(self) -> bool:
        """Whether somebody has asked so since this object was made."""
        return self._stopped_at() != self._seen

    def _stopped_at(self) -> tuple[int, bytes] | None:
        with contextlib.suppress(OSError):
            return self._stop.stat().st_mtime_ns, read_regular(self._stop, MOST_TEXT)
        return None

    def _lock(self, driver: str) -> Path:
        return self._folder / f"{driver}.json"
