"""When a worker is to end before its run is done: a signal, a runner that is gone, a time that is up."""

import contextlib
import os
import signal
import threading
import time
from types import FrameType

from benchmark.errors import InterruptedRun, TimedOutError
from benchmark.execution.run_folder import EXIT_INTERRUPTED, LEASH_VARIABLE, RunFolder
from benchmark.system.signals import ENDING

#: How often a worker looks whether its runner is there, and how long it may then take to save. What is long between two
#: steps, an evaluation say, is not waited for: killed at any moment, a run goes on from its last checkpoint.
LOOK_SECONDS, LEFT_SECONDS = 1.0, 30.0


class Watch:
    """Whether an attempt is to end; a context manager, around the attempt.

    It only notes signals, and that its runner is gone; that is acted on between two steps, where the state is whole. A
    runner on this machine that wants no worker to outlive it names itself in
    :data:`~benchmark.execution.run_folder.LEASH_VARIABLE`.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.began = folder, time.monotonic()
        self.signalled: int | None = None
        self._over = threading.Event()
        leash = os.environ.pop(LEASH_VARIABLE, "")  # it is not for the processes that this one starts
        self.runner = int(leash) if leash.isdigit() else None

    def __enter__(self) -> "Watch":
        """Note signals from here on, and end with the runner whatever this process is at."""
        for number in ENDING:
            signal.signal(number, self._note)
        if self.runner is not None:
            threading.Thread(target=self._end_with_runner, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    @property
    def left(self) -> bool:
        """Whether the runner is gone: a child whose parent ends gets another one."""
        return self.runner is not None and os.getppid() != self.runner

    @property
    def is_asked(self) -> bool:
        """Whether the attempt is to end."""
        return self.signalled is not None or self.left

    def check(self, timeout_min: float | None = None, train_seconds: float = 0) -> None:
        """Raise what ends the attempt.

        Both the training steps of all attempts together and the whole of this attempt are bounded.

        Raises:
            InterruptedRun: a signal asked for it, or the runner is gone.
            TimedOutError: it took too long.
        """
        if self.is_asked:
            raise InterruptedRun(f"signal {self.signalled}" if self.signalled else "the runner is gone")
        if timeout_min is None:
            return
        if train_seconds > 60 * timeout_min:
            raise TimedOutError(f"trained for more than {timeout_min:g} minutes (--timeout-min)")
        if time.monotonic() - self.began > 60 * timeout_min:
            raise TimedOutError(f"this attempt took more than {timeout_min:g} minutes (--timeout-min)")

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signalled = number

    def _end_with_runner(self) -> None:
        while not self.left:
            if self._over.wait(LOOK_SECONDS):
                return
        if self._over.wait(LEFT_SECONDS):
            return
        with contextlib.suppress(OSError):
            self.folder.note_attempt("interrupted")
        os._exit(EXIT_INTERRUPTED)
