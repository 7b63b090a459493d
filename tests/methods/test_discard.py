"""Figure 1's networks: a group of the last feature's channels takes no part; and their activation maps."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.methods.masks import draw_masks, kept_channels
from benchmark.methods.mixing import Mixed
from benchmark.methods.network import JointNetwork, build_network
from benchmark.methods.objective import Objective, predictions
from benchmark.runs.axes import Dataset, Discard, Masks, Method, Network, Schedule
from benchmark.runs.schema import first_problem
from benchmark.runs.spec import PROTOCOL, TrainSpec, run_id

CLASSES, CHANNELS = 10, 64
WRN = Network(family="wrn", depth=10, width=1)
LABELS = torch.tensor([3, 0, 9, 3])


def spec_of(method: Method, seed: int = 0, **changes: Any) -> TrainSpec:
    tree: dict[str, Any] = {
        "protocol": PROTOCOL,
        "dataset": Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
        "network": WRN,
        "method": method,
        "schedule": Schedule(epochs=1, batch_size=4, learning_rate=0.1),
        "seed": seed,
    }
    return TrainSpec(**(tree | changes))


def discarding(group: int, groups: int = 4) -> Method:
    return Method(discard=Discard(groups=groups, group=group))


def images(count: int = 4) -> torch.Tensor:
    noise = np.random.default_rng(5).standard_normal((count, 3, 32, 32))
    return torch.from_numpy(noise.astype(np.float32))


def lively(method: Method, seed: int = 0) -> JointNetwork:
    """A network in evaluation mode whose batch norms have seen some images."""
    model = build_network(spec_of(method, seed), CLASSES).train()
    with torch.no_grad():
        model(1 + 2 * images(8))
    return model.eval()


def lost(kept: torch.Tensor) -> set[int]:
    return {channel for channel, value in enumerate(kept.tolist()) if value == 0}


# ------------------------------------------------------------------ which channels


@pytest.mark.parametrize(("channels", "groups"), [(512, 4), (64, 5), (9, 2)])
def test_the_groups_of_one_seed_part_the_channels(channels: int, groups: int) -> None:
    parts = [lost(kept_channels(Discard(groups=groups, group=g), channels, 3, 0)) for g in range(1, groups + 1)]
    assert sorted(channel for part in parts for channel in part) == list(range(channels))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_they_are_the_groups_of_sfe_at_this_stage_and_seed() -> None:
    masks = draw_masks(Masks(views=4), CHANNELS, stage=3, seed=7)
    for group in range(1, 5):
        model = build_network(spec_of(discarding(group), seed=7), CLASSES)
        assert torch.equal(model.get_buffer("kept"), masks[group])


# ------------------------------------------------------------------ what the network does without them


@pytest.mark.parametrize("training", [True, False])
def test_logits_are_those_of_a_feature_with_zeros(training: bool) -> None:
    model = lively(discarding(2)).train(training)
    with torch.no_grad():
        feature = model.backbone.forward_stages(images())[-1].numpy().copy()  # [B, C, h, w]
        found = lively(discarding(2)).train(training)(images()).joint[0][0]
    for channel in lost(model.get_buffer("kept")):
        feature[:, channel] = 0
    weight, bias = (model.heads["stage3"].get_parameter(name).detach().numpy() for name in ("weight", "bias"))
    wanted = feature.mean((2, 3)) @ weight.T + bias
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_nothing_is_learned_of_the_discarded_channels() -> None:
    model = build_network(spec_of(discarding(3)), CLASSES).train()
    loss = Objective(spec_of(discarding(3)))(model(images()), Mixed(images(), LABELS, None, torch.ones(())))
    torch.autograd.backward(loss)
    head = model.heads["stage3"].get_parameter("weight").grad
    assert head is not None
    gone = sorted(lost(model.get_buffer("kept")))
    assert torch.count_nonzero(head[:, gone]) == 0
    assert (head.abs().sum(0) > 0).sum() == CHANNELS - len(gone)


def test_the_five_networks_start_from_the_same_weights() -> None:
    plain = dict(build_network(spec_of(Method()), CLASSES).named_parameters())
    for group in (1, 4):
        for name, parameter in build_network(spec_of(discarding(group)), CLASSES).named_parameters():
            assert torch.equal(parameter, plain[name]), name


# ------------------------------------------------------------------ activation maps


@pytest.mark.parametrize("method", [Method(), discarding(1)])
def test_a_map_is_the_weighted_sum_of_the_channels(method: Method) -> None:
    model = lively(method)
    with torch.no_grad():
        found = model.class_activation(images(), LABELS)
        feature = model.backbone.forward_stages(images())[-1].numpy().astype(np.float64)
    weight = model.heads["stage3"].get_parameter("weight").detach().numpy().astype(np.float64)
    gone = lost(model.get_buffer("kept")) if method.discard else set()
    wanted = np.zeros((4, 8, 8))
    for image, label in enumerate(LABELS.tolist()):
        for channel in set(range(CHANNELS)) - gone:
            for row in range(8):
                for column in range(8):
                    wanted[image, row, column] += weight[label, channel] * feature[image, channel, row, column]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)


METHODS = [
    Method(),
    discarding(4),
    Method(classifiers=2, beta=0.5, masks=Masks(views=8)),
    Method(masks=Masks(views=4, carry_from=1)),
    Method(rotations=4, masks=Masks(views=2)),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.label)
def test_a_maps_mean_is_its_logit_of_the_single_prediction(method: Method) -> None:
    model = lively(method)
    with torch.no_grad():
        maps = model.class_activation(images(), LABELS)
        logits = predictions(model(images()))["single"].gather(1, LABELS[:, None])[:, 0]
    bias = model.heads["stage3"].get_parameter("bias").detach()[LABELS * method.views]
    np.testing.assert_allclose((maps.mean((1, 2)) + bias).numpy(), logits.numpy(), rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------ the spec


def test_new_fields_at_their_default_rename_nothing() -> None:
    tree: dict[str, Any] = {
        "protocol": 1,
        "dataset": {"name": "cifar100"},
        "network": {"family": "resnet", "depth": 110},
        "method": {"discard": None},
        "schedule": {"epochs": 300, "batch_size": 128, "learning_rate": 0.1},
        "activation_maps": 0,
    }
    assert run_id(TrainSpec.model_validate(tree)) == "cifar100-resnet110-baseline-s0-aa55db385bad"


def test_the_id_says_which_group() -> None:
    assert run_id(spec_of(discarding(2))).startswith("standin-cifar10-wrn10-1-discard2of4-s0-")
    assert run_id(spec_of(Method())) != run_id(spec_of(Method(), activation_maps=6))


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ({"discard": {"groups": 1, "group": 1}}, "method.discard.groups", "greater than or equal to 2"),
        ({"discard": {"groups": 4, "group": 0}}, "method.discard.group", "greater than or equal to 1"),
        ({"discard": {"groups": 4, "group": 5}}, "method.discard.group", "one of the 4 groups"),
        ({"discard": {"groups": 65, "group": 1}}, "method.discard.groups", "has 64 channels, too few"),
        ({"discard": {"groups": 4}}, "method.discard.group", "is missing"),
        ({"discard": {"groups": 4, "group": 1}, "masks": {"views": 4}}, "method.discard", "plain network"),
        ({"discard": {"groups": 4, "group": 1}, "rotations": 4}, "method.discard", "plain network"),
        ({"discard": {"groups": 4, "group": 1}, "classifiers": 2, "beta": 1.0}, "method.discard", "plain network"),
    ],
)
def test_what_makes_no_sense_is_refused(method: dict[str, Any], path: str, reason: str) -> None:
    tree = spec_of(Method()).model_dump() | {"method": method}
    with pytest.raises(ValidationError) as caught:
        TrainSpec.model_validate(tree)
    where, why = first_problem(caught.value, TrainSpec)
    assert ".".join(map(str, where)) == path
    assert reason in why
