"""Following a run's files while others write them, on this machine or on another."""

import os
from collections.abc import Iterator
from pathlib import Path

from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import RunFolder
from benchmark.results.record import Epoch
from benchmark.system.files import open_regular

#: Bytes that are read at once; a line that is longer comes in pieces.
_MOST = 2**16


class Tail:
    """Whole lines of a file as they come; one that is being written, or torn, waits for its end.

    The file may be missing, or be made anew; it is opened at each look, since a shared disk shows others' words to
    whoever opens a file.

    Args:
        path: the file.
        offset: what was read of it before, in bytes.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path, self.offset = path, offset
        self._inode: int | None = None

    def lines(self, *, torn: bool = False) -> Iterator[str]:
        """What has come since the last look; with ``torn`` also a last line without its end."""
        while data := self._read():
            whole = len(data) if torn or (len(data) == _MOST and b"\n" not in data) else data.rfind(b"\n") + 1
            if not whole:
                return
            self.offset += whole
            yield from data[:whole].decode(errors="replace").splitlines()

    def _read(self) -> bytes:
        try:
            with open_regular(self.path, 2**62) as file:
                status = os.fstat(file.fileno())
                if status.st_size < self.offset or self._inode not in (None, status.st_ino):
                    self.offset = 0
                self._inode = status.st_ino
                file.seek(self.offset)
                return file.read(_MOST)
        except OSError:
            return b""


class News:
    """What a run says and learns from now on, through all its attempts.

    Args:
        folder: its scratch folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        size = folder.log.stat().st_size if folder.log.is_file() else 0
        self.log, self._epochs = Tail(folder.log, size), EpochFile(folder.epochs)
        self._told = self._epochs.read()

    def look(self, *, last: bool = False) -> tuple[list[str], list[Epoch]]:
        """New lines of the log and new epochs; ``last`` takes a torn line as well.

        Epochs that an attempt has lost and trains again are new only where they differ.
        """
        now = self._epochs.read()
        new = [epoch for place, epoch in enumerate(now) if self._told[place : place + 1] != [epoch]]
        self._told = [*now, *self._told[len(now) :]] if len(now) < len(self._told) else now
        return list(self.log.lines(torn=last)), new
