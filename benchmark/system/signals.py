"""What a polite end asks of this process: Ctrl-C, SIGTERM, a terminal that closes.

The first signal raises ``KeyboardInterrupt`` in the main thread, once and nowhere else than where it does no harm; what
comes behind it is counted and raises nothing, so that whoever cleans up is left in peace.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Those that ask for an end. SIGUSR1 and SIGUSR2 are what batch systems send some time before they kill.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
#: Exit status of a command that was interrupted.
EXIT_INTERRUPTED = 130
#: Signals that come within so many seconds of each other ask once: a batch system sends several, to make sure.
TOGETHER_S = 1.0
_LATER_S = 0.05


class _Asked:
    """What was heard: when somebody asked last, how often, and whether that was raised already."""

    last = -TOGETHER_S
    count = 0
    raised = False
    held = True


def listen() -> None:
    """Note signals from here on, but for those that whoever started this process wants ignored."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup does
            signal.signal(number, _hear)
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _unraisable


def heed() -> None:
    """From here on a signal raises; one that was noted before does so now.

    Raises:
        KeyboardInterrupt: somebody has asked for an end already.
    """
    _Asked.held = False
    if _Asked.count and not _Asked.raised:
        _raise()


@contextmanager
def held() -> Iterator[None]:
    """Only note signals while the block runs: it looks at :func:`asked` itself, and sees to what it finds."""
    before, _Asked.held = _Asked.held, True
    try:
        yield
    finally:
        _Asked.raised = _Asked.raised or _Asked.count > 0
        _Asked.held = before


def asked() -> int:
    """How often somebody has asked for an end; who asks again, after a while, wants it now."""
    return _Asked.count


def ignore() -> None:
    """Ignore signals from here on: the process ends, and its exit status stands."""
    _Asked.held = True
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # which outlives the interpreter


def _hear(number: int, frame: FrameType | None) -> None:
    again = time.monotonic() - _Asked.last >= TOGETHER_S
    if again:
        _Asked.count, _Asked.last = _Asked.count + 1, time.monotonic()
    if _Asked.held:
        return
    if not _Asked.raised:
        _raise(number, frame)
    elif again:  # what cleans up hangs
        os._exit(EXIT_INTERRUPTED)


def _raise(number: int = 0, frame: FrameType | None = None) -> None:
    """Raise, but later where a module is being imported: C code there prints or swallows what it does not expect."""
    if _Asked.held or _Asked.raised:
        return
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.setitimer(signal.ITIMER_REAL, _LATER_S)
            return
        frame = frame.f_back
    _Asked.raised = True
    raise KeyboardInterrupt


def _unraisable(event: Any) -> None:
    """It met a destructor, from where nothing can be raised: once more, a little later."""
    if event.exc_type is KeyboardInterrupt:
        _Asked.raised = False
        signal.setitimer(signal.ITIMER_REAL, _LATER_S)
    else:
        sys.__unraisablehook__(event)
