"""The errors this project raises on purpose.

A :class:`UserError` is somebody's bad input: the command line prints its one sentence and ends with
exit status 2. A :class:`RunError` ends one training; the worker records it and the other runs go on.
"""

import errno
import re
from pathlib import Path
from typing import Literal


class BenchmarkError(Exception):
    """Root of this project's own errors."""


class UserError(BenchmarkError):
    """Bad input. The message names the place, what is wrong and what would be right."""


class ManifestError(UserError):
    """A suite manifest, profile or setting that can't be used.

    Args:
        file: the file (or ``--set``) that holds the mistake.
        path: where in it, for instance ``rows[3].train.method.beta``; empty for the whole file.
        reason: one sentence: what is wrong and what would be right.
    """

    def __init__(self, file: Path | str, path: str, reason: str) -> None:
        super().__init__(f"{file}: {path}: {reason}" if path else f"{file}: {reason}")


class DataError(UserError):
    """A dataset that is missing, incomplete or not what its name says."""


class StoreError(UserError):
    """A file or folder of results that can't be read or must not be replaced.

    Args:
        path: which.
        reason: one sentence: what is wrong with it.
        remedy: what whoever owns it may do about it; empty where the reason says so.
    """

    def __init__(self, path: Path, reason: str, remedy: str = "") -> None:
        self.path, self.reason = path, reason
        self.advice = f"{reason}; {remedy}" if remedy else reason
        super().__init__(f"{path}: {self.advice}")


class UnusableError(UserError):
    """What is around the runs (packages, code on disk, devices) lets none be trained; no run is to blame."""


class DeviceError(UnusableError):
    """No GPU, or none that PyTorch can use, where one is asked for; no training is to blame."""


class UnknownVersionError(StoreError):
    """A result of a schema version that this code does not know; nothing is wrong with the file."""


class OtherCodeError(UnusableError):
    """The code on disk is no longer that of the command which is at work."""


class RunError(BenchmarkError):
    """A training that can't go on; ``status`` is what its failure record says."""

    status: Literal["crashed", "diverged", "timed_out"] = "crashed"


class DivergedError(RunError):
    """The loss, a parameter or a batch-norm statistic became NaN or infinite."""

    status = "diverged"


class TimedOutError(RunError):
    """The training steps of a run, or one attempt at it, took longer than ``--timeout-min`` allows."""

    status = "timed_out"


#: What a RuntimeError says of CUDA (torch's AcceleratorError), of torch's allocator on a CPU, of cuDNN or cuBLAS.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|DefaultCPUAllocator|CU(DNN|BLAS)_STATUS_\w*ALLOC\w*_FAILED"
)


def reason_of(error: Exception) -> str:
    """What is wrong, without the file's name where a system's error says both."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception is Python's, the system's or torch's way to say so."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RecordingError):
        return error.out_of_memory
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or (isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)) is not None)


#: What systems say of a disk that is full, read-only, somebody else's, failing or gone.
_DISK = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ESTALE,
)


def is_of_the_disk(error: BaseException) -> bool:
    """Whether an exception blames a disk, and so nothing that is at work on it."""
    return isinstance(error, OSError) and error.errno in _DISK


def failure_status(error: BaseException) -> Literal["crashed", "diverged", "timed_out", "out_of_memory"]:
    """What kind of failure of a run an exception is."""
    if is_out_of_memory(error):
        return "out_of_memory"
    return error.status if isinstance(error, RunError) else "crashed"


class RecordingError(BenchmarkError):
    """A step can't be recorded as a graph; a new process goes on with eager ones.

    Args:
        reason: in one line.
        out_of_memory: whether there was too little memory for it.
    """

    def __init__(self, reason: str, *, out_of_memory: bool = False) -> None:
        super().__init__(reason)
        self.out_of_memory = out_of_memory


class InterruptedRun(BenchmarkError):  # noqa: N818 - not a mistake: the run resumes from its checkpoint
    """A signal asked the worker to stop; its checkpoint is on disk."""
