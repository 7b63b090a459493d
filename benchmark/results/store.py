"""Results on disk: one JSON a run, written once and never replaced.

``<results>/<profile>/<run_id>.json`` holds completed runs only. The latest failed attempt of a run lies in
``failures/`` beside them, until the run completes; files that turned out damaged are set aside in
``damaged/``, and those that ``redo`` trains again in ``replaced/``. ``.locks/`` keeps two workers from training one
run, whatever scratch folders they use.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ValidationError

from benchmark.errors import StoreError, UnknownVersionError, reason_of
from benchmark.results.provenance import Provenance
from benchmark.results.record import ActivationMap
from benchmark.runs.schema import Frozen, dotted, first_problem
from benchmark.runs.spec import RunSpec, run_id
from benchmark.system.files import read_regular, rename_new, write_atomic
from benchmark.system.folders import make_folder, sync_folder, why_unwritable

#: Of what is written; results of version 1 are upgraded as they are read, see :func:`upgraded`.
SCHEMA_VERSION: Final = 2
#: Bytes; a thousand activation maps of 32 × 32 places take 26 MiB.
MOST_RESULT: Final = 64 * 2**20
_AGAIN, _READABLE = "move it away and run again", "its owner can let you read it (chmod -R a+rX)"
#: What systems answer to a rename whose new name is in use.
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)
Status = Literal["completed", "crashed", "diverged", "out_of_memory", "timed_out"]


def _unicode(text: object) -> object:
    """Text that JSON can hold: a path in it may have any bytes."""
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


_Text = Annotated[str, BeforeValidator(_unicode)]


class Failure(Frozen):
    """Why an attempt ended, and where to look."""

    reason: _Text
    log_tail: list[_Text]
    log_file: _Text


class Result(Frozen):
    """What one run left.

    ``metrics`` holds ``<prediction>_last_epoch`` and ``<prediction>_best_epoch`` in percent for a training;
    for a cost run a block of numbers per variant. ``history`` has one entry an epoch. ``cost`` is what the
    run itself took; ``provenance`` says by what code and on what machine. ``activation_maps`` is there where
    the spec asks for some.
    """

    schema_version: Literal[2]
    run_id: str
    spec: RunSpec
    status: Status
    metrics: dict[str, Any]
    history: list[dict[str, Any]]
    cost: dict[str, Any]
    provenance: Provenance
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
        self.damaged_folder = folder / "damaged"
        self.replaced_folder = folder / "replaced"
        self.locks_folder = folder / ".locks"

    def check_writable(self) -> None:
        """Make sure results can be written before anything is trained.

        Raises:
            StoreError: they can't.
        """
        beside = [folder for folder in (self.failures_folder, self.locks_folder) if os.path.lexists(folder)]
        for folder in (self.folder, *beside):
            if reason := why_unwritable(folder):
                raise StoreError(folder, f"results can't be written there: {reason}")

    def path(self, name: str) -> Path:
        """Where a completed run's result lies."""
        return self.folder / f"{name}.json"

    def lock(self, name: str) -> Path:
        """The lock that a worker holds while it makes this result."""
        return self.locks_folder / f"{name}.lock"

    def has(self, name: str) -> bool:
        """Whether a run has a result, by one look at its path."""
        return os.path.lexists(self.path(name))

    def has_failed(self, name: str) -> bool:
        """Whether the latest attempt of a run failed, and it has not completed since; likewise."""
        return os.path.lexists(self.failures_folder / f"{name}.json") and not self.has(name)

    def completed(self) -> set[str]:
        """Ids of the completed runs, by their file names.

        Raises:
            StoreError: the folder can't be read; then nobody knows.
        """
        return _ids(self.folder)

    def failed(self) -> set[str]:
        """Ids of the runs whose latest attempt failed and that have not completed since; raises as the above does."""
        return _ids(self.failures_folder) - self.completed()

    def load(self, name: str) -> Result:
        """A completed run's result.

        Raises:
            StoreError: the file is missing, no result, or belongs to another run.
        """
        return read_result(self.path(name), completed=True)

    def load_failure(self, name: str) -> Result:
        """The latest failed attempt of a run.

        Raises:
            StoreError: as for :meth:`load`.
        """
        return read_result(self.failures_folder / f"{name}.json", completed=False)

    def put(self, result: Result) -> None:
        """Add a result. A completed one is never replaced, and takes an earlier failure's record away.

        Raises:
            OSError: it can't be written; nothing else is harmed.
            StoreError: something else stands in its place.
        """
        absent = {"activation_maps"} if result.activation_maps is None else None
        tree = result.model_dump(mode="json", exclude=absent)
        tree["checksum"] = checksum(tree)
        data = (json.dumps(tree, indent=1, allow_nan=False) + "\n").encode()
        failure = self.failures_folder / f"{result.run_id}.json"
        if result.status != "completed":
            if not self.path(result.run_id).exists():  # else another runner finished it meanwhile
                write_atomic(failure, data)
            return
        try:
            write_atomic(self.path(result.run_id), data, replace=False)
        except FileExistsError:  # another runner finished the same run first: the same numbers
            self.load(result.run_id)  # unless it is a link to nowhere, say
            return
        with contextlib.suppress(PermissionError):  # another user's in a sticky folder; the result outweighs it
            failure.unlink(missing_ok=True)

    def forget_failure(self, name: str) -> None:
        """Take the record of a run's failed attempt away: it is tried again, and does not count as failed."""
        (self.failures_folder / f"{name}.json").unlink(missing_ok=True)

    def replace(self, name: str) -> Path | None:
        """Move a run's result to ``replaced/``, so that it can be trained again; None where there is none."""
        return self.set_aside(self.path(name), self.replaced_folder)

    def set_aside(self, path: Path, folder: Path | None = None) -> Path | None:
        """Move a file to ``damaged/``, or another folder, where it overwrites nothing; None where it is gone already.

        Raises:
            OSError: it can't be moved.
        """
        folder = folder or self.damaged_folder
        make_folder(folder)
        for number in itertools.count(1):
            target = folder / (path.name if number == 1 else f"{path.stem}.{number}{path.suffix}")
            try:
                if os.path.lexists(target):
                    continue
                if path.is_dir():
                    path.rename(target)  # over a file, or a folder that holds anything, it fails
                else:
                    rename_new(path, target)
            except OSError as error:
                if isinstance(error, FileNotFoundError):
                    return None
                if error.errno not in _TAKEN:  # by somebody, since it was looked at
                    raise
                continue
            sync_folder(folder)
            return target
        raise AssertionError("unreachable")


