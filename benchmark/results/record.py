"""Parts of a result: its epochs, also as lines of their own, and its activation maps."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator

from benchmark.runs.metrics import NO_PREDICTIONS
from benchmark.runs.schema import MANY, Frozen, refuse


class Epoch(Frozen):
    """The numbers of one epoch.

    Attributes:
        epoch: counted from 1.
        learning_rate: of its steps.
        train_loss: mean over the images it trained on.
        accuracy: on the test images, percent, by prediction; in the order in which they were written.
    """

    epoch: int = Field(ge=1, le=MANY)
    learning_rate: float = Field(ge=0)
    train_loss: float
    accuracy: dict[str, float]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Epoch":
        """An entry of a result's history.

        Raises:
            ValidationError: it is none.
        """
        accuracy = {name: value for name, value in entry.items() if name not in NO_PREDICTIONS}
        known = {name: entry[name] for name in NO_PREDICTIONS if name in entry}
        return cls.model_validate({**known, "accuracy": accuracy})

    def entry(self) -> dict[str, Any]:
        """What a history holds of it."""
        return {**{name: getattr(self, name) for name in NO_PREDICTIONS}, **self.accuracy}


class ActivationMap(Frozen):
    """Which places of one test image spoke for its class, without the image itself.

    ``image`` counts from 0 in the run's test split; ``map`` has the rows of the last stage's feature; its
    mean and the class's bias make the logit of ``label``. ``predicted`` is the single prediction.
    """

    image: int = Field(ge=0, le=100 * MANY)
    label: int = Field(ge=0, le=MANY)
    predicted: int = Field(ge=0, le=MANY)
    map: list[list[float]]

    @field_validator("map")
    @classmethod
    def _rectangle(cls, rows: list[list[float]]) -> list[list[float]]:
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            raise refuse("", "needs rows of one length")
        return rows


def printed(predictions: Iterable[str]) -> list[str]:
    """Those that a table prints as the paper is read by default; the others are other readings of the same."""
    return [name for name in predictions if name in ("single", "aggregated", "distilled")]


def as_lines(epochs: Iterable[Epoch]) -> bytes:
    """A line of JSON an epoch, as an entry of a history; numbers come back to the last bit."""
    return "".join(f"{json.dumps(epoch.entry())}\n" for epoch in epochs).encode()


def from_lines(data: bytes) -> list[Epoch]:
    """The epochs of such lines; one that is torn, or still being written, is none."""
    entries = []
    for line in data.splitlines(keepends=True):
        with contextlib.suppress(ValueError, RecursionError):
            entries.append(json.loads(line if line.endswith(b"\n") else b""))
    return epochs_of(entries)


def epochs_of(history: Iterable[Any]) -> list[Epoch]:
    """Those entries of a history that are epochs."""
    found = []
    for entry in history:
        with contextlib.suppress(ValidationError, AttributeError):
            found.append(Epoch.of(entry))
    return found
