"""What a runner and a worker tell each other, as files in a run's scratch folder.

``job.json`` is the runner's order, ``worker.json`` who works on it, ``progress.json`` the worker's last word,
``log.txt`` its output, ``epochs.jsonl`` the numbers of its epochs as they come, ``attempts.txt`` one line for each
start, ``beside.txt`` how many runs shared its device, ``checkpoint.pt`` its state, ``no-graph`` why its steps can't be
recorded, ``recording`` that they are being recorded. ``handle.json`` is what a driver leaves to the next one, see
:mod:`benchmark.execution.held`.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator, ValidationError, model_validator

from benchmark.errors import UserError, reason_of
from benchmark.results.code import Code
from benchmark.runs.schema import MANY, Frozen, dotted, first_problem, refuse
from benchmark.runs.spec import RunSpec
from benchmark.runs.spec import run_id as id_of
from benchmark.system.files import MOST_TEXT, is_there, open_regular, read_end, read_regular, write_atomic
from benchmark.system.paths import PACKAGE

#: Exit status of a worker whose run failed; the store has the record.
EXIT_FAILED = 1
#: Exit status of a worker that understands no job, and Python's own where a worker's file is no longer there.
EXIT_NO_JOB = 2
#: Exit status of a worker that saved its state and can be started again.
EXIT_INTERRUPTED = 75
#: Exit status of a worker that found another one at work on its run.
EXIT_BUSY = 76
#: Exit status of a worker that can't use the GPU it was given; its run is none the worse for it.
EXIT_NO_DEVICE = 77
#: Exit status of a worker that can train no run at all as things are; the last line of its log says why.
EXIT_UNUSABLE = 78
#: Exit status of a worker that can't write what it has trained; the last line of its log says where and why.
EXIT_NO_ROOM = 79

#: Names the process of a runner that no worker is to outlive; of the same machine, and the worker's parent.
LEASH_VARIABLE = "SFE_RUNNER_PID"


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise refuse("", "should be a path")
    return value


#: A folder's path, whatever its bytes; pydantic's own text has to be valid Unicode.
AnyPath = Annotated[str, PlainValidator(_is_text)]


class Job(Frozen):
    """One run, wherever it is started."""

    run_id: str
    spec: RunSpec
    results_folder: AnyPath
    data_dir: AnyPath | None
    cache_dir: AnyPath
    device: str = Field(pattern=r"^(cpu|cuda)$")
    checkpoint_minutes: float = Field(default=5.0, ge=0, le=MANY)
    timeout_min: float | None = Field(default=None, gt=0, le=MANY)
    graphs: bool = False
    weights_dir: AnyPath | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _check(self) -> "Job":
        if self.run_id != id_of(self.spec):  # it names files; made by hand, it could name any
            raise refuse("run_id", "does not belong to the spec")
        return self


class Progress(Frozen):
    """How far a run has come: finished part 0 to 1, in words, the seconds its steps took so far; whether it replays."""

    done: float = Field(ge=0, le=1)
    text: str
    seconds: float = Field(default=0, ge=0, le=1000 * MANY)
    graphs: bool = False


def worker_command(folder: Path) -> list[str]:
    """What starts the worker of a run, with this very code: by its file, since a module's name may mean another's."""
    return [sys.executable, "-P", str(PACKAGE / "entry" / "start.py"), str(folder)]


def worker_environment(threads: int) -> dict[str, str]:
    """Variables of a worker that computes with so many threads."""
    return {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


class RunFolder:
    """The scratch folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        self.epochs = folder / "epochs.jsonl"
        self.checkpoint = folder / "checkpoint.pt"
        self.attempts = folder / "attempts.txt"
        self.lock = folder / "worker.json"
        self._beside = folder / "beside.txt"
        self.no_graph = folder / "no-graph"
        self._recording = folder / "recording"

    def order(self, job: Job) -> None:
        """Leave the worker its job; what an attempt said that left no state to go on from is forgotten."""
        self._beside.unlink(missing_ok=True)
        if not is_there(self.checkpoint):
            (self.folder / "progress.json").unlink(missing_ok=True)
        write_atomic(self.folder / "job.json", json.dumps(job.model_dump(), indent=1).encode(), lasting=False)

    def job(self) -> Job:
        """The job lying here.

        Raises:
            UserError: there is none, or it is damaged.
        """
        path = self.folder / "job.json"
        try:
            return Job.model_validate(json.loads(read_regular(path, MOST_TEXT)))
        except OSError as error:
            raise UserError(f"{path}: no usable job: {error.strerror}") from None
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            raise UserError(f"{path}: no usable job: is no JSON or was cut off") from None
        except ValidationError as error:
            where, reason = first_problem(error, Job)
            raise UserError(f"{path}: no usable job: {dotted(where) or 'the file'}: {reason}") from None

    def report(self, progress: Progress) -> None:
        """Tell the runner how far the run is; losing one such word harms nobody, so no fsync."""
        path = self.folder / "progress.json"
        temporary = path.with_suffix(".tmp")
        with open_regular(temporary, mode="wb") as file:
            file.write(progress.model_dump_json().encode())
        temporary.replace(path)

    def progress(self) -> Progress | None:
        """The worker's last word; None before the first."""
        try:
            return Progress.model_validate_json(read_regular(self.folder / "progress.json", MOST_TEXT))
        except (OSError, ValidationError):
            return None

    def log_tail(self, lines: int = 20) -> list[str]:
        """The last lines of the worker's output."""
        try:
            return read_end(self.log, 2**16).decode(errors="replace").splitlines()[-lines:]
        except OSError:
            return []

    def note_attempt(self, word: str) -> None:
        """Append one word on an attempt: it started, or how it ended."""
        with open_regular(self.attempts, mode="ab") as file:
            file.write(f"{json.dumps(word)}\n".encode())

    def note_beside(self, runs: int) -> None:
        """Tell the worker how many other runs its device has now; the most of an attempt is kept."""
        if runs > self.beside():
            with open_regular(self._beside, mode="wb") as file:
                file.write(str(runs).encode())

    def beside(self) -> int:
        """The most runs that this attempt has shared its device with."""
        try:
            return int(read_regular(self._beside, MOST_TEXT))
        except (OSError, ValueError):
            return 0

    def said_so_far(self) -> int:
        """Bytes of what attempts have said until now; what one says later begins there."""
        try:
            return self.attempts.stat().st_size
        except OSError:
            return 0

    def words(self, offset: int = 0) -> list[str]:
        """What attempts have said: each that it started, and how it ended; from somewhere in the file on."""
        try:
            with open_regular(self.attempts, sys.maxsize) as file:
                file.seek(max(offset, self.said_so_far() - MOST_TEXT))
                lines = file.read(MOST_TEXT).decode(errors="replace").splitlines()
        except OSError:
            return []
        return [line[1:-1] for line in lines if line.startswith('"') and line.endswith('"') and len(line) > 1]  # whole

    def vanished(self) -> int:
        """Attempts since the last known end that started and never said how they ended."""
        count = 0
        for word in self.words():
            count = count + 1 if word == "start" else 0
        return count

    def refuse_graphs(self, reason: str) -> None:
        """Have all further attempts take their steps call by call."""
        write_atomic(self.no_graph, reason.encode())

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Leave word meanwhile that a step is recorded: a later attempt that finds it knows what this one died of."""
        with contextlib.suppress(OSError):  # a full disk ends no run
            write_atomic(self._recording, b"")
        try:
            yield
        finally:
            self._recording.unlink(missing_ok=True)

    def graphs_refused(self) -> str | None:
        """Why steps can't be recorded; None where nothing is known against it."""
        try:
            return read_end(self.no_graph).decode(errors="replace")
        except FileNotFoundError:
            return "a process ended while it recorded a step" if is_there(self._recording) else None
        except OSError as error:  # something else in its place: nobody knows, and call by call is sure
            return f"{self.no_graph.name} can't be read: {reason_of(error)}"

    def clear(self) -> None:
        """Forget state and progress of a finished run; the log and its epochs stay."""
        for name in ("checkpoint.pt", "progress.json", "no-graph", "recording"):
            (self.folder / name).unlink(missing_ok=True)
