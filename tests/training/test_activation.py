from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.data.packed import ImageSet
from benchmark.data.standin import standin
from benchmark.errors import DivergedError, StoreError
from benchmark.results.provenance import Provenance
from benchmark.results.record import ActivationMap
from benchmark.results.store import Result, Store
from benchmark.runs.axes import Dataset, Discard, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec, run_id
from benchmark.training.activation import activation_maps
from benchmark.training.loop import Training

DATASET = Dataset(name="cifar10", source="standin", train_images=8, test_images=12)
CPU = torch.device("cpu")


def spec_of(maps: int, method: Method | None = None) -> TrainSpec:
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=DATASET,
        network=Network(family="wrn", depth=10, width=1),
        method=method or Method(discard=Discard(groups=4, group=2)),
        schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
        activation_maps=maps,
    )


def trained(maps: int) -> tuple[Training, ImageSet]:
    data = standin(DATASET)
    training = Training(spec_of(maps), data, CPU)
    training.run(lambda _: None)
    return training, data


def test_one_map_an_image_of_the_first_classes() -> None:
    training, data = trained(5)
    maps = training.activation_maps()
    assert maps is not None
    assert [one.label for one in maps] == [0, 1, 2, 3, 4]
    for one in maps:
        assert data.test.labels[one.image] == one.label
        assert list(data.test.labels[: one.image]).count(one.label) == 0  # its class's first
        assert np.shape(one.map) == (8, 8)
        assert all(value == float(f"{value:.4g}") for row in one.map for value in row)


def test_predicted_is_what_the_accuracy_counts() -> None:
    training, data = trained(100)  # more than there are: all
    maps = training.activation_maps()
    assert maps is not None
    assert sorted(one.image for one in maps) == list(range(12))
    right = sum(one.predicted == one.label for one in maps)
    assert 100 * right / len(data.test.labels) == training.metrics()["single_last_epoch"]


def test_no_maps_unless_asked_for_and_no_other_digit_with_them() -> None:
    (plain, _), (asked, _) = trained(0), trained(3)
    assert plain.activation_maps() is None
    assert plain.history == asked.history


def test_a_map_that_is_not_finite_is_a_failure() -> None:
    training, data = trained(2)
    with torch.no_grad():
        training.model.heads["stage3"].get_parameter("weight").fill_(float("inf"))
    with pytest.raises(DivergedError, match="not finite"):
        activation_maps(training.model, data, spec_of(2), CPU)


# ------------------------------------------------------------------ in the store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "smoke")


def result_of(spec: TrainSpec, maps: list[ActivationMap] | None) -> Result:
    return Result(
        schema_version=2,
        run_id=run_id(spec),
        spec=spec,
        status="completed",
        metrics={"single_last_epoch": 10.0},
        history=[],
        cost={},
        provenance=Provenance(),
        activation_maps=maps,
    )


def test_maps_come_back_from_the_store_as_they_went(store: Store) -> None:
    maps = [ActivationMap(image=3, label=1, predicted=0, map=[[0.1234, -2.0], [1e-05, 3.0]])]
    result = result_of(spec_of(1), maps)
    store.put(result)
    assert store.load(result.run_id) == result


def test_other_results_do_not_mention_them(store: Store) -> None:
    result = result_of(spec_of(0), None)
    store.put(result)
    assert '"activation_maps": [' not in store.path(result.run_id).read_text()
    assert store.load(result.run_id).activation_maps is None


@pytest.mark.parametrize(
    "spoil", [lambda text: text.replace("-2.0,", "-2.0, 1.0,"), lambda text: text.replace('"label"', '"lable"')]
)
def test_a_damaged_map_is_named(store: Store, spoil: Callable[[str], str]) -> None:
    result = result_of(spec_of(1), [ActivationMap(image=3, label=1, predicted=0, map=[[-2.0, 0.5], [1.0, 3.0]])])
    store.put(result)
    path = store.path(result.run_id)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(StoreError, match=r"activation_maps\[0\]"):
        store.load(result.run_id)
