"""An iterator in a process of its own, asked for one thing after the other."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from benchmark.errors import DeviceError, RunError, is_out_of_memory
from benchmark.system.processes import death, start_process, starting

#: How long an asked helper is waited for at a time before ``check`` is called again.
WAIT_SECONDS = 0.5
#: How long a helper that is done may take to end before it is killed.
_END_SECONDS = 10.0


class Helper:
    """An iterator that measures, in a process of its own, and goes on by one when it is asked; a context manager.

    Args:
        what: what it measures, as the beginning of a sentence about its failure.
        iterate: makes the iterator in that process; a module's function with arguments that can be pickled.
        arguments: its.
    """

    def __init__(self, what: str, iterate: Callable[..., Iterator[Any]], *arguments: Any) -> None:
        self.what = what
        context = multiprocessing.get_context("spawn")
        self._here, self._there = context.Pipe()
        self._process = context.Process(target=serve, args=(os.getpid(), what, self._there, iterate, *arguments))

    def __enter__(self) -> "Helper":
        with starting():
            self._process.start()
        self._there.close()
        return self

    def ask(self, check: Callable[[], None] = lambda: None) -> Any:
        """What the iterator makes next.

        Args:
            check: called while the answer is waited for; ends it all by an exception.

        Raises:
            MemoryError: it needs more than there is.
            DeviceError: its process can't use the GPU.
            RunError: it failed, or its process died.
        """
        try:
            self._here.send(None)
            while not self._here.poll(WAIT_SECONDS):
                check()
            found = self._here.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise RunError(f"{self.what} can't be measured: {death(self._process.exitcode)}") from None
        if isinstance(found, Exception):
            raise found
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()  # wherever it is; its own helpers see it within seconds, and end
        self._here.close()  # it ends with this, where it waits to be asked
        self._process.join(_END_SECONDS)
        self._process.kill()
        self._process.join()


def serve(parent: int, what: str, connection: Connection, iterate: Callable[..., Iterator[Any]], *args: Any) -> None:
    """A helper's own side: answer until nobody asks any more."""
    start_process(parent)
    try:
        answers = iterate(*args)
        while _asked(connection):
            connection.send(next(answers))
    except ConnectionError:  # nobody waits for this answer any more
        pass
    except DeviceError as error:
        connection.send(error)
    except Exception as error:  # whatever it was: the parent says it
        failed = RunError(f"{what} can't be measured: {type(error).__name__}: {error}")
        connection.send(MemoryError(str(error)) if is_out_of_memory(error) else failed)


def _asked(connection: Connection) -> bool:
    try:
        connection.recv()
    except EOFError:
        return False
    return True
