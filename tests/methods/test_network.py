import copy
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.methods import network as network_module
from benchmark.methods.masks import draw_masks
from benchmark.methods.mixing import Mixed
from benchmark.methods.network import JointNetwork, build_network
from benchmark.methods.objective import Objective
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec

from . import listings

pytestmark = pytest.mark.usefixtures("seeded")

RESNET = Network(family="resnet", depth=11)
WRN = Network(family="wrn", depth=10, width=1)
TWO_HEADS = Method(classifiers=2, beta=0.5, masks=Masks(views=8))


def spec_of(network: Network, method: Method, seed: int = 0) -> TrainSpec:
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
        network=network,
        method=method,
        schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
        seed=seed,
    )


def network_of(network: Network, method: Method, *, listing1: bool = False) -> JointNetwork:
    return build_network(spec_of(network, method), 10, listing1=listing1)


def lively(model: JointNetwork) -> JointNetwork:
    """Running statistics of a few batches, so that evaluation mode is more than the identity."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(1 + 2 * torch.randn(8, 3, 32, 32))
    return model.eval()


def distance(one: Tensor, other: Tensor) -> float:
    """Relative to the tensor's norm."""
    one, other = one.detach(), other.detach()
    return float((one - other).norm() / other.norm())


def pooled(feature: Tensor) -> Tensor:
    """Global average by NumPy, ``[B, C, H, W] -> [B, C]``."""
    return torch.from_numpy(feature.detach().numpy().astype(np.float64).mean((2, 3)).astype(np.float32))


def turned(images: Tensor, quarter_turns: int) -> Tensor:
    """Counter-clockwise by NumPy, image by image."""
    planes = [np.rot90(image, quarter_turns, axes=(1, 2)) for image in images.numpy()]
    return torch.from_numpy(np.stack(planes).copy())


# ------------------------------------------------------------------ against Listing 1 and 2


def order_of(masks: Tensor) -> list[int]:
    """A ``seed_list`` with which Listing 1 draws these masks."""
    return [channel for mask in masks[1:] for channel in (mask == 0).nonzero().flatten().tolist()]


def listing_of(model: JointNetwork) -> listings.ResNet:
    """Listing 2 with copies of a model's layers and its masks."""
    model = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    stem, layer1 = model.backbone.stages[0].children()
    return listings.ResNet(
        conv1=stem.get_submodule("conv"),
        bn1=stem.get_submodule("bn"),
        relu=stem.get_submodule("activ"),
        layer1=layer1,
        layer2=model.backbone.stages[1],
        layer3=model.backbone.stages[2],
        l2_fc=model.heads["stage2"],
        l3_fc=model.heads["stage3"],
        orders=(order_of(model.get_buffer("masks_stage2")), order_of(model.get_buffer("masks_stage3"))),
        num_transform=9,
    )


def image_by_image(joint: Tensor) -> Tensor:
    """Our ``[V, B, N·V]`` in the listing's order, ``[B·V, N·V]``."""
    return joint.transpose(0, 1).flatten(0, 1)


def same_parameters(model: JointNetwork, reference: listings.ResNet) -> list[tuple[str, nn.Parameter, nn.Parameter]]:
    """Pairs of parameters: the stem, the layers, then the heads, in both the same order."""
    ours, theirs = list(model.named_parameters()), list(reference.parameters())
    assert len(ours) == len(theirs)
    pairs = [(name, mine, other) for (name, mine), other in zip(ours, theirs, strict=True)]
    for name, mine, other in pairs:
        assert torch.equal(mine, other), name
    return pairs


