"""``redo`` and ``reproduce``, with a scheduler that trains nothing: what moves, what stays, what is said."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.execution.scheduler import Scheduler
from benchmark.execution.summary import Summary
from benchmark.planning.plan import PlannedRun
from benchmark.results.code import this_code
from benchmark.results.store import Result, Store
from benchmark.runs.spec import TrainSpec
from tests import made
from tests.cli.test_cli import Command, refused
from tests.cli.test_cli import command as command
from tests.cli.test_cli import folders as folders
from tests.places import GOLDEN

CELL = "table1: ResNet-110 / Baseline"
SMOKE = ("--profile", "smoke", "--device", "cpu")

Train = Callable[[TrainSpec], Result]


class Trained:
    """What a scheduler was asked for, and what it leaves."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.make: Train = lambda spec: made.result(spec, provenance=MACHINE)


MACHINE: dict[str, Any] = {**made.MACHINE, "code": this_code().model_dump()}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The ids of the runs that were to be trained; each leaves a result."""
    found = Trained()

    def run(self: Scheduler, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        for planned in runs:
            found.names.append(planned.run_id)
            if isinstance(planned.spec, TrainSpec):
                self.store.put(found.make(planned.spec))
        return Summary(completed=len(runs))

    monkeypatch.setattr(Scheduler, "run", run)
    monkeypatch.setattr(sys.modules["benchmark.cli.run"], "write_reports", lambda *_: None)
    return found


@pytest.fixture
def store(folders: Path, command: Command, trained: Trained) -> Store:
    """Two trials of one cell, done, and nothing else."""
    assert command("table1", "--only", CELL, *SMOKE).status == 0
    trained.names.clear()
    return Store(folders / "results" / "smoke")


def files(store: Store) -> dict[str, bytes]:
    return {str(path.relative_to(store.folder)): path.read_bytes() for path in store.folder.rglob("*.json")}


def test_a_cell_is_trained_again_and_what_was_there_is_kept(command: Command, store: Store, trained: Trained) -> None:
    before = files(store)
    first, second = sorted(store.completed())
    for number in range(1, 4):
        said = command("redo", CELL, *SMOKE)
        assert said.status == 0, said.err
        assert f"replaced/{first}" in said.out
        assert set(trained.names) == {first, second}
        assert store.completed() == {first, second}
        kept = [name for name in files(store) if name.startswith("replaced/")]
        assert len(kept) == 2 * number
    assert files(store)[f"replaced/{first}.json"] == before[f"{first}.json"]


def test_one_run_by_a_part_of_its_id_leaves_the_others(command: Command, store: Store, trained: Trained) -> None:
    first, second = sorted(store.completed())
    before = store.path(second).stat().st_ino
    assert command("redo", first[-8:], *SMOKE).status == 0
    assert trained.names == [first]
    assert store.path(second).stat().st_ino == before


def test_a_failed_run_is_trained_again(command: Command, store: Store, trained: Trained) -> None:
    first, _ = sorted(store.completed())
    failed = store.load(first)
    store.path(first).unlink()
    failure = {"reason": "x", "log_tail": [], "log_file": "y"}
    store.put(Result.model_validate({**failed.model_dump(), "status": "crashed", "failure": failure}))
    assert store.failed() == {first}
    assert command("redo", first, *SMOKE).status == 0
    assert trained.names == [first]
    assert not store.failed()


@pytest.mark.parametrize("verb", ["redo", "reproduce"])
@pytest.mark.parametrize("words", [["nothing"], ["resnet110"], ["DenseNet / Baseline"], ["ResNet-110"], [CELL, "no"]])
def test_what_names_no_run_moves_nothing(
    command: Command, store: Store, trained: Trained, verb: str, words: list[str]
) -> None:
    before = files(store)
    refused(command(verb, *words, *SMOKE), words[-1])
    assert files(store) == before
    assert trained.names == []


def test_a_run_that_no_suite_asks_for_is_refused(command: Command, store: Store) -> None:
    store.put(made.result())
    refused(command("redo", made.result().run_id, *SMOKE), "no suite asks for this as it stands", "--suite")
    assert store.has(made.result().run_id)


def test_a_reproduction_lies_beside_and_is_compared(
    command: Command, store: Store, trained: Trained, folders: Path
) -> None:
    before = files(store)
    said = command("reproduce", CELL, *SMOKE)
    assert said.status == 0, said.err
    assert said.out.count("reproduced: ") == 2
    assert "equal to the last bit" in said.out
    assert files(store) == before
    place = Store(folders / "scratch" / "reproduced" / "smoke")
    assert (len(trained.names), place.completed()) == (2, set()), "what was compared is set aside"
    assert len(list(place.replaced_folder.iterdir())) == 2
    assert command("reproduce", CELL, *SMOKE).status == 0
    assert len(trained.names) == 4, "the next time trains anew"


def test_what_differs_ends_with_1(command: Command, store: Store, trained: Trained) -> None:
    trained.make = lambda spec: made.result(spec, accuracy=70.01 if spec.seed else 70.0, provenance=MACHINE)
    said = command("reproduce", CELL, *SMOKE)
    assert said.status == 1
    assert said.out.count("NOT reproduced: ") == 1
    assert "DIFFERS   every digit of metrics and history: epoch 1 is the first to differ" in said.out


def test_what_an_interruption_left_is_compared_only_where_this_code_made_it(
    command: Command, store: Store, trained: Trained, folders: Path
) -> None:
    first, second = sorted(store.completed())
    place = Store(folders / "scratch" / "reproduced" / "smoke")
    for name, code in ((first, MACHINE["code"]), (second, made.MACHINE["code"])):
        place.put(
            store.load(name).model_copy(
                update={"provenance": made.result(provenance={**MACHINE, "code": code}).provenance}
            )
        )
    assert command("reproduce", CELL, *SMOKE).status == 0
    assert trained.names == [second]


def test_a_measurement_has_no_digits_to_compare(command: Command, store: Store) -> None:
    cost = json.loads((GOLDEN / "version2" / "cost-cifar100-resnet110-a7e4dfb26b59.json").read_text())
    store.path(cost["run_id"]).write_text(json.dumps(cost))
    refused(command("reproduce", cost["run_id"], *SMOKE), "measures time and memory")


def test_a_dry_run_is_the_plan(command: Command, store: Store, trained: Trained, folders: Path) -> None:
    words = ("table1", "--only", "DenseNet", "--trials", "1", *SMOKE)
    said = command("run", *words, "--dry-run")
    assert said.status == 0
    assert said.out == command("plan", *words).out
    assert trained.names == []


def test_weights_of_runs_that_are_done_are_missed(command: Command, store: Store, folders: Path) -> None:
    said = command("table1", "--only", CELL, *SMOKE, "--keep-weights", str(folders / "kept"))
    assert (said.status, said.err) == (0, "warning: runs that are done leave no weights; `redo` trains them again\n")
