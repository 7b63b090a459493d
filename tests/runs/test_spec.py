import copy
import json
import re
from typing import Any

import pytest

from benchmark.runs.axes import Schedule
from benchmark.runs.spec import RUN_SPEC, CostSpec, TrainSpec, canonical, run_id, words_and_seed

Tree = dict[str, Any]

BASELINE: Tree = {
    "protocol": 1,
    "dataset": {"name": "cifar100"},
    "network": {"family": "resnet", "depth": 110},
    "method": {},
    "schedule": {"epochs": 300, "batch_size": 128, "learning_rate": 0.1},
}
SFE: Tree = {**BASELINE, "method": {"classifiers": 2, "beta": 0.5, "masks": {"views": 8}}}
SD: Tree = {**SFE, "method": {**SFE["method"], "distillation": True}}
SMOKE: Tree = {
    **SFE,
    "dataset": {"name": "cifar100", "source": "standin", "train_images": 24, "test_images": 16},
    "schedule": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
}
COST: Tree = {
    "kind": "cost",
    "protocol": 1,
    "dataset": {"name": "cifar100"},
    "network": {"family": "resnet", "depth": 110},
    "batch_size": 128,
    "steps": 50,
    "device": "Tesla M40 24GB",
    "variants": [{"name": "baseline", "method": {}}, {"name": "SFE", "method": SFE["method"], "listing1": True}],
}

#: What runs were called on the day the protocol was fixed. An id that changes here makes every result on
#: disk unreadable: a default was changed, or a field was added whose default is not what was done before.
GOLDEN: dict[str, Tree] = {
    "cifar100-resnet110-baseline-s0-aa55db385bad": BASELINE,
    "cifar100-resnet110-sfe-s0-48a12b17499a": SFE,
    "cifar100-resnet110-sfe-sd-s0-f642d054b0a6": SD,
    "cifar100-resnet110-sla-s0-6374d1716178": {**BASELINE, "method": {"rotations": 4}},
    "cifar100-resnet110-baseline-cutout-s0-a25d99240224": {**BASELINE, "mixing": {"cutout_size": 8}},
    "cifar100-resnet110-sla-sfe-cutout-s0-66c9bd426579": {
        **BASELINE,
        "method": {**SFE["method"], "rotations": 4},
        "mixing": {"cutout_size": 8},
    },
    "standin-cifar100-resnet110-sfe-s0-9d8790329ee8": SMOKE,
}


def train_spec(tree: Tree) -> TrainSpec:
    return TrainSpec.model_validate(tree)


def changed(path: str, value: Any, base: Tree = SFE) -> Tree:
    tree = copy.deepcopy(base)
    *above, last = path.split(".")
    below = tree
    for part in above:
        below = below.setdefault(part, {})
    below[last] = value
    return tree


# ------------------------------------------------------------------ the id


@pytest.mark.parametrize(("name", "tree"), GOLDEN.items(), ids=GOLDEN)
def test_golden_ids(name: str, tree: Tree) -> None:
    assert run_id(train_spec(tree)) == name


def test_golden_id_of_a_cost_run() -> None:
    assert run_id(RUN_SPEC.validate_python(COST)) == "cost-cifar100-resnet110-f48e2c95a405"


def test_order_of_the_fields_does_not_matter() -> None:
    def reverse(tree: Any) -> Any:
        return {key: reverse(tree[key]) for key in reversed(tree)} if isinstance(tree, dict) else tree

    assert run_id(train_spec(reverse(SFE))) == run_id(train_spec(SFE))


@pytest.mark.parametrize("tree", GOLDEN.values(), ids=GOLDEN)
def test_writing_all_defaults_out_changes_nothing(tree: Tree) -> None:
    spec = train_spec(tree)
    full = spec.model_dump_json()
    assert len(full) > len(canonical(spec))
    again = RUN_SPEC.validate_json(full)
    assert again == spec
    assert run_id(again) == run_id(spec)


def test_a_cost_run_survives_json() -> None:
    spec = RUN_SPEC.validate_python(COST)
    assert isinstance(spec, CostSpec)
    assert run_id(RUN_SPEC.validate_json(spec.model_dump_json())) == run_id(spec)


