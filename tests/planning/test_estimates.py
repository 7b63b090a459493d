import pytest

from benchmark.planning import estimates as costs
from benchmark.planning.estimates import device_memory_gib, gpu_memory_gib, memory_gib, relative_work
from benchmark.planning.plan import Plan, make_plan
from benchmark.runs.axes import Network
from benchmark.runs.catalogue import NETWORKS
from benchmark.runs.spec import TrainSpec
from benchmark.suites.manifest import PAPER_SUITES, find_manifests
from benchmark.suites.profiles import PROFILE_NAMES, load_variant
from benchmark.suites.suite import Suite, load_suites
from tests.made import GPU_A, GPU_B, machine_with, spec


def suites(*names: str, profile: str = "paper") -> list[Suite]:
    return load_suites(find_manifests(list(names or PAPER_SUITES)), load_variant(profile))


def plan(profile: str = "paper") -> Plan:
    return make_plan(suites(profile=profile), set())


def work(suite: str, row: str, column: str) -> float:
    return next(relative_work(cell.spec) for cell in suites(suite)[0].cells if (cell.row, cell.column) == (row, column))


# ------------------------------------------------------------------ work and memory of a run


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_every_run_takes_some_work_and_some_memory(profile: str) -> None:
    for run in plan(profile).runs:
        assert relative_work(run.spec) > 0
        assert 0.7 < memory_gib(run.spec) < 200


def test_rotations_cost_four_times_and_carried_views_more_the_earlier() -> None:
    baseline = work("table1", "ResNet-110", "Baseline")
    assert work("table4", "+ SLA", "Error Rate") == pytest.approx(4 * baseline)
    assert work("table1", "ResNet-110", "SFE - SI") == pytest.approx(baseline)
    by_column = [work("table6", "K = 1 + 32", f"Layer{stage} SI") for stage in (1, 2, 3)]
    assert by_column[0] > by_column[1] > by_column[2] == pytest.approx(baseline)
    by_row = [work("table6", f"K = 1 + {views}", "Layer1 SI") for views in (4, 8, 16, 32)]
    assert by_row == sorted(by_row)


def test_larger_networks_are_more_work() -> None:
    assert work("table1", "WRN-28-10", "Baseline") > work("table1", "ResNet-164", "Baseline")
    assert work("table1", "ResNet-164", "Baseline") > work("table1", "ResNet-110", "Baseline")
    assert work("table5", "CUB200", "Baseline") > work("table5", "Stanford Dogs", "Baseline")


def test_a_set_of_ones_own_has_a_size_before_it_is_read() -> None:
    tree = spec().model_dump()
    tree["dataset"] = {"name": "birds", "source": "folder", "classes": 5, "input_size": 32}
    assert relative_work(TrainSpec.model_validate(tree)) > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_papers_networks_stand_in_the_table(name: str) -> None:
    network = Network.model_validate(dict(NETWORKS[name]))
    assert (network.family, network.depth, network.width) in costs._TABLE


def test_another_depth_is_scaled_from_the_nearest() -> None:
    def of(depth: int) -> float:
        return relative_work(spec(network={"family": "resnet", "depth": depth}))

    assert of(110) < of(119) < of(164)
    assert of(119) == pytest.approx(of(110) * 119 / 110)


def on_gpu(suite: str, row: str, column: str, *, precision: str = "fp32", graphs: bool = False) -> float:
    of = next(cell.spec for cell in suites(suite)[0].cells if (cell.row, cell.column) == (row, column))
    numerics = of.numerics.model_copy(update={"precision": precision})
    return gpu_memory_gib(of.model_copy(update={"numerics": numerics}), graphs=graphs)


def test_a_gpus_memory_is_reckoned_by_its_parts() -> None:
    """The figures of ResNet-110 at batch 128, worked out by hand: 2.08 GiB kept in fp32 and 1.08 in bf16."""
    eager = on_gpu("table1", "ResNet-110", "SFE - SI")
    assert eager == pytest.approx(0.8 + 0.3 + 0.013 + 1.2 * 2.076 + 1.0, abs=0.01)
    assert on_gpu("table1", "ResNet-110", "SFE - SI", graphs=True) == pytest.approx(eager + 2.076 * 5 / 8, abs=0.01)
    bf16 = on_gpu("table1", "ResNet-110", "SFE - SI", precision="bf16")
    assert bf16 == pytest.approx(0.8 + 0.3 + 0.015 + 1.2 * 1.080 + 0.5, abs=0.01)
    assert on_gpu("table4", "+ SLA", "Error Rate", graphs=True) == pytest.approx(17, abs=0.5)


def test_large_images_take_more_of_a_gpu() -> None:
    assert on_gpu("table5", "CUB200", "Baseline") > on_gpu("table5", "Stanford Dogs", "Baseline") > 8
    assert all(gpu_memory_gib(run.spec) > 1 for run in plan("mini").runs)


def test_images_that_do_not_lie_on_a_gpu_take_nothing_of_it() -> None:
    """By the rule that the worker keeps to."""
    cub = next(run.spec for run in plan("paper").runs if run.spec.dataset.name == "cub200")
    whole = gpu_memory_gib(cub)
    assert gpu_memory_gib(cub, gpu_gib=80) == whole
    here = [run.spec for run in plan("paper").runs]
    assert all(gpu_memory_gib(of, gpu_gib=29.8) == gpu_memory_gib(of) for of in here), "docs/gpu.md: from 32 GB on"
    assert 5 < whole - gpu_memory_gib(cub, gpu_gib=16) < 20


def test_compiled_steps_are_recorded_too() -> None:
    of = spec(numerics={"compiled": True})
    assert gpu_memory_gib(of) == gpu_memory_gib(spec(), graphs=True) > gpu_memory_gib(spec())


def test_memory_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch)
    assert device_memory_gib(spec(), gpu=True) == gpu_memory_gib(spec())
    assert device_memory_gib(spec(), gpu=True, graphs=True) == gpu_memory_gib(spec(), graphs=True)
    assert device_memory_gib(spec(), gpu=False) == memory_gib(spec())
    machine_with(monkeypatch, GPU_A, GPU_B)
    large = spec(dataset={"name": "cub200", "input_size": 1024})
    assert device_memory_gib(large, gpu=True) == gpu_memory_gib(large, gpu_gib=81559 / 1024) < gpu_memory_gib(large)
