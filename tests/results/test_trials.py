from pathlib import Path
from typing import Any

import pytest

from benchmark.results.store import Result, Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.suites.suite import Suite
from tests.reports.fakes import cell, measure, paper, train


def _train_spec(suite: Suite, row: str, column: str) -> TrainSpec:
    spec = cell(suite, row, column).spec
    assert isinstance(spec, TrainSpec)
    return spec


def _cost_spec(suite: Suite) -> CostSpec:
    return next(cell.spec for cell in suite.cells if isinstance(cell.spec, CostSpec))


def test_trials_are_the_entrys_own_whatever_their_seeds(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 75.0, 76.0], seeds=[0, 7, 123])
    train(store, cell(suite, "ResNet-110", "SFE - SI"), [80.0])
    found = Trials(store).of(_train_spec(suite, "ResNet-110", "Baseline"))
    assert [run.spec.seed for run in found if isinstance(run.spec, TrainSpec)] == [0, 7, 123]


def test_an_empty_store_has_no_trials(store: Store) -> None:
    suite = paper("table3")
    assert Trials(store).of(_train_spec(suite, "SLA", "Single Accuracy (%)")) == []
    assert Trials(store).cost(_cost_spec(suite)) is None


def test_every_file_is_opened_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "SFE - SI"), [76.0, 77.0])
    opened: list[str] = []
    load = Store.load

    def counting(self: Store, name: str) -> Result:
        opened.append(name)
        return load(self, name)

    monkeypatch.setattr(Store, "load", counting)
    runs = Trials(store)
    for column in ("SFE - SI", "SFE - AG", "Baseline"):
        runs.of(_train_spec(suite, "ResNet-110", column))
    assert len(opened) == len(set(opened)) == 2


def test_a_measurement_counts_wherever_the_report_is_written(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="Some GPU", scale=2.0)
    found = Trials(store).cost(_cost_spec(suite))
    assert found is not None
    assert isinstance(found.spec, CostSpec)
    assert found.spec.device == "Some GPU"


def test_of_several_devices_the_fastest_is_reported(store: Store) -> None:
    suite = paper("table3")
    for device, scale in (("A slow one", 3.0), ("The fastest", 0.1), ("Z middling", 1.0)):
        measure(store, suite, device=device, scale=scale)
    found = Trials(store).cost(_cost_spec(suite))
    assert found is not None
    assert isinstance(found.spec, CostSpec)
    assert found.spec.device == "The fastest"


def test_another_measurement_does_not_count(store: Store) -> None:
    suite = paper("table3")
    spec = _cost_spec(suite)
    measure(store, suite)
    assert Trials(store).cost(spec.model_copy(update={"steps": spec.steps + 1})) is None


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 1', "[]"])
def test_a_broken_result_counts_as_missing_and_is_named(store: Store, content: str) -> None:
    suite = paper("table1")
    baseline = cell(suite, "ResNet-110", "Baseline")
    train(store, baseline, [74.0])
    (name,) = store.completed()
    train(store, baseline, [74.0, 75.0])
    store.path(name).write_text(content)
    runs, spec = Trials(store), _train_spec(suite, "ResNet-110", "Baseline")
    assert [run.metrics["single_last_epoch"] for run in runs.of(spec)] == [75.0]
    assert runs.not_counted(spec) == [f"{name}.json"]
    assert runs.not_counted(_train_spec(suite, "ResNet-110", "SFE - SI")) == []


def test_files_of_others_are_left_alone(store: Store, tmp_path: Path) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0])
    broken: Any = store.folder / "somebody-elses.json"
    broken.write_text("not JSON")
    assert len(Trials(store).of(_train_spec(suite, "ResNet-110", "Baseline"))) == 1