def test_a_new_field_with_a_default_renames_nothing() -> None:
    class Later(Schedule):
        warm_up_epochs: int = 0

    class LaterSpec(TrainSpec):
        schedule: Later
        note: str | None = None

    assert run_id(LaterSpec.model_validate(SFE)) == run_id(train_spec(SFE))
    later = LaterSpec.model_validate(changed("schedule.warm_up_epochs", 5))
    assert run_id(later) != run_id(train_spec(SFE))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("dataset.source", "official"),
        ("dataset.train_images", None),
        ("method.rotations", 1),
        ("method.distillation", False),
        ("method.masks.carry_from", None),
        ("method.masks.masked_fraction", 1),
        ("mixing", {}),
        ("mixing.cutout_size", None),
        ("schedule.momentum", 0.9),
        ("schedule.decay_at", [0.5, 0.75]),
        ("choices", {}),
        ("choices.beta_on", "penultimate"),
        ("numerics.precision", "fp32"),
        ("numerics.threads", 1),
        ("numerics.carried_views", "copies"),
        ("numerics.compiled", False),
        ("seed", 0),
        ("kind", "train"),
    ],
)
def test_a_written_default_is_no_part_of_the_id(path: str, value: Any) -> None:
    assert run_id(train_spec(changed(path, value))) == run_id(train_spec(SFE))


def test_every_changed_value_changes_the_id() -> None:
    changes: list[tuple[str, Any]] = [
        ("protocol", 2),
        ("seed", 1),
        ("seed", 2),
        ("dataset.name", "cifar10"),
        ("dataset.train_images", 10_000),
        ("dataset.test_images", 2_000),
        ("network.depth", 164),
        ("network.family", "seresnet"),
        ("method.classifiers", 3),
        ("method.beta", 0.1),
        ("method.beta", 0.0),
        ("method.masks", None),
        ("method.masks.views", 4),
        ("method.masks.grouping", "contiguous"),
        ("method.masks.masked_fraction", 0.5),
        ("method.masks.groups_per_channel", 2),
        ("method.rotations", 4),
        ("method.distillation", True),
        ("mixing.cutout_size", 8),
        ("mixing.cutout_size", 16),
        ("mixing.mixup_alpha", 1.0),
        ("schedule.epochs", 30),
        ("schedule.batch_size", 64),
        ("schedule.learning_rate", 0.5),
        ("schedule.momentum", 0.0),
        ("schedule.weight_decay", 5e-4),
        ("schedule.decay_at", [0.5]),
        ("schedule.decay_at", []),
        ("schedule.decay_factor", 0.2),
        ("choices.beta_on", "last"),
        ("choices.nesterov", True),
        ("numerics.precision", "tf32"),
        ("numerics.precision", "bf16"),
        ("numerics.threads", 2),
        ("numerics.deterministic", False),
        ("numerics.compiled", True),
    ]
    ids = [run_id(train_spec(SFE)), *(run_id(train_spec(changed(path, value))) for path, value in changes)]
    assert len(set(ids)) == len(ids)
    hashes = [name.rsplit("-", 1)[1] for name in ids]
    assert len(set(hashes)) == len(hashes), "the readable head must not be what tells ids apart"


def test_ids_are_good_file_names() -> None:
    tree = changed("network", {"family": "pyramidnet", "depth": 110, "width": 270}, SD)
    assert re.fullmatch(r"cifar100-pyramidnet110-270-sfe-sd-s0-[0-9a-f]{12}", run_id(train_spec(tree)))
    for name in GOLDEN:
        assert re.fullmatch(r"[a-z0-9._-]+-s0-[0-9a-f]{12}", name)


def test_a_cost_run_names_its_device() -> None:
    ids = {run_id(RUN_SPEC.validate_python({**COST, "device": device})) for device in ("NVIDIA H100", "Tesla M40")}
    assert len(ids) == 2


def test_canonical_is_one_sorted_line_that_names_the_kind() -> None:
    text = canonical(train_spec(SFE))
    assert "\n" not in text
    assert " " not in text
    tree = json.loads(text)
    assert tree["kind"] == "train"
    assert list(tree) == sorted(tree)
    assert "seed" not in tree


@pytest.mark.parametrize(
    ("name", "words", "seed"),
    [
        ("cifar100-resnet110-sfe-s0-9d8790329ee8", "cifar100-resnet110-sfe", 0),
        ("cifar100-resnet110-s1-s12-9d8790329ee8", "cifar100-resnet110-s1", 12),
        ("cost-cifar100-resnet110-a7e4dfb26b59", "cost-cifar100-resnet110", None),
        ("notes", "notes", None),
    ],
)
def test_a_run_id_comes_apart(name: str, words: str, seed: int | None) -> None:
    assert words_and_seed(name) == (words, seed)
