import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.planning.plan import Plan, make_plan
from benchmark.runs.spec import TrainSpec
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.profiles import PROFILE_NAMES, load_profile, load_variant, merged, parse_setting
from benchmark.suites.suite import Suite, load_suites
from benchmark.system.paths import SUITES

ALL = PAPER_SUITES
TABLES_1_TO_4 = ("table1", "table2", "table3", "table4")

#: Appendix A: network -> learning rate, batch on CIFAR, β.
PROTOCOL = {
    "resnet110": (0.1, 128, 0.5),
    "resnet164": (0.1, 128, 0.5),
    "seresnet110": (0.1, 128, 0.5),
    "densenet100": (0.1, 64, 0.1),
    "wrn28-10": (0.1, 128, 0.1),
    "pyramidnet110-270": (0.5, 128, 0.1),
    "resnet18": (0.1, 16, 1.0),
}


@cache
def _plan(profile: str, settings: tuple[str, ...], names: tuple[str, ...]) -> Plan:
    return make_plan(suites(profile, settings, names), set())


def suites(profile: str, settings: Sequence[str] = (), names: Sequence[str] = ALL) -> list[Suite]:
    return load_suites([SUITES / f"{name}.yaml" for name in names], load_variant(profile, settings))


def plan(profile: str, settings: Sequence[str] = (), names: Sequence[str] = ALL) -> Plan:
    return _plan(profile, tuple(settings), tuple(names))


def trainings(made: Plan) -> list[TrainSpec]:
    """One spec an entry: the first seed's."""
    return [run.spec for run in made.runs if isinstance(run.spec, TrainSpec) and run.spec.seed == 0]


def cells(made: Plan) -> dict[tuple[str, str, str, int], tuple[str, TrainSpec]]:
    return {
        (cell.suite, cell.row, cell.column, run.spec.seed): (run.run_id, run.spec)
        for run in made.runs
        for cell in run.cells
        if isinstance(run.spec, TrainSpec)
    }


# ------------------------------------------------------------------ the protocol


def test_appendix_a() -> None:
    for spec in trainings(plan("paper")):
        rate, batch, _ = PROTOCOL[spec.network.label]
        schedule = spec.schedule
        assert schedule.learning_rate == rate
        assert schedule.batch_size == (256 if spec.dataset.name == "tiny-imagenet" else batch)
        assert (schedule.momentum, schedule.weight_decay) == (0.9, 1e-4)
        assert (schedule.epochs, schedule.milestones, schedule.decay_factor) == (300, (150, 225), 0.1)
        assert spec.dataset.source == "official"
        assert (spec.dataset.train_images, spec.dataset.test_images) == (None, None)
        assert spec.dataset.image_size == {"cub200": 448, "tiny-imagenet": 64}.get(
            spec.dataset.name, 224 if spec.network.label == "resnet18" else 32
        )
        if spec.method.classifiers == 1:
            assert spec.method.beta is None


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_beta_is_the_networks_own_in_every_profile(profile: str) -> None:
    """Read by the network that the paper's profile trains in the same cell; Figure 4 sweeps β instead."""
    ours, paper = cells(plan(profile)), cells(plan("paper"))
    for (suite, row, column, seed), (_, spec) in ours.items():
        original = paper[suite, row, column, seed][1]
        if suite == "figure4":
            wanted = None if row == "Baseline" else float(row.removeprefix("beta = "))
        else:
            wanted = PROTOCOL[original.network.label][2] if spec.method.classifiers > 1 else None
        assert spec.method.beta == wanted
        assert spec.method == original.method, "a profile changes no method"


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_every_profile_asks_for_the_same_entries(profile: str) -> None:
    made = plan(profile)
    trials = load_profile(profile).trials
    assert made.totals() == {
        "entries": 75,
        "trainings": 66,
        "train_runs": 66 * trials,
        "cost_runs": 1,
        "done": 0,
    }
    assert len({run.run_id for run in made.runs}) == 66 * trials + 1


def test_profiles_share_no_training() -> None:
    ids = [{name for name, _ in cells(plan(profile)).values()} for profile in PROFILE_NAMES]
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_four_trials_are_the_papers() -> None:
    assert {run.spec.seed for run in plan("paper").runs if isinstance(run.spec, TrainSpec)} == {0, 1, 2, 3}


def test_short_changes_the_epochs_alone() -> None:
    paper = {spec.model_copy(update={"schedule": None}).model_dump_json() for spec in trainings(plan("paper"))}
    short = trainings(plan("short"))
    assert {spec.model_copy(update={"schedule": None}).model_dump_json() for spec in short} == paper
    assert {(spec.schedule.epochs, spec.schedule.milestones) for spec in short} == {(30, (15, 22))}


