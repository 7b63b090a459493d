from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pytorchcv.models.densenet_cifar import densenet100_k12_bc_cifar100, get_densenet_cifar
from pytorchcv.models.pyramidnet_cifar import get_pyramidnet_cifar, pyramidnet110_a270_cifar100
from pytorchcv.models.resnet_cifar import get_resnet_cifar
from pytorchcv.models.seresnet_cifar import get_seresnet_cifar
from pytorchcv.models.wrn_cifar import get_wrn_cifar, wrn28_10_cifar100
from torch import Tensor, nn
from torchvision.models import resnet18

from benchmark.models.backbone import Backbone, build_backbone, on_meta
from benchmark.models.initialise import initialise
from benchmark.runs.axes import Network

#: the paper's networks and their parameters with a classifier for 100 classes
PAPER: Mapping[str, tuple[Network, int]] = {
    "resnet110": (Network(family="resnet", depth=110), 1_170_868),
    "resnet164": (Network(family="resnet", depth=164), 1_727_284),
    "seresnet110": (Network(family="seresnet", depth=110), 1_305_604),
    "densenet100": (Network(family="densenet", depth=100, width=12), 800_032),
    "wrn28-10": (Network(family="wrn", depth=28, width=10), 36_536_884),
    "pyramidnet110-270": (Network(family="pyramidnet", depth=110, width=270), 28_511_307),
    "resnet18": (Network(family="resnet_imagenet", depth=18), 11_227_812),
}
TINY: Mapping[str, Network] = {
    "resnet": Network(family="resnet", depth=11),
    "resnet20": Network(family="resnet", depth=20),
    "seresnet": Network(family="seresnet", depth=11),
    "densenet": Network(family="densenet", depth=16, width=12),
    "wrn": Network(family="wrn", depth=10, width=1),
    "pyramidnet": Network(family="pyramidnet", depth=8, width=50),
    "resnet18": Network(family="resnet_imagenet", depth=18),
}


def backbone_of(network: Network) -> Backbone:
    built = on_meta(lambda: build_backbone(network))
    assert isinstance(built, Backbone)
    initialise(built, seed=0)
    return built.eval()


def images(count: int = 2, size: int = 32) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", PAPER)
def test_parameter_counts(name: str) -> None:
    network, wanted = PAPER[name]
    with torch.device("meta"):
        built = build_backbone(network)
    classifier = 100 * (network.stage_channels[-1] + 1)
    assert sum(parameter.numel() for parameter in built.parameters()) + classifier == wanted


@pytest.mark.parametrize(("network", "size"), [(n, 32) for n, _ in PAPER.values()] + [(PAPER["resnet110"][0], 64)])
def test_stage_features(network: Network, size: int) -> None:
    with torch.device("meta"):  # shapes only
        features = build_backbone(network).forward_stages(torch.empty(2, 3, size, size))
    channels = network.stage_channels
    first = size // 4 if network.family == "resnet_imagenet" else size
    assert [tuple(one.shape) for one in features] == [
        (2, c, first // 2**stage, first // 2**stage) for stage, c in enumerate(channels)
    ]


@pytest.mark.parametrize("name", TINY)
def test_stage_channels_of_tiny_networks(name: str) -> None:
    with torch.device("meta"):
        features = build_backbone(TINY[name]).forward_stages(torch.empty(2, 3, 32, 32))
    assert tuple(one.shape[1] for one in features) == TINY[name].stage_channels


LIBRARY: Mapping[str, Callable[[], Any]] = {
    "resnet110": lambda: get_resnet_cifar(num_classes=100, blocks=110, bottleneck=True),
    "seresnet110": lambda: get_seresnet_cifar(num_classes=100, blocks=110, bottleneck=True),
    "densenet100": densenet100_k12_bc_cifar100,
    "wrn28-10": wrn28_10_cifar100,
    "pyramidnet110-270": pyramidnet110_a270_cifar100,
    "resnet18": lambda: resnet18(num_classes=100),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_layers_are_the_librarys(name: str) -> None:
    with torch.device("meta"):
        library, ours = LIBRARY[name](), build_backbone(PAPER[name][0])
    theirs = list(library.state_dict().values())[:-2]  # without the classifier's weight and bias
    assert [tensor.shape for tensor in ours.state_dict().values()] == [tensor.shape for tensor in theirs]


SMALL_LIBRARY: Mapping[str, Callable[[], Any]] = {
    "resnet20": lambda: get_resnet_cifar(num_classes=10, blocks=20, bottleneck=True),
    "seresnet": lambda: get_seresnet_cifar(num_classes=10, blocks=11, bottleneck=True),
    "densenet": lambda: get_densenet_cifar(num_classes=10, blocks=16, growth_rate=12, bottleneck=True),
    "wrn": lambda: get_wrn_cifar(num_classes=10, blocks=10, width_factor=1),
    "pyramidnet": lambda: get_pyramidnet_cifar(num_classes=10, blocks=8, alpha=50, bottleneck=False),
    "resnet18": lambda: resnet18(num_classes=10),
}


@pytest.mark.parametrize("name", SMALL_LIBRARY)
def test_the_last_feature_is_what_the_librarys_classifier_sees(name: str) -> None:
    ours, library = backbone_of(TINY[name]), SMALL_LIBRARY[name]().eval()
    state = library.state_dict()
    names = [name for name in state if not name.endswith("num_batches_tracked")]  # ours count none
    copied = dict(zip(names, ours.state_dict().values(), strict=False))  # same layers in the same order
    library.load_state_dict({**state, **copied})
    weight, bias = (parameter.detach() for parameter in list(library.parameters())[-2:])
    with torch.no_grad():
        pooled = ours.forward_stages(images())[-1].mean((2, 3))
        assert torch.allclose(F.linear(pooled, weight, bias), library(images()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["densenet", "wrn", "pyramidnet"])
def test_pre_activation_networks_end_behind_their_final_activation(name: str) -> None:
    backbone = backbone_of(TINY[name])
    *earlier, last = backbone.forward_stages(images())
    assert last.min() == 0  # a ReLU ...
    for feature in earlier:  # ... and none on an earlier stage, which is taken as it is
        assert feature.min() < 0
    norms = [module for module in backbone.stages[-1].modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms[-1].num_features == TINY[name].stage_channels[-1]


@pytest.mark.parametrize("name", ["resnet", "seresnet", "resnet18"])
def test_residual_networks_end_every_stage_with_a_relu(name: str) -> None:
    for feature in backbone_of(TINY[name]).forward_stages(images()):
        assert feature.min() == 0


def test_densenets_stages_are_tapped_before_their_transitions() -> None:
    network = PAPER["densenet100"][0]
    assert network.stage_channels == (216, 300, 342)  # behind a transition stage 2 would have 150


@pytest.mark.parametrize("name", TINY)
def test_the_later_stages_go_on_from_an_earlier_feature(name: str) -> None:
    backbone = backbone_of(TINY[name])
    features = backbone.forward_stages(images())
    for after in range(1, len(features)):
        rest = backbone.forward_stages(features[after - 1], after=after)
        assert len(rest) == len(features) - after
        assert all(torch.equal(one, other) for one, other in zip(rest, features[after:], strict=True))


def test_building_on_meta_leaves_torchs_generator_alone() -> None:
    before = torch.random.get_rng_state()
    built = on_meta(lambda: build_backbone(TINY["resnet"]))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {tensor.device.type for tensor in built.state_dict().values()} == {"cpu"}
