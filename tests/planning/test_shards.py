from itertools import pairwise
from pathlib import Path

import pytest

from benchmark.audit.merge import merge
from benchmark.planning.estimates import relative_work
from benchmark.planning.plan import Plan, make_plan
from benchmark.planning.shards import Shard
from benchmark.results.store import Store
from benchmark.runs.spec import TrainSpec
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suites
from benchmark.system.paths import SUITES
from tests.made import result


def whole(completed: frozenset[str] = frozenset(), device: str = "a GPU", profile: str = "paper") -> Plan:
    paths = [SUITES / f"table{number}.yaml" for number in range(1, 8)]
    return make_plan(load_suites(paths, load_variant(profile, ()), device), set(completed))


def parts(plan: Plan, of: int) -> list[Plan]:
    return [Shard(number, of).of_plan(plan) for number in range(1, of + 1)]


def trainings(plan: Plan) -> list[str]:
    return [run.run_id for run in plan.runs if isinstance(run.spec, TrainSpec)]


def work(plan: Plan) -> float:
    return sum(relative_work(run.spec) for run in plan.runs)


@pytest.mark.parametrize("of", [1, 2, 3, 7, 40])
def test_the_parts_are_the_plan_and_share_nothing(of: int) -> None:
    plan = whole()
    found = [run.run_id for part in parts(plan, of) for run in part.runs]
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(run.run_id for run in plan.runs)
    assert parts(plan, 1) == [plan]


@pytest.mark.parametrize("of", [2, 3, 7])
def test_the_parts_take_about_as_long(of: int) -> None:
    plan = whole()
    loads = sorted(work(part) for part in parts(plan, of))
    assert loads[-1] - loads[0] <= max(relative_work(run.spec) for run in plan.runs)
    assert loads[-1] < 1.05 * sum(loads) / of


def test_what_is_done_moves_no_run_to_another_part() -> None:
    plan = whole()
    done = frozenset(run.run_id for run in plan.runs[::3])
    for part, later in zip(parts(plan, 3), parts(whole(done), 3), strict=True):
        assert [run.run_id for run in part.runs] == [run.run_id for run in later.runs]
    assert {run.run_id for part in parts(whole(done), 3) for run in part.runs if run.done} == done


def test_another_device_moves_no_run_to_another_part() -> None:
    """A cost run is named by the device that it measures."""
    one, other = ({run.run_id for run in plan.runs} for plan in (whole(device="A"), whole(device="B")))
    assert one != other
    for part, elsewhere in zip(parts(whole(device="A"), 3), parts(whole(device="B"), 3), strict=True):
        assert trainings(part) == trainings(elsewhere)
        assert len(part.runs) == len(elsewhere.runs)


def test_a_part_goes_from_seed_to_seed_like_the_whole() -> None:
    order = {run.run_id: place for place, run in enumerate(whole().runs)}
    for part in parts(whole(), 3):
        assert all(order[one.run_id] < order[two.run_id] for one, two in pairwise(part.runs))


def test_machines_that_train_a_part_each_have_it_all_once_merged(tmp_path: Path) -> None:
    plan = make_plan(load_suites([SUITES / "table4.yaml"], load_variant("paper", ()), "a GPU"), set(), trials=1)
    for number in (1, 2, 3):
        for run in Shard(number, 3).of_plan(plan).runs:
            assert isinstance(run.spec, TrainSpec)
            Store(tmp_path / str(number) / "paper").put(result(run.spec))
    for number in (2, 3):
        done = merge(tmp_path / str(number), tmp_path / "1")
        assert not done.same
        assert not done.conflicts
    assert Store(tmp_path / "1" / "paper").completed() == {run.run_id for run in plan.runs}
