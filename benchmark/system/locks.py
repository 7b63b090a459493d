"""Who is at work on what, on one machine or on several that share a disk.

A lock is a file that names its holder, and that the holder touches now and then. The system's own lock on it goes with
the process, however that ends; where a file system has no such locks, or keeps those of a machine that is dead, a
holder that has been silent for long counts as gone. A lock only saves time: two that hold one, after a clock was set or
a machine slept, do the same work twice, and what they make is put into place whole and never replaced.
"""

import contextlib
import errno
import fcntl
import json
import math
import os
import platform
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.system.folders import make_folder, share
from benchmark.system.pids import is_alive, life, machine
from benchmark.wording import one_line

#: How often a holder touches its lock, and how long one may be silent.
BEAT_SECONDS, SILENT_SECONDS = 30.0, 300.0
#: How often one who waits looks, and after how long it says what it waits for.
_LOOK_SECONDS, _SAY_SECONDS = 0.1, 5.0
#: What says that somebody else has the system's lock; any other error, that this file system has none.
_TAKEN = (errno.EAGAIN, errno.EACCES)
_LARGEST = 4096  # bytes of a lock file that are read
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class HeldError(Exception):
    """Somebody else is at work; the message says who, by which lock, and what to do about it."""


class Lock:
    """A lock to be held around some work; a context manager, which does not wait.

    Args:
        path: its file; gone when nobody holds it.
        about: what the file says of the work.
    """

    def __init__(self, path: Path, **about: str) -> None:
        self.path, self.about = path, about
        self._over = threading.Event()

    def __enter__(self) -> "Lock":
        """Take it.

        Raises:
            HeldError: somebody else has it.
            OSError: its file can't be made.
        """
        make_folder(self.path.parent)
        self._file = _taken(self.path)
        with contextlib.suppress(OSError):  # of another user, a full disk: the lock itself stands
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, json.dumps(_card() | self.about, indent=1).encode(), 0)
        threading.Thread(target=self._beat, args=(self._over,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            if _is_at(self._file, self.path):  # nobody has taken it over meanwhile
                self.path.unlink()
        os.close(self._file)

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self._file)


@contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold a lock around the block, once nobody else does; says on standard error what it waits for."""
    said_at = time.monotonic() + _SAY_SECONDS
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(Lock(path))
                break
            except HeldError as error:
                if time.monotonic() > said_at:
                    said_at = math.inf
                    print(one_line(f"waiting: {error}"), file=sys.stderr, flush=True)
                time.sleep(_LOOK_SECONDS)
        yield


def holder(path: Path) -> str | None:
    """Who is at work by a lock, in words; None where nobody is. It is only looked at, never taken."""
    fresh, card = _look(path)
    return _says(card, path) if fresh and not _has_ended(card) else None


def _taken(path: Path) -> int:
    """The open file of a lock that is this process's now.

    Raises:
        HeldError: it is somebody else's.
    """
    for _ in range(100):  # whoever releases it, or takes it over, removes its file: then once more
        file, made = _open(path)
        try:
            if _is_mine(file, path, made):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
    raise _restless(path)


def _open(path: Path) -> tuple[int, bool]:
    """The open file of a lock, and whether it was made for that.

    Raises:
        OSError: it can't be opened or made, or something else stands in its place.
    """
    for _ in range(100):  # it may go or come in between
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.lstat().st_mode):  # a link to nowhere, say, which is neither there nor not there
                raise OSError(errno.EINVAL, "is no file, as a lock is; move it away", str(path))
            try:
                return os.open(path, _FLAGS | os.O_RDWR), False
            except PermissionError:  # another user's
                return os.open(path, _FLAGS | os.O_RDONLY), False
        with contextlib.suppress(FileExistsError):  # somebody was faster
            file = os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            share(file, path.parent)
            return file, True
    raise _restless(path)


def _restless(path: Path) -> HeldError:
    return HeldError(f"{path} is taken and released all the time; try again later")


def _is_mine(file: int, path: Path, made: bool) -> bool:
    """Whether an open lock is this process's now; False where it is to be opened once more."""
    granted = _granted(file)
    if not _is_at(file, path):
        return False
    fresh, card = _look_into(file)
    if granted is None:  # the file alone tells
        held = not made and fresh and not _has_ended(card)
    elif granted:  # on this machine; some shared disks know nothing of others
        held = not made and fresh and card.get("machine", machine()) != machine()
    else:
        held = fresh
    if held:
        raise HeldError(_says(card, path))
    if granted or made:
        return True
    try:
        if _is_at(file, path):  # and not yet somebody's who took it over as well
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        why = f"nobody has touched it for {SILENT_SECONDS / 60:.0f} minutes, and it can't be removed: {error.strerror}"
        raise HeldError(f"{_says(card, path)} ({why})") from None
    return False


def _granted(file: int) -> bool | None:
    """Whether the system gives this process its own lock on a file; None where the file system has none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _TAKEN else None
    return True


def _is_at(file: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.lstat())
    return False


def _look(path: Path) -> tuple[bool, dict[str, Any]]:
    """Whether a lock was touched lately, and what its file says."""
    try:
        file = os.open(path, os.O_RDONLY | _FLAGS)
    except PermissionError:  # of another user
        with contextlib.suppress(OSError):
            return _is_fresh(path.lstat()), {}
    except OSError:  # there is none
        pass
    else:
        try:
            return _look_into(file)
        finally:
            os.close(file)
    return False, {}


def _look_into(file: int) -> tuple[bool, dict[str, Any]]:
    """The same of an open one, which may have gone from its place."""
    card = None
    with contextlib.suppress(OSError, ValueError):  # just made, or no lock of ours
        card = json.loads(os.pread(file, _LARGEST, 0))
    status = os.fstat(file)
    return stat.S_ISREG(status.st_mode) and _is_fresh(status), card if isinstance(card, dict) else {}


def _is_fresh(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime <= SILENT_SECONDS


def _says(card: dict[str, Any], path: Path) -> str:
    who = f"process {card.get('pid')} on {card.get('host')}, since {card.get('start')}," if card else "somebody"
    return f"{who} is at work on it; the lock is {path}, to be deleted if that is not so"


def _card() -> dict[str, Any]:
    pid = os.getpid()
    start = datetime.now(UTC).isoformat(timespec="seconds")
    return {"host": platform.node(), "pid": pid, "start": start, "machine": machine(), "life": life(pid)}


def _has_ended(card: dict[str, Any]) -> bool:
    """Whether the process that a card names is known to be gone; of another machine's nothing is known."""
    if card.get("machine") != machine() or not isinstance(card.get("pid"), int):
        return False
    return not is_alive(card["pid"], card.get("life"))
