import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import benchmark
from benchmark.errors import ManifestError
from benchmark.results.store import Store
from tests.places import ROOT

from .fakes import cell, measure, own, paper, train


@pytest.fixture
def filled(store: Store) -> Store:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.4])
    train(store, cell(suite, "ResNet-110", "SFE - SI"), [76.0, 76.6])
    measure(store, paper("table3"))
    (store.folder / "broken.json").write_text("{")
    return store


def test_results_one_row_a_run_and_metric(filled: Store) -> None:
    frame = benchmark.read_results("paper", filled.folder.parent)
    assert set(frame["kind"]) == {"train", "cost"}
    chosen = frame[(frame["metric"] == "single_last_epoch") & (frame["method.classifiers"] == 2)]
    assert list(chosen["value"]) == [76.0, 76.6]
    assert list(chosen["seed"]) == [0, 1]
    assert set(chosen["network.depth"]) == {110}
    assert set(chosen["method.masks.views"]) == {8}
    costs = frame[(frame["kind"] == "cost") & (frame["metric"] == "memory_mib")]
    assert list(costs["variant"]) == ["baseline", "SFE", "SLA", "SFE, pooled first"]


def test_trials_and_claims(filled: Store) -> None:
    trials = benchmark.read_trials("paper", ("table1",), results_dir=filled.folder.parent)
    base = trials[(trials["column"] == "Baseline") & (trials["metric"] == "accuracy_last_epoch")]
    assert list(base["value"]) == [74.0, 74.4]
    assert list(base["seed"]) == [0, 1]
    with_costs = benchmark.read_trials("paper", results_dir=filled.folder.parent)
    assert str(with_costs["seed"].dtype) == "Int64"
    claims = benchmark.read_claims("paper", results_dir=filled.folder.parent)
    assert len(claims) == 99
    assert list(claims["claim"])[-1] == "10"
    first = claims.iloc[0]
    assert (first["part"], first["trials"]) == ("ResNet-110", 2)


def test_numbers_have_every_digit(filled: Store) -> None:
    first = benchmark.read_claims("paper", results_dir=filled.folder.parent).iloc[0]
    assert first["difference"] == statistics.fmean([76.0, 76.6]) - statistics.fmean([74.0, 74.4])
    assert len(str(first["interval95_low"])) > 12


def test_claims_of_ones_own(filled: Store, tmp_path: Path) -> None:
    part = {"kind": "greater", "label": "one", "a": ["one", "SI"], "b": ["one", "Plain"]}
    suite = own(tmp_path, claims=[{"claim": "mine", "statement": "Masks help", "parts": [part]}])
    results = filled.folder.parent
    assert list(benchmark.read_claims("paper", [str(suite.path)], results_dir=results)["claim"]) == ["mine"]
    assert len(benchmark.read_claims("paper", ["table2", str(suite.path)], results_dir=results)) == 100


@pytest.mark.parametrize("read", [benchmark.read_results, benchmark.read_trials, benchmark.read_claims])
def test_a_profile_that_is_none_is_refused(read: Callable[..., object], store: Store) -> None:
    with pytest.raises(ManifestError, match="papr"):
        read("papr", results_dir=store.folder.parent)


def test_nothing_is_no_mistake(store: Store) -> None:
    assert benchmark.read_results("paper", store.folder.parent).empty
    assert benchmark.read_trials("paper", results_dir=store.folder.parent).empty


def test_the_package_stays_light_until_a_frame_is_asked_for() -> None:
    program = "import sys, benchmark; assert 'pandas' not in sys.modules; benchmark.read_results; "
    program += "assert 'pandas' in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="read_nothing"):
        _ = benchmark.read_nothing
