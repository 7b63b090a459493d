"""Results on disk: one JSON a run, written once and never replaced (floor 1).

``<results>/<profile>/<run_id>.json`` holds completed runs only. The latest failed attempt of a run lies in
``failures/`` beside them, until the run completes.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, field_validator

from benchmark.errors import StoreError
from benchmark.files import write_atomic
from benchmark.schema import Frozen, dotted, first_problem, refuse
from benchmark.spec import CostSpec, RunSpec, TrainSpec, run_id

SCHEMA_VERSION = 1
Status = Literal["completed", "crashed", "diverged", "out_of_memory", "timed_out"]


class Failure(Frozen):
    """Why an attempt ended, and where to look."""

    reason: str
    log_tail: list[str]
    log_file: str


class ActivationMap(Frozen):
    """Which places of one test image spoke for its class, without the image itself.

    ``image`` counts from 0 in the run's test split; ``map`` has the rows of the last stage's feature; its
    mean and the class's bias make the logit of ``label``. ``predicted`` is the single prediction.
    """

    image: int
    label: int
    predicted: int
    map: list[list[float]]

    @field_validator("map")
    @classmethod
    def _rectangle(cls, rows: list[list[float]]) -> list[list[float]]:
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            raise refuse("", "needs rows of one length")
        return rows


class Result(Frozen):
    """What one run left.

    ``metrics`` holds ``<prediction>_last_epoch`` and ``<prediction>_best_epoch`` in percent for a training;
    for a cost run a block of numbers per variant. ``history`` has one entry an epoch. ``cost`` is what the
    run itself took; ``provenance`` says by what code and on what machine. ``activation_maps`` is there where
    the spec asks for some.
    """

    schema_version: Literal[1]
    run_id: str
    spec: RunSpec
    status: Status
    metrics: dict[str, Any]
    history: list[dict[str, Any]]
    cost: dict[str, Any]
    provenance: dict[str, Any]
    failure: Failure | None = None
    activation_maps: list[ActivationMap] | None = None


class Store:
    """The results of one profile.

    Args:
        folder: ``<results>/<profile>``; need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failures_folder = folder / "failures"

    def check_writable(self) -> None:
        """Make sure results can be written before anything is trained.

        Raises:
            StoreError: they can't.
        """
        probe = self.folder / ".writable"
        try:
            write_atomic(probe, b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(f"{self.folder}: results can't be written there: {error.strerror}") from None

    def path(self, name: str) -> Path:
        """Where a completed run's result lies."""
        return self.folder / f"{name}.json"

    def completed(self) -> set[str]:
        """Ids of the completed runs, by their file names."""
        return {path.stem for path in self.folder.glob("*.json")}

    def failed(self) -> set[str]:
        """Ids of the runs whose latest attempt failed and that have not completed since."""
        return {path.stem for path in self.failures_folder.glob("*.json")} - self.completed()

    def load(self, name: str) -> Result:
        """A completed run's result.

        Raises:
            StoreError: the file is missing, no result, or belongs to another run.
        """
        result = _read(self.path(name))
        if result.status != "completed":
            raise StoreError(f"{self.path(name)}: holds a {result.status} run; move it away and run again")
        return result

    def load_failure(self, name: str) -> Result:
        """The latest failed attempt of a run.

        Raises:
            StoreError: as for :meth:`load`.
        """
        return _read(self.failures_folder / f"{name}.json")

    def put(self, result: Result) -> None:
        """Add a result. A completed one is never replaced, and takes an earlier failure's record away.

        Raises:
            OSError: it can't be written; nothing else is harmed.
        """
        absent = {"activation_maps"} if result.activation_maps is None else None
        tree = result.model_dump(mode="json", exclude=absent)
        data = (json.dumps(tree, indent=1, allow_nan=False) + "\n").encode()
        failure = self.failures_folder / f"{result.run_id}.json"
        if result.status != "completed":
            if not self.path(result.run_id).exists():  # else another runner finished it meanwhile
                write_atomic(failure, data)
            return
        try:
            write_atomic(self.path(result.run_id), data, replace=False)
        except FileExistsError:  # another runner finished the same run first: the same numbers
            return
        failure.unlink(missing_ok=True)


def _read(path: Path) -> Result:
    try:
        result = Result.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: can't be read: {error.strerror}") from None
    except ValidationError as error:
        where, reason = first_problem(error, Result)
        raise StoreError(f"{path}: {dotted(where) or 'the file'}: {reason}; move it away and run again") from None
    if path.stem != result.run_id or run_id(result.spec) != result.run_id:
        raise StoreError(f"{path}: name, run_id and spec do not belong together; move it away and run again")
    return result


def with_seed(spec: TrainSpec | CostSpec, seed: int) -> TrainSpec | CostSpec:
    """The trial of an entry with this seed; a cost run has none."""
    return spec if isinstance(spec, CostSpec) else spec.model_copy(update={"seed": seed})
