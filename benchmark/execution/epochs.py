"""The numbers of a run's epochs as they come, in its scratch folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.results.record import Epoch, as_lines, from_lines
from benchmark.system.files import open_regular, read_regular, write_atomic


class EpochFile:
    """A line an epoch: those of a run's history and no others.

    A worker that takes a run up again first writes what its checkpoint remembers, since lines that a killed one has
    added behind it come again. From then on each epoch is appended.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: int | None = None  # lines, as far as this process has written them

    def hold(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Bring the file to a history; a full disk ends no run, and what it has kept out is made up for later."""
        try:
            epochs = [Epoch.of(entry) for entry in history]
            if self._held is not None and self._held == len(epochs) - 1:
                self._held = None
                with open_regular(self.path, mode="ab") as file:
                    file.write(as_lines(epochs[-1:]))
            else:
                self._held = None
                write_atomic(self.path, as_lines(epochs))
            self._held = len(epochs)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "its history holds something else than epochs"
            print(f"{self.path.name} was not written: {why}", flush=True)

    def read(self) -> list[Epoch]:
        """The epochs so far; none where nothing can be read."""
        try:
            return from_lines(read_regular(self.path))
        except OSError:
            return []