def _ids(folder: Path) -> set[str]:
    """Of the files in a folder; a glob would take one that may not be read for an empty one."""
    try:
        with os.scandir(folder) as entries:  # there may be thousands, and running commands list them again and again
            return {entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise StoreError(folder, f"can't be read: {reason_of(error)}", _READABLE) from None


def checksum(tree: dict[str, Any]) -> str:
    """SHA-256 of a result's content, however its JSON is laid out; a changed file no longer fits its own."""
    content = {key: value for key, value in tree.items() if key != "checksum"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def upgraded(tree: dict[str, Any]) -> dict[str, Any]:
    """The content of a result file as that of :data:`SCHEMA_VERSION`, without its checksum.

    Version 2 is version 1 with a checksum that must be there; early results of version 1 have none.
    """
    content = {key: value for key, value in tree.items() if key != "checksum"}
    version = content.get("schema_version")
    first = version == 1 and version is not True
    return content | {"schema_version": SCHEMA_VERSION} if first else content


def read_json(path: Path) -> Any:
    """What a result file holds, before any schema.

    Raises:
        StoreError: it can't be read or is no JSON.
    """
    try:
        tree = json.loads(read_regular(path, MOST_RESULT), parse_constant=_refuse_constant)
        json.dumps(tree, ensure_ascii=False).encode()  # half a character pair would break whatever prints it
    except OSError as error:
        raise StoreError(path, f"can't be read: {reason_of(error)}", _AGAIN) from None
    except (ValueError, RecursionError) as error:
        raise StoreError(path, f"is no JSON or was cut off ({error})", _AGAIN) from None
    return tree


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read_result(path: Path, *, completed: bool) -> Result:
    """A result file, checked against the schema, its own name, its spec's id and its checksum.

    Args:
        path: the file.
        completed: whether it should be a completed run's, or else a failed attempt's.

    Raises:
        UnknownVersionError: it was written by another version of this code.
        StoreError: it is no such result.
    """
    return result_of(read_json(path), path, completed=completed)


def result_of(tree: Any, path: Path, *, completed: bool) -> Result:
    """The same of what :func:`read_json` found in the file; raises likewise."""
    if isinstance(tree, dict):
        version = tree.get("schema_version")
        if isinstance(version, int) and version not in (1, SCHEMA_VERSION):
            raise UnknownVersionError(
                path,
                f"is of schema version {version}, and this code reads versions 1 to {SCHEMA_VERSION} only",
                "read it with the version of the code that wrote it",
            )
    try:
        result = Result.model_validate(upgraded(tree) if isinstance(tree, dict) else tree)
    except ValidationError as error:
        where, reason = first_problem(error, Result)
        raise StoreError(path, f"{dotted(where) or 'the file'}: {reason}", _AGAIN) from None
    if tree["schema_version"] != 1 and not isinstance(tree.get("checksum"), str):
        raise StoreError(path, "checksum: is missing", _AGAIN)
    if path.stem != result.run_id or run_id(result.spec) != result.run_id:
        raise StoreError(path, "name, run_id and spec do not belong together", _AGAIN)
    if (result.status == "completed") is not completed:
        kind = "a completed run" if completed else "a failed attempt"
        raise StoreError(path, f"status is {result.status!r}, not that of {kind}", _AGAIN)
    if "checksum" in tree and tree["checksum"] != checksum(tree):  # early results of version 1 have none
        raise StoreError(path, "was changed after it was written", _AGAIN)
    return result
