import sys
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.execution.executors.contract import Handle
from benchmark.execution.executors.known import engine_of
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.held import Drivers, all_held, held, keep
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.stopping import Stopped, stop
from benchmark.system.hardware import chosen_device
from tests.execution.executors.test_contract import WORKER, at_work, order, started
from tests.execution.test_held import ONE


def holding(folder: Path, handle: Handle) -> None:
    keep(RunFolder(folder), ONE.model_copy(update={"handle": handle, "driver": "one that is gone"}))


def test_where_nobody_is_at_work_nothing_is_written(tmp_path: Path) -> None:
    assert stop(tmp_path / "runs") == Stopped()
    assert not (tmp_path / "runs").exists()


def test_workers_whose_driver_is_gone_are_asked_to_save(tmp_path: Path) -> None:
    engine = LocalExecutor(chosen_device("cpu"), {None: 100.0}, (), jobs=2, leashed=False)
    job = order(tmp_path, "a")
    assert job.command == (sys.executable, "-c", WORKER)
    [handle] = started(engine, job)
    at_work(job)
    holding(job.folder, handle)
    assert stop(tmp_path, 60) == Stopped(workers=1)
    assert engine.poll([handle])[handle].exit_status == 75
    assert all_held(tmp_path) == {}


def test_a_worker_of_another_machine_is_left_and_named(tmp_path: Path) -> None:
    holding(tmp_path / "a run", Handle(engine="local", place="another machine", job="1 2 cpu"))
    assert stop(tmp_path, 0) == Stopped(workers=1, left=["a run"])
    assert held(RunFolder(tmp_path / "a run")) is not None


def test_a_driver_that_does_not_end_is_waited_for_so_long(tmp_path: Path) -> None:
    driver = Drivers(tmp_path)
    with driver.named():
        assert stop(tmp_path, 0) == Stopped(drivers=1)
        assert driver.told_to_stop()


def test_an_engine_that_nobody_knows_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="abacus at x: this code knows no such engine"):
        engine_of(Handle(engine="abacus", place="x", job="1"), tmp_path)
