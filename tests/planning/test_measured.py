import json
import time
from pathlib import Path
from typing import Any

import pytest

from benchmark.planning.measured import bench_paces, memory_of, pace_of, result_pace
from benchmark.planning.pace import BENCH, RESULTS, Pace
from benchmark.results.store import Store
from benchmark.runs.spec import TrainSpec, run_id
from tests.made import MACHINE, result, spec
from tests.places import ROOT

A_CPU = Pace("a CPU")


def bench(folder: Path, **changes: Any) -> Path:
    tree = {
        "device": "a GPU",
        "setup": {"network": "resnet110", "batch_size": 128, "threads": 2, "precision": "fp32", "compiled": False},
        "methods": {"baseline": {}, "SLA": {"rotations": 4}},
        "steps": {"variants": {"baseline": {"seconds_per_step": 0.0128}, "SLA": {"seconds_per_step": 0.0512}}},
        "provenance": {"device_kind": "cuda"},
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps(tree | changes))
    return path


def known(folder: Path, device: str, specs: list[TrainSpec], *, gpu: bool = False) -> Pace:
    return pace_of(device, gpu=gpu, benches=folder / "bench", results=folder / "results" / "paper", specs=specs)


# ------------------------------------------------------------------ benches


def test_a_bench_tells_the_pace_of_its_methods(tmp_path: Path) -> None:
    pace = known(tmp_path, "a GPU", [], gpu=True)
    assert pace.seconds(spec()) is None
    bench(tmp_path / "bench")
    pace = known(tmp_path, "a GPU", [], gpu=True)
    assert pace.step_seconds(spec()) == pytest.approx(0.0128)
    assert pace.step_seconds(spec(method={"rotations": 4})) == pytest.approx(0.0512)
    assert pace.basis([spec()]) == "from a bench of this device"
    assert known(tmp_path, "another GPU", [], gpu=True).seconds(spec()) is None


def test_on_a_processor_a_benchs_threads_count_as_cores(tmp_path: Path) -> None:
    bench(tmp_path / "bench", device="a CPU", provenance={"device_kind": "cpu"})
    pace = known(tmp_path, "a CPU", [])
    assert pace.step_seconds(spec()) == pytest.approx(2 * 0.0128)
    assert pace.step_seconds(spec(numerics={"threads": 2})) == pytest.approx(0.0128)


def test_a_matrix_tells_them_for_all_kinds_of_steps(tmp_path: Path) -> None:
    cells = [
        {"mode": mode, "precision": precision, "method": "baseline", "seconds_per_step": seconds}
        for mode, precision, seconds in (
            ("eager", "fp32", 0.012),
            ("graph", "fp32", 0.006),
            ("graph", "bf16", 0.004),
            ("compiled", "bf16", 0.003),
        )
    ]
    cells.append({"mode": "eager", "precision": "bf16", "method": "baseline", "state": "failed", "why": "no memory"})
    bench(tmp_path / "bench", matrix={"cells": cells})
    pace = known(tmp_path, "a GPU", [], gpu=True)
    bf16 = spec(numerics={"precision": "bf16"})
    assert pace.step_seconds(spec()) == pytest.approx(0.012)
    assert pace.step_seconds(spec(), graphs=True) == pytest.approx(0.006)
    assert pace.step_seconds(bf16, graphs=True) == pytest.approx(0.004)
    assert pace.step_seconds(spec(numerics={"precision": "bf16", "compiled": True})) == pytest.approx(0.003)
    assert pace.basis([bf16]).startswith("scaled from a bench of this device")


@pytest.mark.parametrize("path", sorted((ROOT / "reports" / "bench").glob("*.json")), ids=lambda path: path.stem)
def test_the_benches_in_the_repository_count(path: Path) -> None:
    found = bench_paces(path, json.loads(path.read_text())["device"])
    assert found
    assert all(0.1 < seen.rate < 10 for seen in found)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"device": "a CPU"}', '{"device": "a CPU", "setup": {}}', "1"])
def test_what_is_no_bench_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert bench_paces(tmp_path / "x.json", "a CPU") == []


@pytest.mark.parametrize("seconds", [0, -1.0, "fast", None, True])
def test_seconds_that_are_none_tell_nothing(tmp_path: Path, seconds: Any) -> None:
    path = bench(tmp_path / "bench", steps={"variants": {"baseline": {"seconds_per_step": seconds}}})
    assert bench_paces(path, "a GPU") == []


# ------------------------------------------------------------------ results


def put(root: Path, of: TrainSpec, profile: str = "paper", seconds: float = 120.0, **provenance: Any) -> Path:
    store = Store(root / "results" / profile)
    store.put(result(of, cost={"train_seconds": seconds}, provenance=MACHINE | {"device": "a CPU"} | provenance))
    return store.path(result(of).run_id)


