"""What a process of this project sets for itself."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmark.system import signals
from benchmark.system.files import open_regular
from benchmark.system.folders import make_folder
from benchmark.system.pids import facts, letter

#: What has GNU's, Intel's and LLVM's OpenMP bind threads to cores, counted from the machine's first in every process.
BINDING = (
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_HW_SUBSET",
    "KMP_PLACE_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
)
#: A flag of the kernel's own threads, of its sched.h.
_KERNELS = 0x00200000
#: Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Have glibc keep freed memory for the next allocation; elsewhere nothing happens.

    It gives blocks of more than 32 MiB back to the system otherwise, and gets them anew, zeroed page by page, a few
    milliseconds later: half the time of a training step with SLA, whose activations are so large. The price is a
    higher peak (docs/performance.md).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl and macOS have none
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)  # large blocks come from the heap too,
        mallopt(_M_TRIM_THRESHOLD, -1)  # and the heap never shrinks


def unbound(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which no process binds itself to cores: two that do so sit on the same ones."""
    return {name: value for name, value in environment.items() if name not in BINDING}


def is_stopped(pid: int) -> bool:
    """Whether the system holds a process, by SIGSTOP or for a debugger; False where it does not say."""
    return letter(pid) in ("T", "t")


def _is_kernels(pid: int) -> bool:
    """Whether it is a thread of the kernel's own; those have one core each."""
    return bool(int(facts(pid)[6]) & _KERNELS)


def usable_cores() -> tuple[int, ...]:
    """Numbers of the cores that this process may run on; none where the system does not say."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def cores_of(pid: int) -> frozenset[int]:
    """Those that a process is kept to; none where it may use all that this one may, or is gone."""
    with contextlib.suppress(OSError, AttributeError):
        theirs = os.sched_getaffinity(pid)
        return frozenset(theirs) if theirs < set(usable_cores()) else frozenset()
    return frozenset()


def cores_of_others() -> frozenset[int]:
    """Those that any process here is kept to: another runner's workers, say."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and (cores := cores_of(int(place.name))) and not _is_kernels(int(place.name)):
                found |= cores
    return frozenset(found)


@contextmanager
def kept_to(cores: Collection[int]) -> Iterator[None]:
    """Start processes in here: they may use these cores alone, with all that they start; any, where none is named.

    Nor are they kept to cores that the system has taken away meanwhile.
    """
    before = usable_cores()
    try:
        if cores and before:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, cores)  # this thread's, and its children are born with it
        yield
    finally:
        if cores and before:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, before)


def in_background(log: Path) -> int:
    """Split this process; before it has any thread.

    The one that was started gets the other one's pid. The other gets 0, a session of its own, so that no terminal's end
    reaches it, and a file for what it says.

    Raises:
        OSError: the file can't be written.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    make_folder(log.parent)
    with open_regular(log, mode="ab") as file:
        if pid := os.fork():
            return pid
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (file.fileno(), 1), (file.fileno(), 2)):
            os.dup2(source, target)
        os.close(nothing)
    return 0


@contextmanager
def starting() -> Iterator[None]:
    """Start helpers in here: from their first moment on they never hear Ctrl-C, which is their parent's business.

    Nor does a signal leave one half started.

    Raises:
        KeyboardInterrupt: somebody asked for an end meanwhile.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a process begins with its parent's mask
    asked = signals.asked()
    try:
        with signals.held():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if signals.asked() > asked:
        raise KeyboardInterrupt


def start_process(parent: int) -> None:
    """Set a helper up: what asks for an end is its parent's business, and it ends with its parent.

    A batch system sends its signals to every process of a job. SIGTERM still ends a helper: pools end theirs by it.
    """
    for number in set(signals.ENDING) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def death(status: int | None) -> str:
    """How a helper ended that was to go on, as part of a sentence."""
    why = ", as the system does to those that take too much memory" if status == -signal.SIGKILL else ""
    return f"its process died (exit status {status}){why}"


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