def test_smoke_takes_a_few_steps_of_the_full_networks_on_generated_images() -> None:
    made = plan("smoke")
    assert {spec.network.label for spec in trainings(made)} == set(PROTOCOL)
    assert {run.spec.seed for run in made.runs if isinstance(run.spec, TrainSpec)} == {0, 1}
    for spec in trainings(made):
        assert spec.dataset.source == "standin"
        assert spec.schedule.batch_size >= 4
        assert spec.dataset.train_images is not None
        assert math.ceil(spec.dataset.train_images / spec.schedule.batch_size) * spec.schedule.epochs >= 3
        assert spec.dataset.image_size == spec.dataset.facts.input_size


def test_smoke_networks_stand_where_the_papers_do() -> None:
    smoke, paper = cells(plan("smoke")), cells(plan("paper"))
    for key, (_, spec) in smoke.items():
        assert spec.network == paper[key][1].network


def test_mini_trains_smaller_relatives_on_real_images() -> None:
    mini, paper = cells(plan("mini")), cells(plan("paper"))
    for key, (_, spec) in mini.items():
        original = paper[key][1]
        assert spec.dataset.source == "official"
        assert spec.dataset.name == original.dataset.name
        assert spec.network.family == original.network.family
        assert spec.schedule.epochs == 6
        if spec.network.family in ("resnet", "seresnet"):  # Table 6 needs 32 groups of stage 1's channels
            assert spec.network.depth < original.network.depth
            assert spec.network.stage_channels == original.network.stage_channels


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("text", "path", "value", "label"),
    [
        ("beta_on=last", ("choices", "beta_on"), "last", "beta_on=last"),
        ("choices.beta_on=last", ("choices", "beta_on"), "last", "beta_on=last"),
        ("sd_shares_run=true", ("choices", "sd_shares_run"), True, "sd_shares_run=true"),
        ("nesterov=true", ("choices", "nesterov"), True, "nesterov=true"),
        ("schedule.epochs=6", ("schedule", "epochs"), 6, "schedule.epochs=6"),
        ("schedule.decay_at=[0.3, 0.6]", ("schedule", "decay_at"), [0.3, 0.6], "schedule.decay_at=0.3,0.6"),
        ("numerics.precision=bf16", ("numerics", "precision"), "bf16", "numerics.precision=bf16"),
        ("method.masks.views=4", ("method", "masks", "views"), 4, "method.masks.views=4"),
    ],
)
def test_settings_are_read(text: str, path: tuple[str, ...], value: Any, label: str) -> None:
    setting = parse_setting(text)
    assert (setting.path, setting.value, setting.label) == (path, value, label)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("beta_on", "write it as path=value"),
        ("beta_on=", "write it as path=value"),
        ("=3", "has no field"),
        ("schedule.epohcs=3", "did you mean 'epochs'?"),
        ("shedule.epochs=3", "did you mean 'schedule'?"),
        ("schedule.epochs.x=3", "single value"),
        ("schedule=3", "is a group; set one of its fields: epochs"),
        ("network=resnet164", "is a group"),
        ("method.masks.view=3", "did you mean 'views'?"),
        ("schedule.epochs=[1", "not valid YAML"),
        (f"schedule.epochs={'9' * 19}", "a whole number of 19 digits"),
        ("seed=1", "--trials"),
        ("protocol=2", "can't be set"),
        ("kind=cost", "can't be set"),
        ("choices.none.sd_shares_run=true", "has no field"),
        ("sd_shares_run=banana", "true"),
        ("sd_shares_run=2", "true"),
        ("sd_shares_run=1", "true"),
        ("aggregate=votes", "logits, probabilities"),
        ("sd_shares_runs=true", "did you mean 'sd_shares_run'?"),
        ("betaon=last", "did you mean 'beta_on'?"),
    ],
)
def test_unusable_settings_are_refused_with_what_would_be_right(text: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_setting(text)
    assert text in str(caught.value)
    assert hint in str(caught.value)


def test_the_last_of_two_settings_wins() -> None:
    assert load_variant("mini", ["schedule.epochs=3", "schedule.epochs=6"]).reports_name == "mini+schedule.epochs=6"


@pytest.mark.parametrize(
    ("profile", "settings", "results", "reports", "verdicts"),
    [
        ("paper", [], "paper", "paper", True),
        ("mini", [], "mini", "mini", False),
        ("paper", ["beta_on=last"], "paper", "paper+beta_on=last", True),
        ("paper", ["choices.beta_on=last"], "paper", "paper+beta_on=last", True),
        ("paper", ["sd_shares_run=true"], "paper", "paper+sd_shares_run=true", True),
        ("paper", ["aggregate=probabilities"], "paper", "paper+aggregate=probabilities", True),
        ("paper", ["numerics.precision=bf16"], "paper", "paper+numerics.precision=bf16", True),
        ("mini", ["beta_on=last"], "mini", "mini+beta_on=last", False),
        ("mini", ["schedule.epochs=6"], "mini+schedule.epochs=6", "mini+schedule.epochs=6", False),
        ("paper", ["schedule.epochs=6"], "paper+schedule.epochs=6", "paper+schedule.epochs=6", False),
        ("paper", ["nesterov=true", "beta_on=last"], "paper", "paper+beta_on=last+nesterov=true", True),
        (
            "paper",
            ["schedule.epochs=6", "beta_on=last"],
            "paper+beta_on=last+schedule.epochs=6",
            "paper+beta_on=last+schedule.epochs=6",
            False,
        ),
    ],
)
def test_folders_and_verdicts(profile: str, settings: list[str], results: str, reports: str, verdicts: bool) -> None:
    for order in (settings, settings[::-1]):
        variant = load_variant(profile, order)
        assert (variant.results_name, variant.reports_name, variant.against_paper) == (results, reports, verdicts)


def test_what_a_profile_judges() -> None:
    judged = {name: load_profile(name).judges for name in PROFILE_NAMES}
    assert judged == {"paper": "cells", "short": "claims", "reduced": "claims", "mini": "nothing", "smoke": "nothing"}


def test_reduced_is_five_thousand_images_for_two_hundred_epochs() -> None:
    found = {spec.network.label: spec for spec in trainings(plan("reduced", names=("table1",)))}
    assert sorted(found) == [
        "densenet40", "pyramidnet20-48", "resnet20", "resnet29", "seresnet20", "wrn16-2",
    ]  # fmt: skip
    for spec in found.values():
        assert (spec.dataset.train_images, spec.dataset.test_images) == (5000, 5000)
        assert (spec.schedule.epochs, spec.schedule.milestones, spec.schedule.batch_size) == (200, (100, 150), 64)
        assert spec.schedule.learning_rate == 0.1


def test_a_folder_name_has_no_room_for_paths() -> None:
    label = parse_setting("dataset.name=../../etc passwd").label
    assert "/" not in label
    assert " " not in label


def test_merging_changes_neither_side() -> None:
    base: dict[str, Any] = {"a": {"x": 1, "y": 2}, "b": 1}
    over: dict[str, Any] = {"a": {"y": 3}, "c": {"z": 4}}
    assert merged(base, over) == {"a": {"x": 1, "y": 3}, "b": 1, "c": {"z": 4}}
    assert base == {"a": {"x": 1, "y": 2}, "b": 1}
    assert over == {"a": {"y": 3}, "c": {"z": 4}}


# ------------------------------------------------------------------ what settings do to runs


@pytest.mark.parametrize("setting", ["beta_on=last", "choices.beta_on=last"])
def test_a_choice_renames_the_runs_that_it_matters_to_and_no_other(setting: str) -> None:
    before, after = cells(plan("paper")), cells(plan("paper", [setting]))
    assert before.keys() == after.keys()
    for key, (name, spec) in before.items():
        assert (after[key][0] != name) == (spec.method.classifiers > 1)


def test_distill_from_matters_to_distilling_runs() -> None:
    before, after = cells(plan("paper")), cells(plan("paper", ["distill_from=probabilities"]))
    assert {key for key in before if before[key][0] != after[key][0]} == {
        key for key in before if before[key][1].method.distillation
    }


@pytest.mark.parametrize("setting", ["nesterov=true", "numerics.precision=bf16", "schedule.epochs=6"])
def test_other_settings_touch_every_training(setting: str) -> None:
    before, after = plan("paper"), plan("paper", [setting])
    assert after.totals() == before.totals()
    assert not {name for name, _ in cells(before).values()} & {name for name, _ in cells(after).values()}


@pytest.mark.parametrize(("epochs", "milestones"), [(6, (3, 4)), (3, ()), (300, (150, 225))])
@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_milestones_follow_the_epochs_in_every_profile(profile: str, epochs: int, milestones: tuple[int, ...]) -> None:
    specs = trainings(plan(profile, [f"schedule.epochs={epochs}"], TABLES_1_TO_4))
    assert {(spec.schedule.epochs, spec.schedule.milestones) for spec in specs} == {(epochs, milestones)}


@pytest.mark.parametrize("names", [("table1",), ("table3",), ALL], ids=["table1", "table3 with its cost run", "all"])
@pytest.mark.parametrize(
    ("setting", "has_it", "tuned"),
    [
        ("method.masks.views=4", lambda method: method.masks is not None, lambda method: method.masks.views == 4),
        ("method.beta=0.3", lambda method: method.classifiers > 1, lambda method: method.beta == 0.3),
    ],
)
def test_a_method_is_tuned_where_it_is_and_never_added(
    setting: str, has_it: Any, tuned: Any, names: Sequence[str]
) -> None:
    before, after = cells(plan("paper", names=names)), cells(plan("paper", [setting], names))
    assert any(has_it(spec.method) for _, spec in before.values())
    for key, (name, spec) in before.items():
        changed = after[key][1]
        if has_it(spec.method):
            assert tuned(changed.method)
        else:
            assert after[key] == (name, spec)


def test_mixing_is_tuned_where_it_is() -> None:
    before = cells(plan("paper", names=["table4"]))
    after = cells(plan("paper", ["mixing.cutout_size=16"], ["table4"]))
    for key, (name, spec) in before.items():
        sizes = (spec.mixing.cutout_size, after[key][1].mixing.cutout_size)
        assert sizes == ((8, 16) if "Cutout" in key[1] else (None, None))
        assert (after[key][0] == name) == ("Cutout" not in key[1])


@pytest.mark.parametrize(
    ("names", "setting"),
    [
        (["table1"], "mixing.cutout_size=8"),
        (["table6"], "method.beta=0.3"),
        (["table1"], "method.masks.carry_from=1"),
    ],
)
def test_a_setting_that_can_be_nowhere_is_refused(names: list[str], setting: str) -> None:
    with pytest.raises(UserError, match=setting.split("=")[0]):
        plan("paper", [setting], names)


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("beta_on=lats", "'penultimate' or 'last'"),
        ("schedule.epochs=six", "integer"),
        ("schedule.epochs=0", "greater than or equal to 1"),
        ("schedule.epochs=2.5", "integer"),
        ("method.masks.views=200", "take at most 128"),
        ("method.beta=3", "less than or equal to 1"),
        ("numerics.precision=fp64", "'fp32', 'tf32' or 'bf16'"),
        ("numerics.threads=true", "integer"),
        ("mask_draw=epoch", "'once'"),
    ],
)
def test_an_impossible_value_is_blamed_on_the_setting(setting: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        plan("paper", [setting], ["table1"])
    assert str(caught.value).startswith("--set")
    assert hint in str(caught.value)


def test_sd_shares_run_reads_the_distilling_run() -> None:
    shared = plan("paper", ["sd_shares_run=true"], ["table1"])
    assert shared.totals()["trainings"] == 12  # six networks, each plain and distilling
    found = cells(shared)
    for row in {key[1] for key in found}:
        for seed in range(4):
            readers = {found["table1", row, f"SFE - {kind}", seed][0] for kind in ("SI", "AG", "SD")}
            assert len(readers) == 1
            assert "-sfe-sd-" in readers.pop()
            assert "-baseline-" in found["table1", row, "Baseline", seed][0]


def test_sd_shares_run_invents_no_distilling_run() -> None:
    for names in (["table6"], ["table4"]):
        assert cells(plan("paper", ["sd_shares_run=true"], names)) == cells(plan("paper", names=names))


def test_sd_shares_run_false_is_the_default() -> None:
    assert cells(plan("paper", ["sd_shares_run=false"])) == cells(plan("paper"))


def test_aggregating_probabilities_reads_another_metric_of_the_same_runs() -> None:
    before, after = suites("paper"), suites("paper", ["aggregate=probabilities"])
    names = {
        "aggregated": "aggregated_probabilities",
        "aggregated_final_head": "aggregated_final_head_probabilities",
    }
    for ours, theirs in zip(before, after, strict=True):
        assert [cell.spec for cell in ours.cells] == [cell.spec for cell in theirs.cells]
        assert [names.get(cell.reads, cell.reads) for cell in ours.cells] == [cell.reads for cell in theirs.cells]


def test_null_is_written_as_it_is_typed() -> None:
    assert load_variant("mini", ["dataset.input_size=null"]).results_name == "mini+dataset.input_size=null"


def test_what_can_not_be_set_is_not_suggested() -> None:
    with pytest.raises(UserError, match="known here: ") as caught:
        load_variant("mini", ["foo=1"])
    assert not {"seed,", "kind,", "protocol,"} & set(str(caught.value).split())


def test_a_long_list_of_settings_makes_a_folder_that_file_systems_take(tmp_path: Path) -> None:
    milestones = ",".join(f"0.{number:03}" for number in range(1, 60))
    names = {load_variant("smoke", [f"schedule.decay_at=[{milestones},{last}]"]).results_name for last in (0.9, 0.91)}
    assert len(names) == 2, "what is cut off still counts"
    for name in names:
        assert len(name) == 200
        assert re.fullmatch(r"smoke\+[A-Za-z0-9._=,-]+", name)
        (tmp_path / name).mkdir()
