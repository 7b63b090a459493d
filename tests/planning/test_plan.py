from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.planning.pace import Pace
from benchmark.planning.plan import Plan, make_plan
from benchmark.runs.spec import CostSpec, TrainSpec, run_id
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite, load_suites
from benchmark.system.paths import SUITES


@cache
def suites(*names: str, profile: str = "paper") -> list[Suite]:
    return load_suites([SUITES / f"{name}.yaml" for name in names or PAPER_SUITES], load_variant(profile))


def plan(
    *names: str,
    profile: str = "paper",
    completed: set[str] | None = None,
    only: Sequence[str] = (),
    trials: int | None = None,
) -> Plan:
    return make_plan(suites(*names, profile=profile), completed or set(), only=only, trials=trials)


def seeds(made: Plan) -> list[int]:
    return [run.spec.seed for run in made.runs if isinstance(run.spec, TrainSpec)]


def totals(entries: int, trainings: int, train_runs: int, cost_runs: int = 0, done: int = 0) -> dict[str, int]:
    return {
        "entries": entries,
        "trainings": trainings,
        "train_runs": train_runs,
        "cost_runs": cost_runs,
        "done": done,
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), totals(75, 66, 264, 1)),
        (("table1",), totals(18, 18, 72)),
        (("table2",), totals(6, 6, 24)),
        (("table3",), totals(3, 3, 12, 1)),
        (("table4",), totals(9, 9, 36)),
        (("table5",), totals(9, 9, 36)),
        (("table6",), totals(12, 12, 48)),
        (("table7",), totals(6, 6, 24)),
        (("figure4",), totals(12, 12, 48)),
        (("table1", "table3"), totals(21, 19, 76, 1)),
        (("table1", "figure4"), totals(30, 28, 112)),
    ],
)
def test_totals_of_the_paper(names: tuple[str, ...], expected: dict[str, int]) -> None:
    assert plan(*names).totals() == expected


def test_shared_runs_are_planned_once_with_all_their_readers() -> None:
    runs = plan().runs
    assert len({run.run_id for run in runs}) == len(runs)
    baseline = next(run for run in runs if run.run_id == "cifar100-resnet110-baseline-s0-aa55db385bad")
    assert [(cell.suite, cell.row, cell.column) for cell in baseline.cells] == [
        ("table1", "ResNet-110", "Baseline"),
        ("table3", "baseline", "Single Accuracy (%)"),
        ("table4", "ResNet110", "Error Rate"),
        ("table7", "1 Classifier", "ResNet110 SI"),
        ("table7", "1 Classifier", "ResNet110 AG"),
    ]


def test_every_cell_is_read_from_every_trial() -> None:
    readers = [cell for run in plan("table1").runs for cell in run.cells]
    assert len(readers) == 24 * 4


def test_names_belong_to_specs() -> None:
    for run in plan().runs:
        assert run.run_id == run_id(run.spec)


def test_order_of_the_suites_changes_no_run() -> None:
    forward, backward = plan(*PAPER_SUITES), plan(*PAPER_SUITES[::-1])
    assert {run.run_id for run in forward.runs} == {run.run_id for run in backward.runs}
    assert forward.totals() == backward.totals()


def test_every_entrys_first_trial_comes_before_any_second() -> None:
    found = seeds(plan())
    assert found == sorted(found)
    assert [found.count(seed) for seed in range(4)] == [66] * 4


@pytest.mark.parametrize(("profile", "expected"), [("paper", [0, 1, 2, 3]), ("smoke", [0, 1])])
def test_seeds_are_counted_from_zero(profile: str, expected: list[int]) -> None:
    assert sorted(set(seeds(plan("table1", profile=profile)))) == expected


@pytest.mark.parametrize("trials", [1, 2, 6])
def test_trials_replace_the_suites_number(trials: int) -> None:
    made = plan(trials=trials)
    assert made.totals() == totals(75, 66, 66 * trials, 1)
    assert set(seeds(made)) == set(range(trials))


def test_fewer_trials_take_a_part_of_the_same_runs() -> None:
    assert {run.run_id for run in plan("table1", trials=1).runs} < {run.run_id for run in plan("table1").runs}


def test_done_is_what_has_a_result() -> None:
    ids = [run.run_id for run in plan("table1").runs]
    made = plan("table1", completed={ids[0], ids[5], "a-run-of-another-suite"})
    assert made.totals()["done"] == 2
    assert [run.done for run in made.runs].count(True) == 2
    assert {run.run_id for run in made.missing} == set(ids) - {ids[0], ids[5]}


