"""Standard output and error, whoever reads them."""

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from benchmark.wording import visible

if TYPE_CHECKING:
    from rich.console import Console


class Shown(io.TextIOBase):
    """A standard stream that shows what text hides, replaces what its encoding lacks, and outlives its reader.

    Text of results, manifests and folders' names may be anybody's: an escape sequence in it would move the
    cursor, rename the window or worse. Once the reader is gone, ``head`` say, or its disk is full, everything goes
    nowhere: what a command does is worth more than what it says of it.

    Attributes:
        lost: why something did not arrive that somebody misses: the full disk's word, not the gone reader's.
    """

    lost: str | None = None

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self.stream = stream
        stream.reconfigure(errors="replace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream below."""
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """Of the stream below: ``replace``."""
        return self.stream.errors

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether a terminal is below."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Of the stream below."""
        return self.stream.fileno()

    def write(self, text: str) -> int:
        """Write lines of text; tabs stay."""
        shown = "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
        self._to_reader(lambda: self.stream.write(shown))
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        self._to_reader(self.stream.flush)

    def _to_reader(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):  # the latter: a terminal that was closed
                self.lost = error.strerror
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


class _Drawn(Shown):
    """The same for what draws on a terminal: nothing is escaped, and its end is outlived likewise."""

    def write(self, text: str) -> int:
        """Write text with its cursor movements."""
        self._to_reader(lambda: self.stream.write(text))
        return len(text)


def guard_streams() -> None:
    """Have this process write through :class:`Shown`; what is no stream of the system's stays as it is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = Shown(sys.stdout)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = Shown(sys.stderr)


def lost_output() -> str | None:
    """Why standard output is not whole, though somebody reads it; None where all is well."""
    if sys.stdout is not None:  # it was closed from the beginning
        sys.stdout.flush()
    return getattr(sys.stdout, "lost", None)


def live_console(*, stderr: bool = False) -> "Console | None":
    """A console for bars that move; None where no terminal shows them, whatever FORCE_COLOR and the like say.

    It writes past :class:`Shown`, cursor movements being its purpose: text for it goes through ``visible``.
    """
    stream = sys.stderr if stderr else sys.stdout
    if stream is None or not stream.isatty():
        return None
    from rich.console import Console  # only here: most commands draw no bar

    console = Console(file=cast("IO[str]", _Drawn(stream.stream)) if isinstance(stream, Shown) else stream)
    return None if console.is_dumb_terminal else console
