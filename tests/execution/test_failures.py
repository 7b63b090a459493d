"""Runs that fail, and what is no run's fault."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.errors import DivergedError
from benchmark.execution.run_folder import EXIT_FAILED, EXIT_NO_ROOM, EXIT_UNUSABLE
from benchmark.results.store import Result, Store
from benchmark.runs.axes import Dataset
from benchmark.system.files import write_atomic
from benchmark.training.loop import Training
from tests.execution.place import Place, at_step, fail_with, nothing_is_blamed, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def test_a_failure_is_recorded_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(ValueError("a cosmic ray")))
    place.folder.log.write_text("".join(f"line {number}\n" for number in range(100)))  # the engine's redirection
    assert place.run() == EXIT_FAILED
    assert place.store.completed() == set()
    failure = place.failure()
    assert failure.status == "crashed"
    assert failure.spec == spec_of()
    assert failure.failure is not None
    assert failure.failure.reason == "ValueError: a cosmic ray"
    assert failure.failure.log_tail == [f"line {number}" for number in range(80, 100)]
    assert failure.failure.log_file == str(place.folder.log)
    assert failure.metrics == {}
    assert place.attempts() == ["start", "failed"]


def cpu_allocation_error() -> Exception:
    try:
        torch.empty(2**60, dtype=torch.uint8)
    except RuntimeError as error:
        return error
    raise AssertionError("a machine with an exbibyte")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no"), "crashed"),
        (DivergedError("no"), "diverged"),
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (cpu_allocation_error(), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be"), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), "crashed"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "crashed"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"), "out_of_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (ValueError("a word on being out of memory"), "crashed"),
    ],
)
def test_kinds_of_failure(error: Exception, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(error))
    assert place.run() == EXIT_FAILED
    assert place.failure().status == status
    assert place.failure().history == []


def test_a_diverging_run_is_recorded_as_such(tmp_path: Path) -> None:
    place = Place(tmp_path, spec_of(rate=1e6))
    assert place.run() == EXIT_FAILED
    failure = place.failure()
    assert failure.status == "diverged"
    assert failure.failure is not None
    assert "loss of epoch 1" in failure.failure.reason


@pytest.mark.parametrize("where", ["load", "resume"])
def test_too_little_memory_costs_no_checkpoint(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of(), checkpoint_minutes=0.0)
    at_step(monkeypatch, 4, fail_with(ValueError("a cosmic ray")))
    assert place.run() == EXIT_FAILED
    saved = place.folder.checkpoint.read_bytes()
    target: Any = torch if where == "load" else Training
    with monkeypatch.context() as patch:
        patch.setattr(target, where, lambda *_, **__: fail_with(torch.OutOfMemoryError("CUDA out of memory"))())
        assert place.run() == EXIT_FAILED
    assert place.failure().status == "out_of_memory"
    assert place.folder.checkpoint.read_bytes() == saved


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_result_without_room_is_no_failure_and_its_training_not_lost(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Result,
) -> None:
    def full(path: Path, data: bytes, **_: bool) -> None:
        if path.parent.name == "results":  # a failure's record is small, and would find room
            raise OSError(number, os.strerror(number), str(path))
        write_atomic(path, data)

    place = Place(tmp_path, spec_of())
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.results.store.write_atomic", full)
        assert place.run() == EXIT_NO_ROOM
    assert os.strerror(number) in capsys.readouterr().out.splitlines()[-1]
    assert nothing_is_blamed(place)
    assert place.attempts() == ["start", "unwritable"]
    at_step(monkeypatch, 1, fail_with(AssertionError("trains again")))
    assert place.run() == 0
    assert place.result().history == undisturbed.history


def test_images_that_are_gone_are_no_fault_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path, spec_of(Dataset(name="cifar10")))  # whose files are nowhere
    assert place.run() == EXIT_UNUSABLE
    assert "--data-dir" in capsys.readouterr().out
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)


def test_what_cannot_be_recorded_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Store, result: Result) -> None:
        raise OSError(28, "No space left on device")

    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(ValueError("a cosmic ray")))
    monkeypatch.setattr(Store, "put", full)
    assert place.run() == EXIT_FAILED
    assert "No space left on device" in capsys.readouterr().out
