import pytest

from benchmark.execution.executors.contract import Site
from benchmark.execution.needs import Needs
from benchmark.planning.estimates import gpu_memory_gib, memory_gib
from benchmark.planning.pace import Pace
from benchmark.runs.spec import run_id
from tests.execution.test_scheduler import cost_run
from tests.made import spec

PROCESSOR = Site(kind="cpu", device="a CPU", poll_s=1, outlives_driver=False)
GPU = Site(kind="cuda", device="a GPU", memory_gib=64.0, poll_s=1, outlives_driver=False)


def test_on_a_processor() -> None:
    need = Needs(PROCESSOR, Pace("a CPU")).of(spec())
    assert (need.gpus, need.threads, need.alone) == (0.0, 1, False)
    assert need.memory_gib == memory_gib(spec())
    assert need.minutes == pytest.approx((Pace("a CPU").seconds(spec()) or 0) / 60)


@pytest.mark.parametrize("graphs", [False, True])
def test_on_a_gpu(graphs: bool) -> None:
    pace = Pace("a GPU", gpu=True)
    need = Needs(GPU, pace, graphs, runs_per_gpu=4).of(spec())
    assert need.gpus == 0.25
    assert need.memory_gib == gpu_memory_gib(spec(), graphs=graphs)
    assert need.minutes is None, "nobody has measured it"


def test_what_another_seed_took_counts_more_than_an_estimate() -> None:
    needs = Needs(GPU, Pace("a GPU", gpu=True), runs_per_gpu=None, measured={run_id(spec(0)): 16.0})
    assert needs.of(spec(3)).memory_gib == 16.0
    assert needs.of(spec(3)).gpus == 0.25
    assert needs.of(spec(3, network={"family": "resnet", "depth": 20})).memory_gib < 16


def test_by_its_memory_a_run_has_a_part_of_its_gpu() -> None:
    def share(gib: float, whole: float | None) -> float:
        site = Site(kind="cuda", device="a GPU", memory_gib=whole, poll_s=1, outlives_driver=False)
        return Needs(site, Pace("a GPU", gpu=True), False, None, {run_id(spec(0)): gib}).of(spec()).gpus

    assert share(80, 64) == 1.0
    assert share(0.001, 64) == 1 / 64
    assert share(1, None) == 1.0, "nobody knows the GPU's memory"


def test_a_measurement_wants_its_device_alone() -> None:
    for site, part in ((PROCESSOR, 0.0), (GPU, 1.0)):
        need = Needs(site, Pace("x", gpu=site.kind == "cuda"), runs_per_gpu=4).of(cost_run().spec)
        assert (need.alone, need.gpus) == (True, part)
