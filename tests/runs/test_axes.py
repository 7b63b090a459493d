from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.runs.axes import Choices, Dataset, Mixing, Network, Numerics, Schedule
from benchmark.runs.schema import dotted, first_problem
from benchmark.runs.spec import TrainSpec
from tests.places import ROOT

from .test_spec import BASELINE, SD, SFE, SMOKE, Tree, changed, train_spec

NOTES = ROOT / "docs" / "paper-notes.md"


def problem(tree: Tree) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        TrainSpec.model_validate(tree)
    path, reason = first_problem(caught.value, TrainSpec)
    return dotted(path), reason


# ------------------------------------------------------------------ what a spec refuses


@pytest.mark.parametrize(
    ("path", "value", "blamed", "hint"),
    [
        ("method", {"beta": 0.5}, "method.beta", "no meaning with one classifier"),
        ("method", {"classifiers": 2}, "method.beta", "need one, between 0 and 1"),
        ("method.beta", 1.01, "method.beta", "less than or equal to 1"),
        ("method.beta", -0.1, "method.beta", "greater than or equal to 0"),
        ("method.beta", float("nan"), "method.beta", "should be"),
        ("method.classifiers", 4, "method.classifiers", "resnet110 has 3 stages"),
        ("method.masks.views", 129, "method.masks.views", "take at most 128"),
        ("method.masks.views", 1, "method.masks.views", "greater than or equal to 2"),
        ("method.masks.carry_from", 1, "method.masks.carry_from", "set classifiers: 1"),
        ("method.masks.masked_fraction", 0.0, "method.masks.masked_fraction", "greater than 0"),
        ("method.masks.masked_fraction", 0.02, "method.masks.views", "take at most 2"),
        ("method.masks.groups_per_channel", 8, "method.masks.groups_per_channel", "below views (8)"),
        ("method", {"masks": {"views": 65, "carry_from": 1}}, "method.masks.views", "take at most 64"),
        ("method", {"masks": {"views": 257}}, "method.masks.views", "take at most 256"),
        ("method", {"masks": {"views": 8, "carry_from": 3}}, "method.masks.carry_from", "leave it out"),
        ("method", {"masks": {"views": 8, "carry_from": 0}}, "method.masks.carry_from", "greater than or equal to 1"),
        ("numerics.carried_views", "partial_sums", "numerics.carried_views", "without method.masks.carry_from"),
        ("method", {"distillation": True}, "method.distillation", "several predictions"),
        ("method.rotations", 2, "method.rotations", "1 or 4"),
        ("method.rotations", "4", "method.rotations", "1 or 4"),
        ("network.depth", 111, "network.depth", "9n+2"),
        ("network.width", 4, "network.width", "leave it out"),
        ("network", {"family": "wrn", "depth": 28}, "network.width", "widening factor"),
        ("network", {"family": "densenet", "depth": 100}, "network.width", "growth rate"),
        ("network", {"family": "resnet_imagenet", "depth": 34}, "network.depth", "depth 18"),
        ("network.depth", -7, "network.depth", "9n+2"),
        ("mixing.cutout_size", 33, "mixing.cutout_size", "32 pixels"),
        ("mixing.mixup_alpha", 0.0, "mixing.mixup_alpha", "greater than 0"),
        ("schedule.batch_size", 1, "schedule.batch_size", "greater than or equal to 2"),
        ("schedule.epochs", 0, "schedule.epochs", "greater than or equal to 1"),
        ("schedule.learning_rate", float("inf"), "schedule.learning_rate", "finite"),
        ("schedule.weight_decay", float("inf"), "schedule.weight_decay", "finite"),
        ("mixing.mixup_alpha", float("inf"), "mixing.mixup_alpha", "finite"),
        ("schedule.decay_at", [1.5], "schedule.decay_at[0]", "1"),
        ("schedule.decay_at", [-0.5], "schedule.decay_at[0]", "0"),
        ("schedule.decay_at", [float("nan")], "schedule.decay_at[0]", "should be"),
        ("dataset.name", "cifar1000", "dataset.name", "did you mean 'cifar100'?"),
        ("dataset", {"name": "birds", "source": "folder", "input_size": 64}, "dataset.classes", "say its classes"),
        ("dataset", {"name": "birds", "source": "folder", "classes": 5}, "dataset.input_size", "say its input_size"),
        ("dataset", {"name": "../x", "source": "folder", "classes": 5}, "dataset.name", "begins with a small letter"),
        ("dataset.classes", 100, "dataset.classes", "leave it out"),
        ("dataset.train_images", 50_001, "dataset.train_images", "has 50000"),
        ("dataset.train_images", 50_000, "dataset.train_images", "leave it out"),
        ("dataset.input_size", 64, "dataset.input_size", "is used at 32"),
        ("dataset.source", "standin", "dataset.train_images", "how many"),
        ("choices.distill_from", "probabilities", "choices.distill_from", "no meaning for method sfe"),
        ("choices.mask_draw", "epoch", "choices.mask_draw", "once"),
        ("seed", -1, "seed", "greater than or equal to 0"),
    ],
)
def test_impossible_and_meaningless_values(path: str, value: Any, blamed: str, hint: str) -> None:
    where, reason = problem(changed(path, value))
    assert where == blamed
    assert hint in reason


