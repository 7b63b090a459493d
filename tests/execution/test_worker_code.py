"""Workers with other code than their runner's, or none that can be imported."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_UNUSABLE
from benchmark.results import code
from benchmark.results.code import this_code
from benchmark.runs.axes import Network
from benchmark.training.loop import Training
from tests.execution.place import WRN, Place, cost_place, nothing_is_blamed, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def test_a_result_names_the_code_that_its_run_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = this_code().model_copy(update={"commit": "c0ffee", "dirty": True, "note": None})
    monkeypatch.setattr(code._Own, "code", None)
    train = Training.run

    def train_and_edit(training: Training, *hooks: Callable[[Training], None]) -> None:
        monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
        train(training, *hooks)

    monkeypatch.setattr(Training, "run", train_and_edit)
    place = Place(tmp_path, spec_of(epochs=1), code=known)  # as its runner knows it, which may have git alone
    assert place.run() == 0
    assert place.result().provenance.code == known
    assert place.result().provenance.origin()["code"] == ["c0ffee+uncommitted"]


def test_a_worker_with_other_code_than_its_runner_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, spec_of(), code=this_code().model_copy(update={"digest": "sha256:another"}))
    assert place.run() == EXIT_UNUSABLE
    assert "has changed since this command was started; start it again" in capsys.readouterr().err
    assert not place.folder.attempts.exists()
    assert nothing_is_blamed(place)


@pytest.mark.parametrize("place_of", [lambda root: Place(root, spec_of()), lambda root: cost_place(root)])
def test_code_that_changes_while_a_worker_loads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place_of: Callable[[Path], Place]
) -> None:
    monkeypatch.setattr("benchmark.training.cost.measure", lambda *_: ({}, {}))
    monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
    place = place_of(tmp_path)
    assert place.run() == EXIT_UNUSABLE
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)


@pytest.mark.parametrize("module", ["benchmark.training.loop", "torchvision.models"])
def test_what_can_not_be_imported_is_no_fault_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    network = Network(family="resnet_imagenet", depth=18) if module == "torchvision.models" else WRN
    place = Place(tmp_path, spec_of().model_copy(update={"network": network}))
    monkeypatch.setitem(sys.modules, module, None)
    assert place.run() == EXIT_UNUSABLE
    assert "torch, or what goes with it, can't be imported (ModuleNotFoundError" in capsys.readouterr().out
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)