def test_completed_results_of_the_device_tell_their_pace(tmp_path: Path) -> None:
    put(tmp_path, spec(0), seconds=100.0)
    put(tmp_path, spec(1), seconds=300.0)
    put(tmp_path, spec(2), seconds=1.0, device="another CPU")
    pace = known(tmp_path, "a CPU", [spec(3)])
    steps = 3 * 50_000 / 128
    assert pace.step_seconds(spec(3)) == pytest.approx(200.0 / steps)
    assert pace.basis([spec(3)]) == "by the pace of completed results of this device"
    assert known(tmp_path, "a third CPU", [spec(3)]).seen == []


def test_results_of_other_profiles_tell_where_their_networks_are_the_same(tmp_path: Path) -> None:
    put(tmp_path, spec(0), profile="short")
    put(tmp_path, spec(0, network={"family": "resnet", "depth": 20}), profile="mini")
    assert [seen.kind.network for seen in known(tmp_path, "a CPU", [spec(0)]).seen] == [("resnet", 110, None)]


def test_a_bench_comes_before_results_as_near(tmp_path: Path) -> None:
    put(tmp_path, spec(0))
    bench(tmp_path / "bench", device="a CPU", provenance={"device_kind": "cpu"})
    pace = known(tmp_path, "a CPU", [spec(0)])
    assert {seen.source for seen in pace.seen} == {BENCH, RESULTS}
    assert pace.basis([spec(0)]) == "from a bench of this device"


def test_replayed_steps_are_a_kind_of_their_own(tmp_path: Path) -> None:
    def of(seed: int, *graphs: str) -> bool | None:
        sessions = [{"device": "a CPU", "graphs": word} for word in graphs]
        found = result_pace(put(tmp_path, spec(seed), sessions=sessions), A_CPU)
        return found.kind.graphs if found else None

    assert [of(0, "on"), of(1, "off"), of(2), of(3, "failed: x"), of(4, "on", "off")] == [
        True,
        False,
        False,
        False,
        None,
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": {}},
        {"cost": {"train_seconds": "long"}},
        {"cost": {"train_seconds": -1}},
        {"provenance": None},
        {"provenance": {"sessions": [1]}},
        {"spec": {"kind": "train"}},
        {"spec": None},
    ],
)
def test_what_is_no_result_tells_nothing(tmp_path: Path, change: dict[str, Any]) -> None:
    path = put(tmp_path, spec(0))
    assert result_pace(path, A_CPU) is not None
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert result_pace(path, A_CPU) is None
    path.write_text("[" * 100_000)
    assert result_pace(path, A_CPU) is None


def test_few_of_many_results_are_read_and_each_network_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [{"family": "resnet", "depth": depth} for depth in (11, 20, 110)]
    specs = [spec(seed, network=network) for network in networks for seed in range(30)]
    folder = tmp_path / "results" / "paper"
    folder.mkdir(parents=True)
    for of in specs:
        (folder / f"{result(of).run_id}.json").write_text("{}")
    read: list[str] = []
    monkeypatch.setattr("benchmark.planning.measured.result_pace", lambda path, _: read.append(path.name))
    started = time.monotonic()
    known(tmp_path, "a CPU", specs)
    assert len(read) == len(set(read)) == 20
    assert {name.split("-")[1] for name in read[:3]} == {"resnet11", "resnet20", "resnet110"}
    assert time.monotonic() - started < 5


# ------------------------------------------------------------------ memory


def with_memory(root: Path, of: TrainSpec, cost: dict[str, float], **provenance: Any) -> Store:
    store = Store(root / "results" / "paper")
    store.put(result(of, cost=cost, provenance=MACHINE | provenance))
    return store


def test_another_seeds_peak_is_what_a_run_takes(tmp_path: Path) -> None:
    store = with_memory(tmp_path, spec(2), {"process_peak_mib": 2048.0})
    other = spec(0, network={"family": "resnet", "depth": 20})
    assert memory_of(store, [spec(5), spec(6), other], gpu=False) == {run_id(spec(0)): pytest.approx(2.2)}
    assert memory_of(store, [spec(5)], gpu=True) == {}, "a processor tells nothing of a GPU"


@pytest.mark.parametrize("graphs", [False, True])
def test_a_gpus_peak_is_its_allocators_and_its_context(tmp_path: Path, graphs: bool) -> None:
    cost = {"process_peak_mib": 9000.0, "reserved_peak_mib": 3072.0}
    sessions = [{"device": "a GPU", "graphs": "on" if graphs else "off"}]
    store = with_memory(tmp_path, spec(1), cost, device_kind="cuda", sessions=sessions)
    assert memory_of(store, [spec(0)], gpu=True, graphs=graphs) == {run_id(spec(0)): pytest.approx(1.1 * 3.8)}
    assert memory_of(store, [spec(0)], gpu=True, graphs=not graphs) == {}
    assert memory_of(store, [spec(0)], gpu=False) == {}


@pytest.mark.parametrize("cost", [{}, {"process_peak_mib": "much"}])
def test_a_result_without_a_peak_tells_nothing(tmp_path: Path, cost: dict[str, Any]) -> None:
    assert memory_of(with_memory(tmp_path, spec(1), cost), [spec(0)], gpu=False) == {}