def test_a_choice_of_the_heads_weights_means_nothing_to_one_head() -> None:
    where, reason = problem(changed("choices.beta_on", "last", BASELINE))
    assert where == "choices.beta_on"
    assert "no meaning for method baseline" in reason


# ------------------------------------------------------------------ what follows from a spec


@pytest.mark.parametrize(
    ("epochs", "milestones"),
    [(300, (150, 225)), (30, (15, 22)), (6, (3, 4)), (5, (2, 3)), (4, (2, 3)), (3, ()), (2, ()), (1, ())],
)
def test_milestones(epochs: int, milestones: tuple[int, ...]) -> None:
    assert Schedule(epochs=epochs, batch_size=128, learning_rate=0.1).milestones == milestones


@pytest.mark.parametrize(
    ("epochs", "fraction", "milestone"),
    [(200, 0.58, 116), (50, 0.58, 29), (100, 0.29, 29), (300, 0.57, 171), (7, 0.5, 3)],
)
def test_a_milestone_loses_no_epoch_to_rounding(epochs: int, fraction: float, milestone: int) -> None:
    schedule = Schedule(epochs=epochs, batch_size=128, learning_rate=0.1, decay_at=[fraction])
    assert schedule.milestones == (milestone,)


def test_views_multiply() -> None:
    views = [train_spec(tree).method.views for tree in (BASELINE, SFE, changed("method.rotations", 4))]
    assert views == [1, 9, 36]
    assert train_spec({**BASELINE, "method": {"rotations": 4}}).method.views == 4


def test_labels() -> None:
    assert train_spec(SD).label == "cifar100-resnet110-sfe-sd-s0"
    assert train_spec(SMOKE).label == "standin-cifar100-resnet110-sfe-s0"
    assert train_spec({**BASELINE, "method": {"classifiers": 2, "beta": 0.5}}).label == "cifar100-resnet110-2heads-s0"
    assert Mixing(cutout_size=8, mixup_alpha=1.0).label == "cutout-mixup"
    assert Network(family="densenet", depth=100, width=12).label == "densenet100"
    assert Network(family="resnet_imagenet", depth=18).label == "resnet18"


def test_image_size() -> None:
    assert Dataset(name="cub200").image_size == 448
    assert Dataset(name="cub200", input_size=64).image_size == 64
    assert Dataset(name="tiny-imagenet").image_size == 64
    assert Dataset(name="birds", source="folder", classes=5, input_size=96).image_size == 96


def test_numerics_are_plain_by_default() -> None:
    assert Numerics() == Numerics(
        precision="fp32", threads=1, deterministic=True, carried_views="copies", compiled=False
    )


def test_partial_sums_need_stages_that_begin_with_1x1_convolutions() -> None:
    carried = changed("method", {"masks": {"views": 8, "carry_from": 1}})
    tree = {**carried, "numerics": {"carried_views": "partial_sums"}}
    assert train_spec(tree).numerics.carried_views == "partial_sums"
    with pytest.raises(ValidationError, match="needs a resnet or seresnet; take copies"):
        train_spec({**tree, "network": {"family": "wrn", "depth": 28, "width": 10}})


# ------------------------------------------------------------------ the notes


@pytest.mark.parametrize("name", Choices.model_fields)
def test_every_choice_is_explained_in_the_notes(name: str) -> None:
    assert f"`{name}`" in NOTES.read_text(encoding="utf-8")


def test_a_name_that_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(ValidationError) as caught:
        TrainSpec.model_validate({**SFE, "dataset": {"name": "My Set"}})
    reason = first_problem(caught.value, TrainSpec)[1]
    assert reason.startswith("a name begins with a small letter or digit")
    assert "pattern" not in reason
