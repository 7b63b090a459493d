"""What every engine promises; each is skipped, with the reason, where it can't be started."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmark.execution.executors.contract import Executor, Handle, Need, Order, State
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.executors.ray import RayExecutor, RaySettings
from benchmark.execution.executors.slurm import SlurmExecutor
from benchmark.execution.executors.slurm_settings import SlurmSettings
from benchmark.system.hardware import chosen_device
from benchmark.system.processes import usable_cores

#: How long anything may take here; a loaded machine gets it, a fast one never waits.
PATIENCE_S = 120.0
NEED = Need(memory_gib=0.01, gpus=0.0, threads=1)
ALONE = Need(memory_gib=0.01, gpus=0.0, threads=1, alone=True)

#: Makes an executor at one and the same site, as often as drivers come and go.
Site = Callable[[], Executor]


def local(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """Without a leash, since these workers know none; two places, whatever the cores."""
    return lambda: LocalExecutor(chosen_device("cpu"), {None: 100.0}, usable_cores(), jobs=2, leashed=False)


def slurm(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """The tests' own, which is real; settings that leave room for two."""
    request.getfixturevalue("slurm_lab")
    settings = SlurmSettings(runs_at_once=2, settle_s=0.0)
    return lambda: SlurmExecutor.reached(settings, tmp_path / "slurm", "cpu")


def ray(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """The tests' own, which is real, with two GPUs that nobody has."""
    settings = RaySettings(runs_at_once=2, settle_s=0.0, address=request.getfixturevalue("ray_lab").address)
    return lambda: RayExecutor.reached(settings, "cpu")


ENGINES: dict[str, Callable[[pytest.FixtureRequest, Path], Site]] = {"local": local, "slurm": slurm, "ray": ray}

#: A worker: writes its number, waits for a file ``go`` and ends with the status in it; asked to end, with 75.
WORKER = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda *_: os._exit(75))
with open("pid", "w") as file:
    file.write(str(os.getpid()))
