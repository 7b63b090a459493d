"""Which process a pid means, and whether it is still there: pids are used again."""

import contextlib
import os
import platform
from functools import cache
from pathlib import Path


@cache
def machine() -> str:
    """A name for where a pid means one process: this start of the system, this container."""
    found = [platform.node()]
    with contextlib.suppress(OSError):
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        found.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(found)


def life(pid: int) -> str | None:
    """When a process began, as the system counts; None where it does not say. Pids are used again."""
    found = facts(pid)
    return found[19] if found[0] else None


def is_alive(pid: int, since: str | None) -> bool:
    """Whether this very process is there and has not ended; as a corpse that nobody buries it has."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return life(pid) == since and letter(pid) not in ("Z", "X")


def letter(pid: int) -> str:
    """What the system says a process is at; nothing where it does not say."""
    return facts(pid)[0]


def facts(pid: int) -> list[str]:
    """Fields of a process that stand behind its name, see proc(5); of one that is gone, of a number each."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["", *["0"] * 19]
