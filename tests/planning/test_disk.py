"""What `plan` says of disk space. (test_disk.py is about disks that are full.)"""

import json
from pathlib import Path

import pytest

from benchmark.data.places import FOLDERS, INDEX_FILES
from benchmark.planning import disk
from benchmark.planning.disk import Need, disk_needs, in_words
from benchmark.planning.plan import Plan, PlannedRun, make_plan
from benchmark.results.store import Store
from benchmark.runs.spec import RUN_SPEC, TrainSpec
from benchmark.suites.manifest import find_manifests
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suites
from tests.made import result
from tests.places import ROOT


def plan(*names: str, profile: str = "paper", done: set[str] | None = None) -> Plan:
    return make_plan(load_suites(find_manifests(list(names)), load_variant(profile)), done or set())


def needs(made: Plan, root: Path, at_once: int = 2) -> dict[str, Need]:
    found = disk_needs(
        made,
        at_once=at_once,
        data_dir=root / "data",
        cache_dir=root / "cache",
        run_folders=root / "runs",
        results=root / "results",
    )
    return {need.what: need for need in found}


def test_cifar_takes_its_pixels_twice(tmp_path: Path) -> None:
    found = needs(plan("table1"), tmp_path)
    assert found["publishers' files"].whole == 60_000 * 3074
    assert found["packed images"].whole == 60_000 * 3072
    assert found["publishers' files"].there == found["packed images"].there == 0


def test_checkpoints_are_those_of_the_runs_at_once(tmp_path: Path) -> None:
    """WRN-28-10 has 36.54 million weights; each with its momentum, and beside the checkpoint it replaces."""
    one, two = (needs(plan("table1"), tmp_path, count)["checkpoints"].whole for count in (1, 2))
    assert one == pytest.approx(36.54e6 * 8 * 2)
    assert two == 2 * one


def test_fine_grained_sets_are_packed_larger_than_they_come(tmp_path: Path) -> None:
    found = needs(plan("table5"), tmp_path)
    assert found["packed images"].whole > 2 * found["publishers' files"].whole
    assert found["publishers' files"].unknown == ("Stanford Cars",)


def test_what_is_there_is_said(tmp_path: Path) -> None:
    made = plan("table4")
    folder = tmp_path / "data" / FOLDERS["cifar100"]
    folder.mkdir(parents=True)
    for file in INDEX_FILES["cifar100"]:
        (folder / file).touch()
    (tmp_path / "cache" / "cifar100").mkdir(parents=True)
    (tmp_path / "cache" / "cifar100" / "train_images.npy").write_bytes(bytes(1000))
    (tmp_path / "runs" / made.runs[0].run_id).mkdir(parents=True)
    (tmp_path / "runs" / made.runs[0].run_id / "checkpoint.pt").write_bytes(bytes(500))
    found = needs(made, tmp_path)
    assert found["publishers' files"].there == found["publishers' files"].whole > 0
    assert found["packed images"].there == found["packed images"].whole == 1000
    assert found["checkpoints"].there == 500
    assert "publishers' files 184 MB (all there)" in in_words(list(found.values()))


@pytest.mark.parametrize("path", sorted((ROOT / "results" / "mini").glob("*.json"))[::6], ids=lambda path: path.stem)
def test_a_result_is_about_as_large_as_estimated(path: Path) -> None:
    tree = json.loads(path.read_text())
    spec = RUN_SPEC.validate_python(tree["spec"])
    estimated = disk._result_bytes(PlannedRun("a-run", spec, (), done=True))
    assert estimated == pytest.approx(path.stat().st_size, rel=0.5)
    epochs = len(json.dumps({"history": tree["history"]}, indent=1))
    assert estimated - disk._RESULT == pytest.approx(epochs, rel=0.3)


def test_results_that_are_there_are_said(tmp_path: Path) -> None:
    spec = next(run.spec for run in plan("table1").runs)
    assert isinstance(spec, TrainSpec)
    store = Store(tmp_path / "results")
    store.put(result(spec))
    there = needs(plan("table1", done=store.completed()), tmp_path)["results"].there
    assert there == store.path(result(spec).run_id).stat().st_size


def test_stand_ins_take_no_images(tmp_path: Path) -> None:
    found = needs(plan("table1", profile="smoke"), tmp_path)
    assert found["publishers' files"].whole == found["packed images"].whole == 0
