"""Nothing above an engine believes it: one that queues, loses, reorders and lies about ends costs time alone."""

import contextlib
import random
from pathlib import Path

import pytest

from benchmark.execution.fleet import Clock
from benchmark.execution.held import Drivers, held
from benchmark.execution.needs import Needs
from benchmark.execution.places import Places
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.summary import Summary
from benchmark.results.store import Store
from tests.execution.simulated import Faults, Simulated, Time
from tests.execution.test_scheduler import PACE, FakeView, runs_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power cut is played here, and no change of code."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("benchmark.execution.scheduler.require_same", lambda _: None)


class House:
    """A store and folders that outlive drivers, with an engine that does too."""

    def __init__(self, root: Path, **engine: object) -> None:
        self.time, self.store = Time(), Store(root / "results")
        self.places = Places(runs=root / "runs", cache=root / "cache", data=None)
        options = {"slots": 8, "seconds": lambda _: 100.0, **engine}
        self.engine = Simulated(self.time, self.store, **options)  # type: ignore[arg-type]
        self.runs = runs_of(24)
        self.asked = 0

    def driver(self, **options: object) -> Scheduler:
        clock = Clock(self.time.now, self.time.sleep)
        needs = Needs(self.engine.describe(), PACE)
        asked = {"asked": lambda: self.asked}
        return Scheduler(
            self.engine,
            self.store,
            self.places,
            FakeView(),
            needs,
            clock=clock,
            **{**asked, **options},  # type: ignore[arg-type]
        )

    def drive(self) -> Summary:
        done = self.store.completed()
        return self.driver().run([run for run in self.runs if run.run_id not in done])

    def all_done(self) -> bool:
        return self.store.completed() == {run.run_id for run in self.runs}

    def handles(self) -> int:
        return sum(held(RunFolder(self.places.runs / run.run_id)) is not None for run in self.runs)


@pytest.mark.parametrize("seed", range(3))
def test_an_engine_that_errs_costs_time_alone(tmp_path: Path, seed: int) -> None:
    faults = Faults(
        lost=0.1,
        vanishes=0.05,
        preempted=0.1,
        ends_early=0.1,
        ends_never=0.1,
        silent=0.1,
        late_s=40,
        draw=random.Random(seed),
    )
    house = House(tmp_path, faults=faults)
    summary = house.drive()
    assert summary == Summary(completed=24)
    assert house.all_done()
    assert house.engine.doubled == [], "nobody trains what another one is at work on"
    assert house.handles() == 0


def test_without_faults_each_run_is_submitted_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.drive() == Summary(completed=24)
    assert house.engine.submitted == [run.run_id for run in house.runs]
    assert house.time.seconds < 24 / 8 * (100 + 30 + 3 * 15)


def test_results_that_show_late_are_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path, faults=Faults(late_s=55))
    assert house.drive() == Summary(completed=24)
    assert len(house.engine.submitted) == 24


@pytest.mark.parametrize("seed", range(2))
def test_a_driver_that_is_killed_again_and_again_is_taken_over_from(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers go on; the next one goes on with them, and starts nothing twice."""
    house, draw = House(tmp_path), random.Random(seed)

    class Killed(BaseException):
        pass

    for _ in range(12):
        at = house.time.seconds + draw.uniform(0, 120)

        def sleep(seconds: float, at: float = at) -> None:
            house.time.sleep(seconds)
            if house.time.seconds > at:
                raise Killed

        driver = house.driver()
        driver.clock = driver.fleet.clock = Clock(house.time.now, sleep)
        monkeypatch.setattr(driver, "_end", lambda: None)  # killed, it does nothing more
        with contextlib.suppress(Killed):
            driver.run([run for run in house.runs if run.run_id not in house.store.completed()])
    assert house.time.seconds > 200
    house.drive()
    assert house.all_done()
    assert len(house.engine.submitted) == 24
    assert house.handles() == 0


def test_an_interrupted_driver_leaves_workers_that_outlive_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.asked = 1
    driver = house.driver(asked=lambda: int(house.time.seconds > 50))
    summary = driver.run(house.runs)
    assert (summary.interrupted, summary.going_on) == (True, 8)
    assert house.handles() == 8
    house.asked = 0
    assert house.drive().completed == 24
    assert len(house.engine.submitted) == 24


def test_who_is_told_to_stop_ends_its_workers_wherever_they_are(tmp_path: Path) -> None:
    house = House(tmp_path)
    driver = house.driver()
    sleep = house.time.sleep

    def then_stop(seconds: float) -> None:
        sleep(seconds)
        if 60 < house.time.seconds < 62:
            Drivers(house.places.runs).stop()

    driver.clock = driver.fleet.clock = Clock(house.time.now, then_stop)
    summary = driver.run(house.runs)
    assert summary.interrupted
    assert summary.going_on == 0
    assert house.handles() == 0
    assert house.drive().completed + summary.completed == 24, "it is asked once, not for ever"


def test_workers_of_a_driver_that_is_alive_are_left_to_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = house.driver(asked=lambda: int(house.time.seconds > 30))
    assert first.run(house.runs).going_on == 8
    house.engine.slots = 100
    with first.drivers.named():
        other = house.driver(deadline=house.time.seconds + 10)
        other.run(house.runs)
    assert isinstance(other.view, FakeView)
    assert [name for what, name in other.view.events if what == "waits"] == house.engine.submitted[:8]
    assert sorted(house.engine.submitted) == sorted(run.run_id for run in house.runs), "none of them twice"
