from pathlib import Path

import pytest

from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import Job, Progress, RunFolder
from benchmark.execution.standing import standing
from benchmark.results.store import Failure, Store
from benchmark.system.locks import Lock
from tests.made import edit, result, spec


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def begun(store: Store, tmp_path: Path, epochs: int) -> RunFolder:
    done = result()
    folder = RunFolder(tmp_path / "runs" / done.run_id)
    places = {"results_folder": str(store.folder), "data_dir": None, "cache_dir": str(tmp_path)}
    folder.order(Job.model_validate({"run_id": done.run_id, "spec": done.spec, "device": "cpu", **places}))
    EpochFile(folder.epochs).hold(done.history[:epochs])
    folder.report(Progress(done=0.5, text="", seconds=12.5))
    return folder


def test_a_completed_run_says_what_its_result_does(store: Store, tmp_path: Path) -> None:
    store.put(result())
    stands = standing(result().run_id, store, tmp_path / "runs")
    assert (stands.state, stands.accuracy, stands.seconds, stands.device) == ("done", {"single": 69.0}, 3600, "a CPU")
    assert stands.in_words() == f"done         {stands.run_id}  single 69.00 %, 1 h 00 min, a CPU"


def test_a_run_under_way_says_what_its_folder_does(store: Store, tmp_path: Path) -> None:
    folder = begun(store, tmp_path, epochs=2)
    with Lock(folder.lock):
        stands = standing(result().run_id, store, tmp_path / "runs")
    assert stands.in_words() == f"running      {stands.run_id}  single 70.00 %, epoch 2, 12 s, cpu"
    folder.checkpoint.write_bytes(b"")
    assert standing(stands.run_id, store, tmp_path / "runs").state == "interrupted"


def test_a_failed_one_says_why(store: Store, tmp_path: Path) -> None:
    begun(store, tmp_path, epochs=0)
    store.put(result(status="crashed", failure=Failure(reason="no room", log_tail=[], log_file="y")))
    stands = standing(result().run_id, store, tmp_path / "runs")
    assert (stands.state, stands.why, stands.epoch) == ("failed", "crashed: no room", 0)


def test_a_missing_one_has_nothing_to_say(store: Store, tmp_path: Path) -> None:
    assert standing(result().run_id, store, tmp_path / "runs").in_words() == f"missing      {result().run_id}"


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"metrics": 3, "provenance": [], "cost": {"train_seconds": "x"}}'])
def test_a_damaged_file_is_no_accident(store: Store, tmp_path: Path, damage: str) -> None:
    store.put(result())
    store.path(result().run_id).write_text(damage)
    assert "can't be read, see verify" in standing(result().run_id, store, tmp_path / "runs").in_words()


def test_seconds_are_at_least_those_of_the_steps(store: Store, tmp_path: Path) -> None:
    """Early results name the start of their last session alone."""
    store.put(result())
    edit(store.path(result().run_id), cost={"train_seconds": 7200.0})
    assert standing(result().run_id, store, tmp_path / "runs").seconds == 7200
    assert spec() == result().spec
