"""Recorded steps, as a job orders them, and what happens where none can be recorded."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_INTERRUPTED, EXIT_NO_ROOM, RunFolder, worker_command
from benchmark.results.store import Result
from benchmark.system.environment import RECORDER_VARIABLE
from tests.execution.place import Place, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def sessions_graphs(result: Result) -> list[str]:
    return [str(session.graphs) for session in result.provenance.sessions]


def test_recorded_steps_are_an_order_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    place = Place(tmp_path, spec_of(), graphs=True)
    assert place.run() == 0
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == ["on"]
    assert sessions_graphs(undisturbed) == ["off"]


def cannot_record(body: Callable[[], None]) -> Callable[[], None]:
    raise RuntimeError("operation not permitted when stream is capturing")


def test_what_can_not_be_recorded_is_trained_call_by_call_in_a_new_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_recorded_steps:cannot_record")
    place = Place(tmp_path, spec_of(), graphs=True)
    assert place.run() == EXIT_INTERRUPTED
    assert not place.folder.checkpoint.exists(), "the device's state may be broken"
    reason = "RuntimeError: operation not permitted when stream is capturing"
    assert place.folder.graphs_refused() == reason
    assert not place.store.failed()
    assert place.run() == 0
    assert place.attempts() == ["start", "interrupted", "start", "completed"]
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == [f"failed: {reason}"]
    assert place.folder.graphs_refused() is None


def test_a_recording_that_ends_the_process_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_recorded_steps:does_not_survive")
    place = Place(tmp_path, spec_of(), graphs=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert (
        subprocess.run(worker_command(place.folder.folder), env=environment, check=False).returncode == -signal.SIGSEGV
    )
    assert place.run() == 0
    assert place.attempts() == ["start", "start", "completed"]
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == ["failed: a process ended while it recorded a step"]


def does_not_survive(body: Callable[[], None]) -> Callable[[], None]:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("survived")


def test_without_room_for_the_reason_it_does_not_try_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: RunFolder, reason: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_recorded_steps:cannot_record")
    monkeypatch.setattr(RunFolder, "refuse_graphs", full)
    assert Place(tmp_path, spec_of(), graphs=True).run() == EXIT_NO_ROOM
