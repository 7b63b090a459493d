"""A worker on a GPU that is ended and goes on leaves the bits of one that never was."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_INTERRUPTED, LEASH_VARIABLE, worker_command
from tests.execution.place import Place
from tests.training.steps import CASES, trace

from .here import DEVICE, REHEARSAL, SIZES

pytestmark = pytest.mark.gpu

#: Seconds that a worker may take for anything; a machine that rehearses may be busy with a dozen other things.
LONG = 600 if REHEARSAL else 120


@contextlib.contextmanager
def worker(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A worker at its job; it outlives neither this block nor these tests, or it would spoil what is measured next."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", LEASH_VARIABLE: str(os.getpid())}
    with place.folder.log.open("ab") as log:
        process = subprocess.Popen(worker_command(place.folder.folder), env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_sigterm_and_a_second_start_leave_the_same_bits(tmp_path: Path) -> None:
    case = CASES["SFE with SD"]
    spec = case.spec(precision="bf16", epochs=12 if REHEARSAL else 20, **SIZES)
    place = Place(tmp_path, spec, device=DEVICE.type, graphs=True, checkpoint_minutes=0)  # each step saves: no hurry
    with worker(place) as process:
        while (said := place.folder.progress()) is None or said.done < 0.1:
            assert process.poll() is None, place.folder.log_tail()
            time.sleep(0.005)
        process.terminate()
        assert process.wait(LONG) == EXIT_INTERRUPTED, place.folder.log_tail()
    place.folder.order(place.job.model_copy(update={"checkpoint_minutes": 5.0}))
    with worker(place) as process:
        assert process.wait(LONG) == 0, place.folder.log_tail()

    result = place.result()
    assert [session.graphs for session in result.provenance.sessions] == ["on", "on"]
    eager = trace(case, spec, DEVICE, graphs=False)
    assert result.history == eager.history


def test_a_worker_does_not_outlive_its_tests(tmp_path: Path) -> None:
    """A check whose time is over is ended; a worker of it that trained on would share the GPU with what comes next."""
    place = Place(tmp_path, CASES["baseline"].spec(epochs=1000, **SIZES), device=DEVICE.type)
    if (tests := os.fork()) == 0:
        with worker(place):
            os._exit(0)  # as by SIGKILL: nothing is tidied up
    os.waitpid(tests, 0)
    ends = time.monotonic() + LONG
    while not place.folder.attempts.exists() or place.attempts()[-1] != "interrupted":
        assert time.monotonic() < ends, place.folder.log_tail()
        time.sleep(0.05)
