"""Results of every schema version there ever was still load, under the ids they were given."""

from pathlib import Path

import pytest

from benchmark.audit.verify import verify
from benchmark.errors import UnknownVersionError
from benchmark.results.store import SCHEMA_VERSION, Store, checksum, read_json
from benchmark.runs.spec import CostSpec, TrainSpec, run_id
from tests.made import edit, result
from tests.places import GOLDEN

TRAINING = "standin-cifar100-resnet110-sfe-sd-s0-248793a211e8"
COST = "cost-cifar100-resnet110-a7e4dfb26b59"
FAILURE = "standin-cifar100-resnet110-sfe-sd-s1-54f310498eee"


def test_every_version_has_its_golden_files() -> None:
    assert [path.name for path in sorted(GOLDEN.iterdir())] == [f"version{n}" for n in range(1, SCHEMA_VERSION + 1)]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_every_version_loads(version: int) -> None:
    store = Store(GOLDEN / f"version{version}")
    training, cost, failure = store.load(TRAINING), store.load(COST), store.load_failure(FAILURE)
    assert isinstance(training.spec, TrainSpec)
    assert isinstance(cost.spec, CostSpec)
    assert failure.failure is not None
    assert [run_id(one.spec) for one in (training, cost, failure)] == [TRAINING, COST, FAILURE]
    assert training.metrics["distilled_last_epoch"] == 6.25
    assert training.history[0]["train_loss"] == 41.58044179280599
    assert cost.metrics["SLA"]["memory_mib"] == 1469.11328125
    assert failure.status == "diverged"


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda path: path.stem)
def test_checksums_are_computed_as_they_were(path: Path) -> None:
    tree = read_json(path)
    assert tree["checksum"] == checksum(tree)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_they_pass_for_good(version: int, tmp_path: Path) -> None:
    (tmp_path / "smoke").symlink_to(GOLDEN / f"version{version}")
    assert verify(tmp_path, [], everything=True).findings == []


@pytest.mark.parametrize("version", [0, 3, 99])
def test_an_unknown_version_is_refused_with_the_reason(version: int, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(result())
    edit(store.path(result().run_id), schema_version=version)
    with pytest.raises(UnknownVersionError, match=f"of schema version {version}, and this code reads versions 1 to 2"):
        store.load(result().run_id)


def test_what_is_written_is_of_this_version(tmp_path: Path) -> None:
    Store(tmp_path).put(Store(GOLDEN / "version1").load(TRAINING))
    tree = read_json(tmp_path / f"{TRAINING}.json")
    assert tree["schema_version"] == SCHEMA_VERSION
    assert tree["checksum"] == checksum(tree)
