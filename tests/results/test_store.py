import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import StoreError
from benchmark.results.provenance import Provenance
from benchmark.results.store import Failure, Result, Status, Store, checksum
from benchmark.runs.spec import RUN_SPEC, TrainSpec, run_id, with_seed
from tests.closed import closed, public
from tests.runs.test_spec import COST, SFE

SPEC = TrainSpec.model_validate(SFE)
NAME = run_id(SPEC)


def result(status: Status = "completed", accuracy: float = 76.8, seed: int = 0) -> Result:
    spec = SPEC.model_copy(update={"seed": seed})
    failure = Failure(reason="loss is nan", log_tail=["epoch 3", "loss nan"], log_file="/scratch/log.txt")
    return Result(
        schema_version=2,
        run_id=run_id(spec),
        spec=spec,
        status=status,
        metrics={"single_last_epoch": accuracy, "single_best_epoch": accuracy + 0.5},
        history=[{"epoch": 0, "loss": 4.5}],
        cost={"seconds": 12.5},
        provenance=Provenance(device="a CPU"),
        failure=None if status == "completed" else failure,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "paper")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def tampered(store: Store, **changes: Any) -> None:
    tree = json.loads(store.path(NAME).read_text())
    store.path(NAME).write_text(json.dumps(tree | changes))


def test_nothing_there_is_nothing_done(store: Store) -> None:
    assert store.completed() == set()
    assert store.failed() == set()
    assert not store.folder.exists(), "looking makes no folder"


def test_a_result_comes_back_as_it_was_put(store: Store) -> None:
    store.put(result())
    assert store.load(NAME) == result()
    assert store.completed() == {NAME}
    assert files(store.folder) == [f"{NAME}.json"]


def test_the_file_is_one_object_with_the_full_spec(store: Store) -> None:
    store.put(result())
    tree = json.loads((store.folder / f"{NAME}.json").read_text())
    assert {
        "schema_version",
        "run_id",
        "spec",
        "status",
        "metrics",
        "history",
        "cost",
        "provenance",
    } <= set(tree)
    assert tree["status"] == "completed"
    assert tree["spec"]["choices"]["beta_on"] == "penultimate"
    assert tree["spec"]["numerics"]["precision"] == "fp32"


def test_a_completed_run_is_never_replaced(store: Store) -> None:
    store.put(result(accuracy=76.8))
    before = store.path(NAME).read_bytes()
    store.put(result(accuracy=99.9))
    assert store.path(NAME).read_bytes() == before
    assert files(store.folder) == [f"{NAME}.json"]


def test_a_failure_lies_apart_and_the_next_replaces_it(store: Store) -> None:
    store.put(result("crashed"))
    store.put(result("diverged"))
    assert files(store.folder) == [f"failures/{NAME}.json"]
    assert store.load_failure(NAME).status == "diverged"
    assert store.load_failure(NAME).failure == result("diverged").failure
    assert store.failed() == {NAME}
    assert store.completed() == set()


def test_completing_takes_the_failure_away(store: Store) -> None:
    store.put(result("timed_out"))
    store.put(result("out_of_memory", seed=1))
    store.put(result())
    assert store.failed() == {run_id(with_seed(SPEC, 1))}
    assert files(store.folder) == [f"{NAME}.json", f"failures/{run_id(with_seed(SPEC, 1))}.json"]


def test_a_late_failure_does_not_undo_a_completed_run(store: Store) -> None:
    store.put(result())
    store.put(result("crashed"))
    assert store.failed() == set()
    assert store.completed() == {NAME}
    assert store.load(NAME).status == "completed"
    assert files(store.folder) == [f"{NAME}.json"]


def test_what_failed_is_no_completed_run(store: Store) -> None:
    store.put(result("crashed"))
    (store.failures_folder / f"{NAME}.json").rename(store.path(NAME))
    with pytest.raises(StoreError, match=NAME):
        store.load(NAME)


def test_a_missing_file(store: Store) -> None:
    with pytest.raises(StoreError, match=f"{NAME}.json: can't be read"):
        store.load(NAME)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"run_id": "x"}', "\x00\x01", "<html>"])
def test_what_is_no_result(store: Store, content: str) -> None:
    store.folder.mkdir(parents=True)
    store.path(NAME).write_text(content)
    with pytest.raises(StoreError) as caught:
        store.load(NAME)
    assert str(caught.value).startswith(f"{store.path(NAME)}: ")
    assert "move it away" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_file(store: Store, part: float) -> None:
    store.put(result())
    blob = store.path(NAME).read_bytes()
    store.path(NAME).write_bytes(blob[: int(len(blob) * part)])
    with pytest.raises(StoreError, match=f"{NAME}.json"):
        store.load(NAME)


