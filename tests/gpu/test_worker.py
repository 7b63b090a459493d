"""A worker on a GPU that is ended and goes on leaves the bits of one that never was."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_INTERRUPTED
from tests.execution.test_worker import Place
from tests.places import ROOT
from tests.training.steps import CASES, trace

from .here import DEVICE, REHEARSAL, SIZES

pytestmark = pytest.mark.gpu


def start(place: Place) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))  # packages may lie there
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmark.execution.worker", str(place.folder.folder)]
    with place.folder.log.open("ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def test_sigterm_and_a_second_start_leave_the_same_bits(tmp_path: Path) -> None:
    case = CASES["SFE with SD"]
    spec = case.spec(precision="bf16", epochs=12 if REHEARSAL else 40, **SIZES)
    place = Place(tmp_path, spec, device=DEVICE.type, graphs=True, checkpoint_minutes=0)  # each step saves: no hurry
    process = start(place)
    try:
        while (said := place.folder.progress()) is None or said.done < 0.1:
            assert process.poll() is None, place.folder.log_tail()
            time.sleep(0.005)
        process.terminate()
        assert process.wait(60) == EXIT_INTERRUPTED, place.folder.log_tail()
    finally:
        process.kill()
        process.wait()
    assert start(place).wait(120) == 0, place.folder.log_tail()

    result = place.result()
    assert [session.graphs for session in result.provenance.sessions] == ["on", "on"]
    eager = trace(case, spec, DEVICE, graphs=False)
    assert result.history == eager.history