def test_only_plans_what_the_selected_cells_read() -> None:
    assert plan("table1", only=["baseline"]).totals() == totals(6, 6, 24)
    assert plan("table1", only=["WRN-28-10"]).totals() == totals(3, 3, 12)
    assert plan("table3", only=["single accuracy*"]).totals() == totals(3, 3, 12)
    assert plan("table3", only=["gpu memory*"]).totals() == totals(0, 0, 0, 1)


def test_only_drops_the_readers_that_are_not_selected() -> None:
    made = plan(only=["Baseline"])
    readers = {(cell.suite, cell.row, cell.column) for run in made.runs for cell in run.cells}
    assert ("table3", "baseline", "Single Accuracy (%)") in readers  # a row of that name
    assert not any(suite == "table4" for suite, _, _ in readers)


def test_only_without_a_match_suggests() -> None:
    with pytest.raises(UserError, match="did you mean 'Baseline'") as caught:
        plan("table1", only=["DenseNet", "Baselin"])
    assert str(caught.value).startswith("--only Baselin: ")


BASELINE = "cifar100-resnet110-baseline-s0-aa55db385bad"


@pytest.mark.parametrize("part", [BASELINE, "aa55db385bad", "AA55", "resnet110-baseline-s0-aa"])
def test_only_takes_a_part_of_a_run_id_that_no_other_has(part: str) -> None:
    made = plan("table1", "table3", only=[part])
    assert [run.run_id for run in made.runs] == [BASELINE]
    assert [cell.suite for cell in made.runs[0].cells] == ["table1", "table3"]
    assert made.totals() == totals(2, 1, 1)


def test_only_takes_ids_and_names_together_in_the_plans_order() -> None:
    by_name = plan("table1", only=["DenseNet / *"])
    made = plan("table1", only=["DenseNet / *", BASELINE, "densenet / baseline"])
    assert [run.run_id for run in plan("table1").runs if run in made.runs] == [run.run_id for run in made.runs]
    assert {run.run_id for run in made.runs} == {run.run_id for run in by_name.runs} | {BASELINE}
    assert made.totals() == totals(4, 4, 13)


@pytest.mark.parametrize(
    ("text", "runs"),
    [("ResNet-110 / Baseline", 4), ("table1: resnet-110 / baseline", 4), ("table1: ResNet-110 / SFE - *", 8)],
)
def test_a_cell_is_named_as_a_plan_prints_it(text: str, runs: int) -> None:
    assert len(plan(only=[text]).runs) == runs


@pytest.mark.parametrize("text", ["resnet110", "", "aa55db385bae", "table2: ResNet-110 / Baseline"])
def test_what_means_no_run_or_several_is_refused_whatever_else_is_named(text: str) -> None:
    with pytest.raises(UserError, match="no cell has such a name"):
        plan("table1", only=["DenseNet", text])


def test_json_holds_plain_data() -> None:
    made = plan("table3", completed={"cifar100-resnet110-baseline-s0-aa55db385bad"})
    pace = Pace("a CPU")
    tree = made.as_json(pace)
    assert set(tree) == {"runs", "totals"}
    assert [run["estimate"]["seconds"] for run in tree["runs"]] == [pace.seconds(run.spec) for run in made.runs]
    assert tree["totals"] == totals(3, 3, 12, 1, done=1)
    for run in tree["runs"]:
        assert set(run) == {"run_id", "spec", "cells", "done", "estimate"}
        assert run["spec"]["kind"] in ("train", "cost")
        assert all(set(cell) == {"suite", "row", "column"} for cell in run["cells"])
    assert [run["spec"]["kind"] for run in tree["runs"]].count("cost") == 1
    assert sum(run["done"] for run in tree["runs"]) == 1


def test_a_cost_run_is_planned_once_whatever_the_trials() -> None:
    for trials in (None, 1, 5):
        assert sum(isinstance(run.spec, CostSpec) for run in plan("table3", trials=trials).runs) == 1


def test_the_keenest_suite_decides_the_trials(tmp_path: Path) -> None:
    text = (SUITES / "table1.yaml").read_text(encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("suite: table1", "suite: own\ntrials: 2"), encoding="utf-8")
    variant = load_variant("paper")
    two = load_suites([own], variant)
    both = load_suites([own, SUITES / "table1.yaml"], variant)
    assert make_plan(two, set()).totals() == totals(18, 18, 36)
    assert make_plan(both, set()).totals() == totals(36, 18, 72)
