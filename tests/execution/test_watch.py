"""What ends a worker from outside: signals, and a runner that is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_BUSY, EXIT_INTERRUPTED, LEASH_VARIABLE, Job, RunFolder, worker_command
from benchmark.results.store import Result
from benchmark.system.signals import ENDING
from benchmark.training import checkpoint
from benchmark.training.loop import Training
from tests.execution.place import Place, at_step, fail_with, spec_of
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("own_process")


def test_what_fails_once_an_end_was_asked_for_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())

    def ended() -> None:  # a batch system's signal meets the worker and a helper of it
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("a helper's process died")

    at_step(monkeypatch, 2, ended)
    assert place.run() == EXIT_INTERRUPTED
    assert not place.store.has_failed(place.run_id)
    assert place.attempts() == ["start", "interrupted"]


def test_signals_are_noted_before_the_job_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, read = Place(tmp_path, spec_of()), RunFolder.job

    def job(self: RunFolder) -> Job:
        signal.raise_signal(signal.SIGTERM)
        return read(self)

    monkeypatch.setattr(RunFolder, "job", job)
    assert place.run() == EXIT_INTERRUPTED
    assert place.attempts() == ["start", "interrupted"]


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_saves_the_run_between_two_steps(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 4, lambda: signal.raise_signal(number))
    assert place.run() == EXIT_INTERRUPTED
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)
    assert place.store.completed() == place.store.failed() == set()
    assert place.attempts() == ["start", "interrupted"]
    assert place.run() == 0
    assert place.result().metrics == undisturbed.metrics
    assert place.result().history == undisturbed.history


def test_a_worker_whose_runner_is_gone_saves_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    parent = os.getppid()
    monkeypatch.setenv(LEASH_VARIABLE, str(parent))
    at_step(monkeypatch, 2, lambda: monkeypatch.setattr(os, "getppid", lambda: parent + 1))  # it may be 1 itself
    assert place.run() == EXIT_INTERRUPTED
    assert place.folder.checkpoint.exists()
    assert LEASH_VARIABLE not in os.environ, "its own helpers have another parent"


def test_a_runner_that_was_gone_before_the_worker_could_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    monkeypatch.setenv(LEASH_VARIABLE, "1" if os.getppid() != 1 else "2")
    monkeypatch.setattr(Training, "run", fail_with(AssertionError("trained for nobody")))
    assert place.run() == EXIT_INTERRUPTED
    assert place.attempts() == ["start", "interrupted"]


def test_a_worker_without_a_runner_on_its_machine_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a batch system starts it."""
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, lambda: monkeypatch.setattr(os, "getppid", lambda: 1))
    assert place.run() == 0


@pytest.mark.usefixtures("own_process")
def test_no_worker_outlives_its_runner_whatever_it_is_at(tmp_path: Path) -> None:
    """In a step, an evaluation, a library's code: it never looks, and ends all the same."""
    code = (
        "import os, subprocess, sys\n"
        f"os.environ['{LEASH_VARIABLE}'] = str(os.getpid())\n"
        "print(subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]]).pid)"
    )
    worker_code = (
        "import sys, time\nfrom pathlib import Path\nfrom benchmark.execution import run_folder, watch\n"
        "watch.LOOK_SECONDS = watch.LEFT_SECONDS = 0.05\n"
        "with watch.Watch(run_folder.RunFolder(Path(sys.argv[1]))): time.sleep(600)"
    )
    command = [sys.executable, "-c", code, worker_code, str(tmp_path)]
    pid = int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout)
    deadline = time.monotonic() + 60
    while not (tmp_path / "attempts.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "attempts.txt").read_text() == '"interrupted"\n'
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert time.monotonic() < deadline


def test_sigterm_to_a_worker_process(tmp_path: Path) -> None:
    # the real thing: another process, another worker beside it, a signal, a second start
    spec = spec_of(epochs=15)
    place, alone = Place(tmp_path / "disturbed", spec), Place(tmp_path / "alone", spec)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = worker_command(place.folder.folder)
    with place.folder.log.open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        while place.folder.progress() is None:  # the first word comes after the first step
            assert process.poll() is None, place.folder.log_tail()
            time.sleep(0.005)
        assert place.run() == EXIT_BUSY
        process.terminate()
        assert process.wait(60) == EXIT_INTERRUPTED
    finally:
        process.kill()
        process.wait()
    assert place.store.completed() == place.store.failed() == set()
    assert place.attempts() == ["start", "interrupted"]
    assert "interrupted: signal 15" in place.folder.log_tail()[-1]
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert 0 < 3 * state["epoch"] + state["step"] < 45
    assert place.run() == 0
    assert alone.run() == 0
    assert place.result().metrics == alone.result().metrics
    assert place.result().history == alone.result().history