def test_a_renamed_file(store: Store) -> None:
    store.put(result())
    store.path(NAME).rename(store.path("cifar100-resnet110-sfe-s0-000000000000"))
    with pytest.raises(StoreError, match=r"000000000000\.json: .*do not belong together"):
        store.load("cifar100-resnet110-sfe-s0-000000000000")


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "cifar100-resnet110-sfe-s0-000000000000"},
        {"spec": result(seed=1).spec.model_dump(mode="json")},
        {"schema_version": 3},
        {"status": "fine"},
        {"surprise": 1},
        {"metrics": None},
    ],
    ids=lambda changes: ", ".join(changes),
)
def test_a_file_changed_by_hand(store: Store, changes: dict[str, Any]) -> None:
    store.put(result())
    tampered(store, **changes)
    with pytest.raises(StoreError, match=f"{NAME}.json"):
        store.load(NAME)


def test_a_new_field_of_the_spec_is_its_default_in_old_results(store: Store) -> None:
    store.put(result())
    spec = json.loads(store.path(NAME).read_text())["spec"]
    del spec["numerics"]["deterministic"]
    tree = json.loads(store.path(NAME).read_text()) | {"spec": spec}
    tampered(store, spec=spec, checksum=checksum(tree))
    assert store.load(NAME) == result()


def test_an_edited_result_is_refused(store: Store) -> None:
    store.put(result())
    metrics = json.loads(store.path(NAME).read_text())["metrics"]
    tampered(store, metrics=metrics | {name: value + 1 for name, value in metrics.items()})
    with pytest.raises(StoreError, match="was changed after it was written"):
        store.load(NAME)


def test_the_store_looks_at_results_only(store: Store) -> None:
    store.put(result())
    store.put(result("crashed", seed=1))
    for stray in ("README.md", f".{NAME}.json.abc.tmp", "failures/notes.txt"):
        (store.folder / stray).write_text("")
    assert store.completed() == {NAME}
    assert store.failed() == {run_id(with_seed(SPEC, 1))}


def test_a_full_disk_harms_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store.put(result("crashed"))
    monkeypatch.setattr("benchmark.system.files.os.fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        store.put(result())
    assert files(store.folder) == [f"failures/{NAME}.json"]
    assert store.load_failure(NAME).status == "crashed"


def test_a_number_that_is_none_is_not_stored(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.put(result(accuracy=float("nan")))
    assert store.completed() == set()


def test_cost_runs_are_stored_too(store: Store) -> None:
    spec = RUN_SPEC.validate_python(COST)
    done = result().model_copy(update={"spec": spec, "run_id": run_id(spec)})
    store.put(done)
    assert store.load(run_id(spec)) == done


def test_a_trial_is_the_entry_with_its_seed() -> None:
    assert with_seed(SPEC, 3) == TrainSpec.model_validate({**SFE, "seed": 3})
    cost = RUN_SPEC.validate_python(COST)
    assert with_seed(cost, 3) is cost


def test_a_file_system_without_hard_links(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*names: object, **options: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    store.put(result(accuracy=76.8))
    before = store.path(NAME).read_bytes()
    store.put(result(accuracy=99.9))
    assert store.path(NAME).read_bytes() == before
    for number in (1, 2):
        store.path(NAME).write_bytes(b"%d" % number)
        assert store.set_aside(store.path(NAME)) is not None
    assert sorted(path.read_bytes() for path in store.damaged_folder.glob("*.json")) == [b"1", b"2"]


def test_a_folder_that_can_not_be_read_is_not_an_empty_one() -> None:
    with public() as top:
        store = Store(top / "paper")
        store.put(result())
        store.put(result("crashed", seed=1))
        with closed(store.failures_folder), pytest.raises(StoreError, match=r"failures: can't be read: Permission"):
            store.failed()
        with closed(store.folder), pytest.raises(StoreError, match=r"paper: can't be read: .*; its owner can let you"):
            store.completed()


def test_whatever_stands_in_a_results_place_is_set_aside_every_time(store: Store) -> None:
    path = store.path("x")
    path.parent.mkdir(parents=True)
    for content in ("folder", "file", "folder", "empty folder", "file", "folder"):
        if content == "file":
            path.write_text("{")
        else:
            path.mkdir()
            (path / "content").touch() if content == "folder" else None
        assert store.set_aside(path) is not None
        assert not path.exists()
    found = {each.name: each.is_file() for each in store.damaged_folder.iterdir()}
    assert found == {
        "x.json": False,
        "x.2.json": True,
        "x.3.json": False,
        "x.4.json": False,
        "x.5.json": True,
        "x.6.json": False,
    }
    assert store.set_aside(path) is None
