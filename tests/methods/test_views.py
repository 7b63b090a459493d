from typing import Literal

import pytest
import torch
from torch import Tensor

from benchmark.methods.masks import draw_masks
from benchmark.methods.network import JointNetwork, build_network
from benchmark.methods.views import ViewsConv, indexed, listing1_copies, masked_copies
from benchmark.runs.axes import Dataset, Masks, Method, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from tests.training.tape import Tape

pytestmark = pytest.mark.usefixtures("seeded")

RESNET = Network(family="resnet", depth=11)
SERESNET = Network(family="seresnet", depth=11)


def carried(
    network: Network = RESNET,
    *,
    stage: int = 1,
    views: Literal["copies", "partial_sums"] = "partial_sums",
    listing1: bool = False,
    masks: Masks | None = None,
) -> JointNetwork:
    masks = (masks or Masks(views=5)).model_copy(update={"carry_from": stage})
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
        network=network,
        method=Method(masks=masks),
        schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
        numerics=Numerics(carried_views=views),
    )
    return build_network(spec, 10, listing1=listing1)


def step(model: JointNetwork, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Joint logits and the gradient of every parameter, in double precision."""
    joint = model.double().train()(images.double()).joint[0]
    weights = torch.arange(joint.numel(), dtype=torch.float64).cos().view(joint.shape)
    (joint * weights).sum().backward()
    return joint.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("network", [RESNET, SERESNET], ids=["resnet", "seresnet"])
@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize(
    "masks",
    [
        Masks(views=5),  # slices of 12 and 13 channels
        Masks(views=32),
        Masks(views=4, masked_fraction=0.5),
        Masks(views=6, groups_per_channel=3),
    ],
    ids=["uneven", "k32", "half masked", "overlapping"],
)
def test_partial_sums_are_the_copies(network: Network, stage: int, masks: Masks) -> None:
    images = torch.randn(2, 3, 8, 8)
    sums, sum_gradients = step(carried(network, stage=stage, masks=masks), images)
    copies, copy_gradients = step(carried(network, stage=stage, masks=masks, views="copies"), images)
    assert torch.allclose(sums, copies, rtol=1e-9, atol=1e-9)
    assert sum_gradients.keys() == copy_gradients.keys()
    for name, gradient in copy_gradients.items():
        assert (sum_gradients[name] - gradient).norm() <= 1e-9 * gradient.norm(), name


@pytest.mark.parametrize("views", ["copies", "partial_sums"])
@pytest.mark.parametrize("stage", [1, 2])
def test_carried_views_are_listing_1s(views: Literal["copies", "partial_sums"], stage: int) -> None:
    images = torch.randn(2, 3, 8, 8)
    ours, our_gradients = step(carried(stage=stage, views=views), images)
    listing, gradients = step(carried(stage=stage, views="copies", listing1=True), images)
    assert torch.allclose(ours, listing, rtol=1e-9, atol=1e-9)
    for name, gradient in gradients.items():
        assert (our_gradients[name] - gradient).norm() <= 1e-9 * gradient.norm(), name


def test_in_single_precision_they_agree_to_rounding() -> None:
    images = torch.randn(8, 3, 32, 32)
    sums, copies = (carried(views=views)(images).joint[0].detach() for views in ("partial_sums", "copies"))
    assert not torch.equal(sums, copies)  # which is why it is a field of the spec
    assert (sums - copies).norm() <= 1e-4 * copies.norm()


def test_both_start_from_the_same_weights_under_the_same_names() -> None:
    sums, copies = carried().state_dict(), carried(views="copies").state_dict()
    assert sums.keys() == copies.keys()
    assert all(torch.equal(tensor, copies[name]) for name, tensor in sums.items())


def test_a_trained_state_is_good_for_both() -> None:
    sums, copies = carried(), carried(views="copies")
    with torch.no_grad():
        for parameter in sums.parameters():
            parameter.add_(0.01)
    copies.load_state_dict(sums.state_dict())
    images = torch.randn(4, 3, 32, 32)
    ours, theirs = sums.double().eval()(images.double()).joint[0], copies.double().eval()(images.double()).joint[0]
    assert torch.allclose(ours, theirs, rtol=1e-9)


def kept_for_backward(model: JointNetwork, images: Tensor) -> list[tuple[int, ...]]:
    shapes = []

    def note(tensor: Tensor) -> Tensor:
        shapes.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        model(images)
    return shapes


def test_no_copy_of_the_masked_feature_is_kept_for_backward() -> None:
    images = torch.randn(4, 3, 32, 32)
    copy = (6 * 4, 64, 32, 32)  # K·B maps of the first stage's feature
    assert copy in kept_for_backward(carried(views="copies"), images)
    assert copy not in kept_for_backward(carried(), images)


def test_a_convolution_of_views_by_hand() -> None:
    conv = torch.nn.Conv2d(3, 2, 1, stride=2, bias=False)
    masks = torch.tensor([[1.0, 1, 1], [0, 1, 1], [1, 0, 0]])
    x = torch.randn(2, 3, 4, 4)
    views = ViewsConv(conv, masks)(x)
    by_hand = torch.cat([conv(x * mask[:, None, None]) for mask in masks])
    assert views.shape == (6, 2, 2, 2)
    assert views.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(views, by_hand, atol=1e-6)


def test_listing_1_goes_image_by_image_and_copies_view_by_view() -> None:
    masks, feature = draw_masks(Masks(views=4), 8, 1, seed=0), torch.randn(3, 8, 2, 2)
    listing = listing1_copies(feature, masks).view(3, 5, 8, 2, 2)
    ours = masked_copies(feature, masks).view(5, 3, 8, 2, 2)
    assert torch.equal(listing.transpose(0, 1), ours)
    assert torch.equal(ours[2], feature * masks[2][:, None, None])


@pytest.mark.parametrize("axis", [0, 1])
def test_what_a_gpu_selects_by_is_index_select(axis: int) -> None:
    """With the same gradient to the last bit, though some channels are taken twice."""
    places, given = torch.tensor([3, 1, 1, 0, 3]), torch.randn(4, 4)
    found = []
    for select in (torch.index_select, indexed):
        x = given.clone().requires_grad_()
        with Tape() as tape:
            taken = select(x, axis, places)
            (gradient,) = torch.autograd.grad((taken * torch.arange(20.0).view_as(taken)).sum(), x)
        found.append((taken, gradient, {call[0]._schema.name for call in tape.calls}))
    (ours, our_gradient, calls), (theirs, their_gradient, their_calls) = found[1], found[0]
    assert torch.equal(ours, theirs)
    assert torch.equal(our_gradient, their_gradient)
    assert "aten::index_add" in their_calls, "which a deterministic GPU can't record"
    assert not {name for name in calls if name.startswith("aten::index_add")}