print("a line of", os.environ["SAYS"], flush=True)
print("and an error", file=sys.stderr, flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
sys.exit(int(open("go").read()))
"""


@pytest.fixture(params=ENGINES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return ENGINES[request.param](request, tmp_path)


@pytest.fixture
def engine(site: Site) -> Iterator[Executor]:
    """One driver's; whatever it started is ended."""
    handles: list[Handle] = []
    executor = site()
    submit = executor.submit

    def noted(orders: list[Order]) -> list[Handle | str]:
        answers = submit(orders)
        handles.extend(answer for answer in answers if isinstance(answer, Handle))
        return answers

    executor.submit = noted  # type: ignore[method-assign,assignment]
    yield executor
    executor.cancel(handles, kill=True)
    executor.cancel(handles, kill=False)


def order(root: Path, name: str, need: Need = NEED, **changes: object) -> Order:
    folder = root / name
    folder.mkdir(exist_ok=True)
    fields = {
        "run_id": name,
        "folder": folder,
        "command": (sys.executable, "-c", WORKER),
        "environment": {"SAYS": name},
        "log": folder / "log.txt",
        "need": need,
    }
    return Order(**{**fields, **changes})  # type: ignore[arg-type]


def started(engine: Executor, *orders: Order) -> list[Handle]:
    answers = engine.submit(orders)
    for answer in answers:
        assert isinstance(answer, Handle), answer
    return [answer for answer in answers if isinstance(answer, Handle)]


def until(engine: Executor, handle: Handle, *phases: str) -> State:
    """Its state, once it is in one of these phases."""
    end, state = time.monotonic() + PATIENCE_S, None
    while time.monotonic() < end:
        state = engine.poll([handle])[handle]
        if state.phase in phases:
            return state
        assert state.phase != "ended", state
        time.sleep(0.02)
    raise AssertionError(f"still {state}")


def room(engine: Executor, needs: list[Need], least: int = 1) -> list[int]:
    """What it has room for, once that is so much: a cluster may notice an end a little late."""
    end = time.monotonic() + PATIENCE_S
    while len(found := engine.room_for(needs)) < least or 0 not in found:
        assert time.monotonic() < end, f"still no room: {found}"
        time.sleep(0.1)
    return found


def at_work(order: Order) -> int:
    """The process of a worker that hears signals by now."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if (order.folder / "log.txt").exists() and "error" in (order.folder / "log.txt").read_text():
            return int((order.folder / "pid").read_text())
        time.sleep(0.02)
    raise AssertionError("the worker never began")


def go(order: Order, status: int = 0) -> None:
    (order.folder / "now").write_text(str(status))
    (order.folder / "now").rename(order.folder / "go")


def test_a_site_is_what_it_is(engine: Executor) -> None:
    site = engine.describe()
    assert site == engine.describe()
    assert site.kind in ("cpu", "cuda")
    assert site.where
    assert site.poll_s > 0
    assert engine.objections([NEED]) == []
    objections = engine.objections([ALONE])
    assert len(objections) == isinstance(engine, RayExecutor)  # it knows no device


@pytest.mark.parametrize("status", [0, 1, 75])
def test_an_order_is_carried_out_to_the_letter(engine: Executor, tmp_path: Path, status: int) -> None:
    job = order(tmp_path, "a")
    job.log.write_text("from before\n")
    [handle] = started(engine, job)
    at_work(job)
    assert until(engine, handle, "running").exit_status is None
    go(job, status)
    state = until(engine, handle, "ended")
    assert state.exit_status in (status, None)
    assert engine.poll([handle])[handle].phase == "ended", "an end is told as often as it is asked for"
    assert job.log.read_text().splitlines() == ["from before", "a line of a", "and an error"]


def test_room_is_that_of_all_who_ask_together(engine: Executor, tmp_path: Path) -> None:
    places = engine.room_for([NEED] * 1000)
    assert places == list(range(len(places)))
    assert 1 <= len(places) < 1000
    jobs = [order(tmp_path, str(number)) for number in places]
    handles = started(engine, *jobs)
    assert len(set(handles)) == len(handles)
    assert engine.room_for([NEED]) == []
    for job in jobs:
        go(job)
    for handle in handles:
        until(engine, handle, "ended")
    assert room(engine, [NEED] * 1000, len(places)) == places


def test_who_wants_to_be_alone_is(engine: Executor, tmp_path: Path) -> None:
    assert 0 in room(engine, [ALONE, NEED, ALONE])
    job = order(tmp_path, "a")
    [handle] = started(engine, job)
    beside = engine.room_for([ALONE, NEED])
    assert 0 not in beside or 1 not in beside
    go(job)
    until(engine, handle, "ended")


def test_one_bad_order_takes_no_other_with_it(engine: Executor, tmp_path: Path) -> None:
    bad = order(tmp_path, "bad", command=(str(tmp_path / "no program"),))
    good = order(tmp_path, "good")
    answers = engine.submit([bad, good])
    assert isinstance(answers[1], Handle)
    at_work(good)
    go(good)
    until(engine, answers[1], "ended")
    if isinstance(answers[0], Handle):
        assert until(engine, answers[0], "ended").exit_status != 0
    else:
        assert answers[0]


def test_a_worker_that_is_asked_to_end_may_save(engine: Executor, tmp_path: Path) -> None:
    asked, left = order(tmp_path, "asked"), order(tmp_path, "left")
    handles = started(engine, asked, left)
    at_work(asked), at_work(left)
    engine.cancel(handles[:1], kill=False)
    assert until(engine, handles[0], "ended").exit_status in (75, None)
    assert engine.poll(handles)[handles[1]].phase == "running"
    engine.cancel(handles, kill=False)  # the first is over: that passes without a word
    until(engine, handles[1], "ended")


def test_another_driver_goes_on_with_what_one_has_started(engine: Executor, site: Site, tmp_path: Path) -> None:
    jobs = [order(tmp_path, "a"), order(tmp_path, "b")]
    handles = started(engine, *jobs)
    for job in jobs:
        at_work(job)
    kept = json.dumps([asdict(handle) for handle in handles])
    again = [Handle(**tree) for tree in json.loads(kept)]
    other = site()
    assert {state.phase for state in other.poll(again).values()} == {"running"}
    free = len(other.room_for([NEED] * 1000))
    for handle in again:
        other.adopt(handle, NEED)
    assert len(other.room_for([NEED] * 1000)) == free - 2
    other.cancel(again[:1], kill=True)
    until(other, again[0], "ended")
    go(jobs[1], 75)
    assert until(other, again[1], "ended").exit_status in (75, None)
    assert len(other.room_for([NEED] * 1000)) == free


def test_what_nobody_knows_passes_without_a_word(engine: Executor) -> None:
    known = engine.describe()
    stranger = Handle(engine="local", place="another machine", job="1 1 cpu")
    assert engine.poll([stranger])[stranger].phase in ("unknown", "ended")
    engine.adopt(stranger, NEED)
    engine.cancel([stranger], kill=False)
    engine.cancel([stranger], kill=True)
    assert engine.describe() == known
