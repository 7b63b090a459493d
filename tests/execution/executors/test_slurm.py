"""On a real Slurm, where one can be started: what the contract does not ask of every engine."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmark.execution.executors.contract import Executor, Handle, Need, Order, State
from benchmark.execution.executors.settings import read_settings

#: A worker that says what it was given, then ends as it is told to.
WORKER = """
import os, pathlib, signal, sys, time
def end(number, frame):
    print("signal", flush=True)
    time.sleep(0.5)
    os._exit(75)
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, end)
print(os.environ["MARK"], os.getcwd(), os.environ.get("OMP_PROC_BIND"), os.environ["OMP_NUM_THREADS"], flush=True)
print("and an error", file=sys.stderr, flush=True)
pathlib.Path("begun").touch()
if sys.argv[1] == "kill":
    os.kill(os.getpid(), 9)
if sys.argv[1] != "stay":
    sys.exit(int(sys.argv[1]))
time.sleep(120)
"""
PATIENCE = 60.0


@dataclass
class Site:
    """One engine at one place, as often as a driver comes to it."""

    new: Callable[[], Executor]
    root: Path
    handles: list[Handle]

    def order(self, name: str, what: str, **need: float) -> Order:
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        return Order(
            run_id=name,
            folder=folder,
            command=(sys.executable, "-c", WORKER, what),
            environment={"MARK": f"a 'mark' of {name}", "OMP_NUM_THREADS": "1"},
            log=folder / "log.txt",
            need=Need(memory_gib=0.1, gpus=0.0, threads=1),
        )

    def start(self, executor: Executor, orders: Sequence[Order]) -> list[Handle]:
        answers = executor.submit(orders)
        started = [answer for answer in answers if isinstance(answer, Handle)]
        assert len(started) == len(answers), answers
        self.handles += started
        return started

    def has_begun(self, *orders: Order) -> None:
        until(lambda: all((order.folder / "begun").exists() for order in orders), "a worker begins")


def until(true: Callable[[], bool], what: str) -> None:
    late = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < late, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.1)


def ends(executor: Executor, handles: Sequence[Handle]) -> list[State]:
    """How all of them end."""
    until(lambda: all(state.phase == "ended" for state in executor.poll(handles).values()), "all end")
    return [executor.poll(handles)[handle] for handle in handles]


def log(order: Order) -> str:
    return order.log.read_text()


def _slurm(folder: Path, *settings: str) -> Executor:
    from benchmark.execution.executors.slurm import SlurmExecutor
    from benchmark.execution.executors.slurm_settings import SlurmSettings

    return SlurmExecutor.reached(read_settings(SlurmSettings, None, settings, free="slurm_"), folder / "slurm", "cpu")


@pytest.fixture
def site(slurm_lab: Path, tmp_path: Path) -> Iterator[Site]:
    found = Site(lambda: _slurm(tmp_path, "runs_per_job=3"), tmp_path, [])
    yield found
    found.new().cancel(found.handles, kill=True)


def test_workers_start_as_ordered_and_end_in_their_own_ways(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    executor = site.new()
    assert not executor.objections([site.order("a", "0").need])
    orders = [site.order(name, what) for name, what in [("a", "0"), ("b", "3"), ("c c", "75"), ("d", "kill")]]
    assert executor.room_for([order.need for order in orders]) == [0, 1, 2, 3]
    handles = site.start(executor, orders)
    assert len(set(handles)) == 4
    assert [state.exit_status for state in ends(executor, handles)] == [0, 3, 75, -9]
    for order in orders:
        assert log(order).split("\n")[0] == f"a 'mark' of {order.run_id} {os.path.realpath(order.folder)} None 1"
        assert "and an error" in log(order)


def test_another_driver_ends_a_worker_and_no_other(site: Site) -> None:
    orders = [site.order(name, "stay") for name in "abc"]
    handles = site.start(site.new(), orders)
    site.has_begun(*orders)
    later = site.new()
    for handle, order in zip(handles, orders, strict=True):
        later.adopt(handle, order.need)
    assert {state.phase for state in later.poll(handles).values()} == {"running"}
    later.cancel([handles[1]], kill=False)
    [state] = ends(later, [handles[1]])
    assert state.exit_status in (75, None)
    assert "signal" in log(orders[1])
    assert [later.poll(handles)[handle].phase for handle in (handles[0], handles[2])] == ["running", "running"]
    later.cancel(handles, kill=True)
    ends(later, handles)
    later.cancel(handles, kill=False)  # of what has ended: nothing happens
    assert ends(later, handles)[1] == state


def test_an_order_that_fails_takes_no_other_along(site: Site) -> None:
    orders = [site.order("a", "0"), site.order("b", "0")]
    orders[0].folder.rmdir()  # its worker can't go there
    executor = site.new()
    answers = executor.submit(orders)
    handles = [answer for answer in answers if isinstance(answer, Handle)]
    states = ends(executor, handles)
    assert states[-1].exit_status == 0
    assert all(state.exit_status != 0 for state in states[:-1])
