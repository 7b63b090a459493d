"""What state the runs of a suite are in, and how long the open ones still take."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from benchmark.cli import main
from benchmark.execution.places import run_folders
from benchmark.execution.run_folder import Progress, RunFolder
from benchmark.execution.status import TimeLeft, claims_reported, count_states, open_runs
from benchmark.planning.measured import pace_of
from benchmark.planning.pace import START_SECONDS
from benchmark.planning.plan import Plan, make_plan
from benchmark.results.store import Failure, Store
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suite
from benchmark.system import hardware
from benchmark.system.locks import Lock
from benchmark.wording import duration
from tests.closed import closed, public
from tests.made import MACHINE, machine_with, result
from tests.reports.test_mixed import OWN


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(OWN))
    return tmp_path / "mine.yaml"


def planned(manifest: Path, store: Store) -> Plan:
    """Two entries of four equal trainings each."""
    return make_plan([load_suite(manifest, load_variant("paper", ["schedule.epochs=3"]))], store.completed())


def done(store: Store, plan: Plan, count: int, seconds: float) -> None:
    for run in plan.runs[:count]:
        store.put(result(run.spec, cost={"train_seconds": seconds}))  # type: ignore[arg-type]


def started(folders: Path, run_id: str) -> RunFolder:
    folder = RunFolder(folders / run_id)
    folder.folder.mkdir(parents=True)
    folder.note_attempt("start")
    return folder


def left(plan: Plan, store: Store, folders: Path) -> TimeLeft:
    pace = pace_of(
        MACHINE["device"], gpu=False, benches=folders, results=store.folder, specs=[run.spec for run in plan.runs]
    )
    return TimeLeft.of(pace, open_runs(plan, store, folders), 0)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.execution.status.cores", lambda: 2)


#: Evaluation on 10,000 images beside training on 50,000; what was timed are the steps alone.
WHOLE = 100.0 * (1 + 0.3 / 5)
HALF = START_SECONDS + WHOLE / 2


def test_completed_runs_tell_the_speed(manifest: Path, tmp_path: Path) -> None:
    store, folders = Store(tmp_path / "results"), tmp_path / "runs"
    done(store, planned(manifest, store), 2, seconds=100.0)
    six = left(planned(manifest, store), store, folders)
    assert six.seconds() == pytest.approx(3 * (START_SECONDS + WHOLE))  # two at once
    assert six.core_seconds() == pytest.approx(6 * (START_SECONDS + WHOLE))
    done(store, planned(manifest, store), 8, seconds=100.0)
    assert left(planned(manifest, store), store, folders).seconds() == 0


def test_running_ones_too_and_failed_ones_are_left_out(manifest: Path, tmp_path: Path) -> None:
    store, folders = Store(tmp_path / "results"), tmp_path / "runs"
    plan = planned(manifest, store)
    first, second, third, *_ = plan.runs
    folder = started(folders, first.run_id)
    folder.report(Progress(done=0.5, text="epoch 2/3", seconds=50.0))
    started(folders, second.run_id).checkpoint.write_bytes(b"state")
    failure = Failure(reason="x", log_tail=[], log_file="y")
    store.put(result(third.spec, status="crashed", failure=failure))  # type: ignore[arg-type]
    with Lock(folder.lock):
        states = count_states(plan, store, folders)
        assert states == {"runs": 8, "done": 0, "running": 1, "interrupted": 1, "failed": 1, "missing": 5}
        found = left(plan, store, folders)
    assert (len(found.runs), found.at_once) == (7, 1)
    assert found.seconds() == pytest.approx(WHOLE / 2 + 6 * (START_SECONDS + WHOLE))
    assert found.seconds([first.run_id, third.run_id]) == pytest.approx(WHOLE / 2)


def test_a_run_of_another_scratch_folder_is_running_too(manifest: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    plan = planned(manifest, store)
    with Lock(store.lock(plan.runs[0].run_id)):
        assert count_states(plan, store, tmp_path / "runs")["running"] == 1


def test_looking_takes_no_lock(manifest: Path, tmp_path: Path) -> None:
    """A worker that starts in that moment would end as busy."""
    store, folders = Store(tmp_path / "results"), tmp_path / "runs"
    plan = planned(manifest, store)
    started(folders, plan.runs[0].run_id)
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            count_states(plan, store, folders)

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look) for _ in range(2)]
        try:
            for _ in range(50):
                with Lock(RunFolder(folders / plan.runs[0].run_id).lock), Lock(store.lock(plan.runs[0].run_id)):
                    pass
        finally:
            over.set()
    for each in looking:
        each.result()


def test_it_is_the_same_before_and_after_an_interruption(manifest: Path, tmp_path: Path) -> None:
    """The next command goes on with as many at once again."""
    store, folders = Store(tmp_path / "results"), tmp_path / "runs"
    plan = planned(manifest, store)
    under_way = [started(folders, run.run_id) for run in plan.runs[:2]]
    for folder in under_way:
        folder.report(Progress(done=0.5, text="epoch 2/3", seconds=50.0))
        folder.checkpoint.write_bytes(b"state")
        folder.note_beside(1)
    with Lock(under_way[0].lock), Lock(under_way[1].lock):
        before = left(plan, store, folders)
    after = left(plan, store, folders)
    assert (before.at_once, after.at_once) == (2, 2)
    assert before.seconds() == pytest.approx(WHOLE / 2 + 3 * (START_SECONDS + WHOLE))
    assert after.seconds() == pytest.approx(HALF + 3 * (START_SECONDS + WHOLE))


def test_status_and_plan_print_the_same_time_left(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hardware, "cpu_model", lambda: MACHINE["device"])
    machine_with(monkeypatch)
    words = [str(manifest), "--set", "schedule.epochs=3"]
    words += [f"--{kind}-dir={tmp_path / kind}" for kind in ("results", "reports", "scratch")]
    store = Store(tmp_path / "results" / "paper+schedule.epochs=3")

    def said(*more: str) -> str:
        monkeypatch.setattr(sys, "argv", ["run_suite.py", more[0], *words, *more[1:]])
        main()
        return capsys.readouterr().out

    assert "time left with 2 runs at once: by the built-in table" in said("status")
    done(store, planned(manifest, store), 4, seconds=100.0)
    _, line, basis = said("status", "--no-runs").splitlines()
    assert line.endswith(duration(2 * (START_SECONDS + WHOLE)))
    assert basis == "time left with 2 runs at once: by the pace of completed results of this device"
    *_, takes, disk, basis = said("plan").splitlines()
    assert disk.startswith("disk: about ")
    assert takes.endswith(f"core-hours, {duration(2 * (START_SECONDS + WHOLE))} with 2 runs at once")
    assert basis.startswith("estimates for a CPU: by the pace of completed results of this device; memory")
    (status,) = json.loads(said("status", "--format", "json")).values()
    estimate = json.loads(said("plan", "--format", "json"))["estimate"]
    assert status["seconds_left"] == estimate["seconds_left"]
    assert estimate["at_once"] == 2
    assert run_folders(tmp_path / "scratch", store).parent == tmp_path / "scratch" / "runs"


# ------------------------------------------------------------------ claims


def test_claims_stand_as_the_last_report_left_them(tmp_path: Path) -> None:
    reduced = load_variant("reduced")
    assert claims_reported(reduced, tmp_path) == "claims at profile reduced: no report yet"
    (tmp_path / "reduced").mkdir()
    lines = ["claim,part,claim_verdict", "1,a,undecided", "1,b,undecided", "2,a,supported", "8a,x,undecided"]
    (tmp_path / "reduced" / "claims.csv").write_text("\n".join(lines))
    said = "claims at profile reduced, by the last report: 1 of 3 supported, 2 undecided"
    assert claims_reported(reduced, tmp_path) == said
    (tmp_path / "reduced" / "claims.csv").write_text("something else\n1\n")
    assert claims_reported(reduced, tmp_path) == "claims at profile reduced: no report yet"


def test_profiles_that_judge_nothing_say_so(tmp_path: Path) -> None:
    assert claims_reported(load_variant("mini"), tmp_path) == "claims: not judged (profile mini)"
    own = load_variant("paper", ["schedule.epochs=6"])
    assert claims_reported(own, tmp_path) == "claims: not judged (profile paper+schedule.epochs=6)"


def test_scratch_folders_of_somebody_else_need_not_be_entered() -> None:
    with public() as top:
        (top / "mine.yaml").write_text(yaml.safe_dump(OWN))
        store = Store(top / "results" / "paper")
        made = planned(top / "mine.yaml", store)
        (top / "runs").mkdir()
        with closed(top / "runs"):
            states = count_states(made, store, top / "runs")
        assert states["missing"] == len(made.runs)
