import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.execution import stopping
from benchmark.execution.executors.contract import Handle, Phase, Site, State
from benchmark.execution.executors.known import engine_of
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.held import Drivers, all_held, held, keep
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.stopping import Stopped, stop
from benchmark.system.hardware import chosen_device
from benchmark.system.locks import Lock
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


ELSEWHERE = Handle(engine="local", place="another machine", job="1 2 cpu")


def test_a_worker_of_another_machine_is_left_and_named(tmp_path: Path) -> None:
    holding(tmp_path / "a run", ELSEWHERE)
    with Lock(RunFolder(tmp_path / "a run").lock):
        assert stop(tmp_path, 0) == Stopped(workers=1, left=["a run"])
    assert held(RunFolder(tmp_path / "a run")) is not None


def test_what_a_machine_left_that_was_started_anew_is_forgotten(tmp_path: Path) -> None:
    holding(tmp_path / "a run", ELSEWHERE)
    assert stop(tmp_path) == Stopped(workers=1)
    assert all_held(tmp_path) == {}


class Cluster:
    """An engine that says of workers what it is told to, and notes who is asked to end."""

    def __init__(self, phase: Phase, lost_s: float = 0.0) -> None:
        self.phase, self.lost_s = phase, lost_s
        self.asked: list[Handle] = []

    def describe(self) -> Site:
        return Site(kind="cpu", device=None, poll_s=1.0, lost_s=self.lost_s, outlives_driver=True)

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        return dict.fromkeys(handles, State(phase=self.phase))

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        assert not kill
        self.asked += handles
        self.phase = "ended" if len(self.asked) == 3 else self.phase


@pytest.fixture
def at_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Cluster], None]:
    def holds(cluster: Cluster) -> None:
        monkeypatch.setattr(stopping, "engine_of", lambda handle, scratch: cluster)
        monkeypatch.setattr(stopping, "LOOK_S", 0.01)
        holding(tmp_path / "a run", Handle(engine="slurm", place="here", job="1 a"))

    return holds


def test_a_worker_is_asked_again(
    tmp_path: Path, at_cluster: Callable[[Cluster], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal may come before it listens."""
    monkeypatch.setattr(stopping, "ASK_S", 0.03)
    at_cluster(cluster := Cluster("running"))
    assert stop(tmp_path) == Stopped(workers=1)
    assert len(cluster.asked) == 3


def test_but_not_at_every_look(tmp_path: Path, at_cluster: Callable[[Cluster], None]) -> None:
    at_cluster(cluster := Cluster("running"))
    assert stop(tmp_path, 0.1) == Stopped(workers=1, left=["a run"])
    assert len(cluster.asked) == 1


def test_what_a_cluster_knows_no_more_is_waited_for_as_long_as_it_may_be_lost(
    tmp_path: Path, at_cluster: Callable[[Cluster], None]
) -> None:
    at_cluster(cluster := Cluster("unknown", lost_s=0.2))
    assert stop(tmp_path, 0) == Stopped(workers=1)
    assert all_held(tmp_path) == {}
    assert len(cluster.asked) == 1


SCONTROL = """#!/bin/sh
echo 'ClusterName             = here'
"""


def test_a_cluster_without_a_default_partition_can_be_asked_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs went to a partition that was named, which a handle does not tell."""
    for name, text in {"scontrol": SCONTROL, "squeue": "#!/bin/sh\n", "scancel": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    handle = Handle(engine="slurm", place="here", job="1 a")
    engine = engine_of(handle, tmp_path)
    assert engine.poll([handle])[handle].phase == "unknown"
    engine.cancel([handle], kill=False)


def test_a_driver_that_does_not_end_is_waited_for_so_long(tmp_path: Path) -> None:
    driver = Drivers(tmp_path)
    with driver.named():
        assert stop(tmp_path, 0) == Stopped(drivers=1)
        assert driver.told_to_stop()


def test_an_engine_that_nobody_knows_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="abacus at x: this code knows no such engine"):
        engine_of(Handle(engine="abacus", place="x", job="1"), tmp_path)
