import hashlib
import math

import pytest
import torch
from torch import Tensor, nn

from benchmark.methods.network import JointNetwork, build_network
from benchmark.models.backbone import on_meta
from benchmark.models.initialise import initialise
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec

TINY = Network(family="resnet", depth=11)


def model_of(method: Method | None = None, network: Network = TINY, seed: int = 0, classes: int = 10) -> JointNetwork:
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
        network=network,
        method=method or Method(),
        schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
        seed=seed,
    )
    return build_network(spec, classes)


def checksum(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, parameter in module.named_parameters():
        digest.update(name.encode())
        digest.update(parameter.detach().contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def kurtosis(values: Tensor) -> float:
    return float((values**4).mean() / (values**2).mean() ** 2)


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (1, 1), (2, 7)])
def test_convolutions_are_he_normal_with_fan_out(stride: int, kernel: int) -> None:
    layer = nn.Conv2d(96, 128, kernel, stride, bias=True)
    initialise(layer, seed=0)
    weight, count = layer.weight.detach().double(), layer.weight.numel()
    std = math.sqrt(2 / (128 * kernel**2))
    assert float(weight.mean()) == pytest.approx(0, abs=5 * std / math.sqrt(count))
    assert float(weight.std()) == pytest.approx(std, rel=5 / math.sqrt(2 * count))
    assert kurtosis(weight) == pytest.approx(3, abs=5 * math.sqrt(24 / count))
    assert layer.bias is not None
    assert not layer.bias.any()


def test_linear_layers_are_pytorchs_own() -> None:
    layer = nn.Linear(256, 900)
    initialise(layer, seed=0)
    bound = 1 / math.sqrt(256)
    for values in (layer.weight.detach().double(), layer.bias.detach().double()):
        assert float(values.abs().max()) <= bound
        assert float(values.abs().max()) > 0.99 * bound
        assert float(values.mean()) == pytest.approx(0, abs=5 * bound / math.sqrt(3 * values.numel()))
    assert kurtosis(layer.weight.detach().double()) == pytest.approx(1.8, abs=0.02)  # uniform


def test_batch_norms_start_at_one_and_zero() -> None:
    layer = nn.BatchNorm2d(5)
    for tensor in (*layer.parameters(), *layer.buffers()):
        tensor.data.fill_(7)
    initialise(layer, seed=0)
    assert layer.weight.tolist() == [1] * 5
    assert layer.bias.tolist() == [0] * 5
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert layer.running_mean.tolist() == [0] * 5
    assert layer.running_var.tolist() == [1] * 5
    assert layer.num_batches_tracked is None


@pytest.mark.parametrize(
    "network",
    [
        TINY,
        Network(family="seresnet", depth=11),
        Network(family="densenet", depth=10, width=12),
        Network(family="wrn", depth=10, width=1),
        Network(family="pyramidnet", depth=8, width=24),
        Network(family="resnet_imagenet", depth=18),
    ],
    ids=lambda network: network.family,
)
def test_every_tensor_of_every_family_is_filled(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    # the tensors come from the allocator: hand out memory full of NaN, as deterministic torch does
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    try:
        empty = on_meta(lambda: nn.Linear(3, 3))
        assert all(tensor.isnan().all() for tensor in empty.parameters())
        model = model_of(Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True), network)
    finally:
        torch.set_deterministic_debug_mode(before)
    for name, tensor in model.state_dict().items():
        assert tensor.isfinite().all(), name
        assert "num_batches_tracked" not in name, "with a momentum nothing reads it"
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms
    assert all(layer.momentum is not None for layer in norms)


@pytest.mark.parametrize(
    "method",
    [
        Method(classifiers=2, beta=0.5, masks=Masks(views=8)),
        Method(classifiers=3, beta=0.5),
        Method(masks=Masks(views=8, carry_from=1), distillation=True),
        Method(rotations=4),
    ],
    ids=["sfe", "3heads", "carried", "sla"],
)
def test_the_backbone_starts_alike_whatever_it_carries(method: Method) -> None:
    baseline, other = model_of(), model_of(method)
    assert checksum(baseline.backbone) == checksum(other.backbone)
    assert checksum(baseline) != checksum(other)


def test_a_head_starts_alike_whatever_stands_beside_it() -> None:
    two, three = model_of(Method(classifiers=2, beta=0.5)), model_of(Method(classifiers=3, beta=0.1))
    for stage in ("stage2", "stage3"):
        assert checksum(two.heads[stage]) == checksum(three.heads[stage])


def test_seeds_differ_in_every_random_tensor() -> None:
    ours, again, other = model_of(), model_of(), model_of(seed=1)
    assert checksum(ours) == checksum(again)
    for (name, one), another in zip(ours.named_parameters(), other.parameters(), strict=True):
        random = len(set(one.detach().flatten().tolist())) > 1
        assert random == (not torch.equal(one, another)), name


def test_tensors_of_one_shape_differ() -> None:
    drawn = [p.detach() for p in model_of(network=Network(family="resnet", depth=20)).parameters() if p.dim() == 4]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert one.shape != other.shape or not torch.equal(one, other)


@pytest.mark.parametrize("layer", [nn.Conv1d(3, 3, 1), nn.PReLU(), nn.LayerNorm(4)], ids=lambda x: type(x).__name__)
def test_unknown_layers_are_refused(layer: nn.Module) -> None:
    with pytest.raises(TypeError, match=type(layer).__name__):
        initialise(nn.Sequential(nn.ReLU(), layer), seed=0)


def test_golden_initial_weights() -> None:
    # Philox draws alike on every machine. A change here changes every published run: raise PROTOCOL.
    method = Method(classifiers=2, beta=0.5, masks=Masks(views=8))
    assert checksum(model_of(method)) == "7e79e61556a3aa08aa552b1981cb4269f0dd3e7b460a909009b940a0d99b3d64"