def test_listing_1_drops_the_slices_of_its_list() -> None:
    # the reference itself, on a case that can be read off
    x = torch.arange(1.0, 9.0).view(2, 4, 1, 1)
    views = listings.Transaction((4, 1, 1), 2, seed_list=[3, 0, 1, 2]).trans1(x)
    assert views.flatten(1).tolist() == [
        [1, 2, 3, 4], [0, 2, 3, 0], [1, 0, 0, 4],
        [5, 6, 7, 8], [0, 6, 7, 0], [5, 0, 0, 8],
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("listing1", [False, True])
def test_logits_are_listing_2s(mode: str, listing1: bool) -> None:
    # in fp64: products of other shapes ([V·B, C] in one, V of [B, C]) round alike on some processors alone.
    # The listing's view() wants contiguous features; both sides pool with avg_pool2d
    model = lively(network_of(RESNET, TWO_HEADS, listing1=listing1)).to(memory_format=torch.contiguous_format).double()
    reference = listing_of(model)
    images = torch.randn(6, 3, 32, 32, dtype=torch.float64)
    penultimate, last = reference.train(mode == "train")(images)
    joint = model.train(mode == "train")(images).joint
    for ours, theirs in zip(joint, (penultimate, last), strict=True):
        assert float((image_by_image(ours) - theirs).detach().abs().max()) < 1e-13


@pytest.mark.parametrize("listing1", [False, True])
@pytest.mark.parametrize(
    ("memory_format", "precision"),
    # fp32 in two memory formats differs by more than 1e-5 where a ReLU's input is all but zero
    [(torch.contiguous_format, torch.float32), (torch.channels_last, torch.float64)],
    ids=["contiguous", "channels last"],
)
@pytest.mark.parametrize("beta", [0.5, 0.1])
def test_loss_and_gradients_are_listing_2s(
    beta: float, memory_format: torch.memory_format, precision: torch.dtype, listing1: bool
) -> None:
    method = TWO_HEADS.model_copy(update={"beta": beta})
    model = lively(network_of(RESNET, method, listing1=listing1)).train().to(precision)
    reference = listing_of(model)
    images, labels = torch.randn(6, 3, 32, 32, dtype=precision), torch.tensor([0, 9, 3, 3, 7, 1])
    x2, x3 = reference(images)
    wanted = listings.two_classifier_loss(x2, x3, labels, num_transform=9, beta=beta)
    wanted.backward()  # type: ignore[no-untyped-call]
    logits = model.to(memory_format=memory_format)(images)
    loss = Objective(spec_of(RESNET, method))(logits, Mixed(images, labels, None, torch.ones(())))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    for name, ours, theirs in same_parameters(model, reference):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert distance(ours.grad, theirs.grad) < 1e-5, name


def test_the_project_has_listing_1_as_a_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def pool(feature: Tensor) -> Tensor:
        sizes.append(len(feature))
        return original(feature)

    original = network_module.pool
    monkeypatch.setattr(network_module, "pool", pool)
    pooled_first, masked_first = network_of(RESNET, TWO_HEADS), network_of(RESNET, TWO_HEADS, listing1=True)
    images = torch.randn(6, 3, 32, 32)
    with torch.no_grad():
        for ours, listed in zip(pooled_first(images).joint, masked_first(images).joint, strict=True):
            assert distance(ours, listed) < 1e-5
    assert sizes == [6, 6, 54, 54]  # the listing pools all K views of every image, which is what it costs


# ------------------------------------------------------------------ views, one by one


@pytest.mark.parametrize("network", [RESNET, WRN], ids=["resnet", "wrn"])
def test_a_baseline_is_the_plain_network(network: Network) -> None:
    model = lively(network_of(network, Method()))
    images = torch.randn(3, 3, 32, 32)
    logits = model(images)
    feature = images
    for stage in model.backbone.stages:
        feature = stage(feature)
    assert [one.shape for one in logits.joint] == [(1, 3, 10)]
    assert distance(logits.joint[0][0], model.heads["stage3"](pooled(feature))) < 1e-5
    assert logits.plain is None
    assert list(model.heads) == ["stage3"]


def test_classifiers_stand_on_the_last_stages() -> None:
    model = lively(network_of(RESNET, Method(classifiers=3, beta=0.5)))
    images = torch.randn(3, 3, 32, 32)
    feature, joint = images, model(images).joint
    for number, stage in enumerate(model.backbone.stages, start=1):
        feature = stage(feature)
        assert distance(joint[number - 1][0], model.heads[f"stage{number}"](pooled(feature))) < 1e-5


@pytest.mark.parametrize("listing1", [False, True])
@pytest.mark.parametrize("rotations", [1, 4])
def test_each_view_is_a_turned_image_with_a_mask(rotations: Literal[1, 4], listing1: bool) -> None:
    method = Method(classifiers=2, beta=0.5, rotations=rotations, masks=Masks(views=4), distillation=True)
    model = lively(network_of(RESNET, method, listing1=listing1))
    images = torch.randn(3, 3, 32, 32)
    logits = model(images)
    for r in range(rotations):
        features = model.backbone.forward_stages(turned(images, r))
        for j in range(5):
            for tap, stage in enumerate((2, 3)):
                mask = model.get_buffer(f"masks_stage{stage}")[j]
                wanted = model.heads[f"stage{stage}"](pooled(features[stage - 1]) * mask)
                assert logits.joint[tap].shape == (rotations * 5, 3, 10 * rotations * 5)
                assert distance(logits.joint[tap][r * 5 + j], wanted) < 1e-5
    assert logits.plain is not None
    assert model.plain is not None
    assert distance(logits.plain, model.plain(pooled(model.backbone.forward_stages(images)[2]))) < 1e-5


def test_sla_alone_turns_the_images() -> None:
    model = lively(network_of(RESNET, Method(rotations=4)))
    images = torch.randn(3, 3, 32, 32)
    joint = model(images).joint
    assert [one.shape for one in joint] == [(4, 3, 40)]
    for r in range(4):
        wanted = model.heads["stage3"](pooled(model.backbone.forward_stages(turned(images, r))[2]))
        assert distance(joint[0][r], wanted) < 1e-5


# ------------------------------------------------------------------ Table 6: views that go on through the network


def one_view(model: JointNetwork, images: Tensor, stage: int, view: int) -> Tensor:
    """Head logits of one carried view, computed alone."""
    feature = images
    for number, part in enumerate(model.backbone.stages, start=1):
        feature = part(feature)
        if number == stage:
            feature = feature * model.get_buffer(f"masks_stage{stage}")[view, :, None, None]
    logits: Tensor = model.heads["stage3"](pooled(feature))
    return logits


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("rotations", [1, 4])
def test_carried_views_are_the_views_one_by_one(stage: int, rotations: Literal[1, 4]) -> None:
    method = Method(masks=Masks(views=4, carry_from=stage), rotations=rotations, distillation=True)
    model = lively(network_of(RESNET, method))
    images = torch.randn(3, 3, 32, 32)
    logits = model(images)
    assert [one.shape for one in logits.joint] == [(5 * rotations, 3, 50 * rotations)]
    for r in range(rotations):
        for j in range(5):
            assert distance(logits.joint[0][r * 5 + j], one_view(model, turned(images, r), stage, j)) < 1e-5
    assert logits.plain is not None
    assert model.plain is not None
    assert distance(logits.plain, model.plain(pooled(model.backbone.forward_stages(images)[2]))) < 1e-5


@pytest.mark.parametrize("stage", [1, 2])
def test_batch_norm_sees_all_carried_views_together(stage: int) -> None:
    model = lively(network_of(RESNET, Method(masks=Masks(views=4, carry_from=stage)))).train()
    by_hand, alone = copy.deepcopy(model), copy.deepcopy(model)
    images = torch.randn(4, 3, 32, 32)
    joint = model(images).joint[0]

    feature = images
    for part in by_hand.backbone.stages[:stage]:
        feature = part(feature)
    masks = by_hand.get_buffer(f"masks_stage{stage}")
    feature = torch.cat([feature * mask[:, None, None] for mask in masks])  # K·B images
    for part in by_hand.backbone.stages[stage:]:
        feature = part(feature)
    wanted = by_hand.heads["stage3"](pooled(feature)).view(5, 4, 50)
    assert distance(joint, wanted) < 1e-5
    for (name, ours), theirs in zip(model.named_buffers(), by_hand.buffers(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6), name

    one_by_one = torch.stack([one_view(alone, images, stage, view) for view in range(5)])
    assert distance(joint, one_by_one) > 0.01  # or the test above could not fail


# ------------------------------------------------------------------ what a model is built from


def test_masks_are_saved_and_restored_with_the_model() -> None:
    model, other = network_of(RESNET, TWO_HEADS), build_network(spec_of(RESNET, TWO_HEADS, seed=1), 10)
    state = model.state_dict()
    assert {name for name in state if "mask" in name} == {"masks_stage2", "masks_stage3"}
    assert not torch.equal(state["masks_stage2"], other.get_buffer("masks_stage2"))
    other.load_state_dict(state)
    assert torch.equal(other.get_buffer("masks_stage2"), model.get_buffer("masks_stage2"))
    assert not any(name.startswith("masks") for name, _ in model.named_parameters())


@pytest.mark.parametrize(
    ("method", "stages"),
    [
        (Method(), []),
        (Method(masks=Masks(views=8)), [3]),
        (TWO_HEADS, [2, 3]),
        (Method(masks=Masks(views=8, carry_from=1)), [1]),
    ],
    ids=["baseline", "one head", "two heads", "carried"],
)
def test_masks_are_drawn_for_the_masked_stages(method: Method, stages: list[int]) -> None:
    model = build_network(spec_of(RESNET, method, seed=3), 10)
    found = {name: mask for name, mask in model.named_buffers() if name.startswith("masks")}
    assert list(found) == [f"masks_stage{stage}" for stage in stages]
    for stage in stages:
        drawn = draw_masks(Masks(views=8), (64, 128, 256)[stage - 1], stage, seed=3)
        assert torch.equal(found[f"masks_stage{stage}"], drawn)


def test_heads_have_a_column_for_each_class_and_view() -> None:
    method = Method(classifiers=2, beta=1.0, rotations=4, masks=Masks(views=8), distillation=True)
    model = network_of(RESNET, method)
    shapes = {name: tuple(head.get_parameter("weight").shape) for name, head in model.heads.items()}
    assert shapes == {"stage2": (10 * 36, 128), "stage3": (10 * 36, 256)}
    assert isinstance(model.plain, nn.Linear)
    assert tuple(model.plain.weight.shape) == (10, 256)
