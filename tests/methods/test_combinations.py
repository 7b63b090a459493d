"""Every network family with every objective and every input mixing: what holds for all of them."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from benchmark.methods.mixing import InputMixing
from benchmark.methods.network import JointNetwork, Logits, build_network
from benchmark.methods.objective import Objective, predictions
from benchmark.runs.axes import Choices, Dataset, Masks, Method, Mixing, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec

B, N, K = 4, 10, 5
CPU = torch.device("cpu")

NETWORKS: Mapping[str, Network] = {
    "resnet": Network(family="resnet", depth=11),
    "seresnet": Network(family="seresnet", depth=11),
    "densenet": Network(family="densenet", depth=10, width=12),
    "wrn": Network(family="wrn", depth=10, width=1),
    "pyramidnet": Network(family="pyramidnet", depth=8, width=24),
    "resnet18": Network(family="resnet_imagenet", depth=18),
}
SFE = Masks(views=K - 1)
#: with V, the number of labelled views of an image
METHODS: Mapping[str, tuple[Method, int]] = {
    "baseline": (Method(), 1),
    "2heads": (Method(classifiers=2, beta=0.5), 1),
    "3heads": (Method(classifiers=3, beta=0.5), 1),
    "sfe": (Method(classifiers=2, beta=0.5, masks=SFE), K),
    "sfe-sd": (Method(classifiers=2, beta=0.5, masks=SFE, distillation=True), K),
    "sfe-carried-1": (Method(masks=Masks(views=K - 1, carry_from=1)), K),
    "sfe-carried-2": (Method(masks=Masks(views=K - 1, carry_from=2)), K),
    "sla": (Method(rotations=4), 4),
    "sla-sd": (Method(rotations=4, distillation=True), 4),
    "sla-sfe": (Method(classifiers=2, beta=0.5, rotations=4, masks=SFE), 4 * K),
}
MIXINGS: Mapping[str, Mixing] = {
    "none": Mixing(),
    "cutout": Mixing(cutout_size=8),
    "mixup": Mixing(mixup_alpha=1.0),
}


def spec_of(network: str, method: Method, mixing: Mixing | None = None, choices: Choices | None = None) -> TrainSpec:
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
        network=NETWORKS[network],
        method=method,
        mixing=mixing or Mixing(),
        schedule=Schedule(epochs=1, batch_size=B, learning_rate=0.1),
        choices=choices or Choices(),
    )


def step(model: JointNetwork, spec: TrainSpec) -> tuple[Logits, Tensor]:
    """Forward and backward of one training step on random images."""
    mixing = InputMixing(spec.mixing, seed=0, images=B, image_size=32, device=CPU)
    mixing.draw(epoch=0, steps=1)
    images = torch.randn(B, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    batch = mixing(images, torch.tensor([0, 9, 3, 3]), torch.arange(B), 0)
    logits: Logits = model.train()(batch.images)
    loss = Objective(spec)(logits, batch)
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return logits, loss.detach()


def mean_by_loop(logits: Logits) -> tuple[Tensor, Tensor]:
    """Aggregated logits of all heads and of the last one, entry by entry."""
    every, last = torch.zeros(B, N), torch.zeros(B, N)
    for one in logits.joint:
        views = len(one)
        for v in range(views):
            for i in range(N):
                column = one[v, :, i * views + v].detach()
                every[:, i] += column / (views * len(logits.joint))
                last[:, i] += column / views if one is logits.joint[-1] else 0
    return every, last


@pytest.fixture(scope="module", params=[(n, m) for n in NETWORKS for m in METHODS], ids="-".join)
def built(request: pytest.FixtureRequest) -> tuple[str, str, JointNetwork]:
    """A model, shared between the mixings."""
    network, method = request.param
    return network, method, build_network(spec_of(network, METHODS[method][0]), N)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_one_step(built: tuple[str, str, JointNetwork], mixing: str) -> None:
    network, name, model = built
    method, views = METHODS[name]
    logits, loss = step(model, spec_of(network, method, MIXINGS[mixing]))

    assert [one.shape for one in logits.joint] == [(views, B, N * views)] * method.classifiers
    assert (logits.plain is not None) == name.endswith("-sd")
    if logits.plain is not None:
        assert logits.plain.shape == (B, N)
    assert loss.shape == ()
    assert loss.isfinite()

    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.any(), parameter_name

    scores = predictions(logits)
    every, last = mean_by_loop(logits)
    assert torch.allclose(scores["aggregated"], every, rtol=1e-4, atol=1e-5)
    assert torch.allclose(scores["aggregated_final_head"], last, rtol=1e-4, atol=1e-5)
    for prediction, score in scores.items():
        assert score.shape == (B, N), prediction
        if "probabilities" in prediction:
            assert torch.allclose(score.sum(1), torch.ones(B)), prediction
    if name == "baseline":
        chosen = {tuple(score.argmax(1).tolist()) for score in scores.values()}
        assert len(chosen) == 1


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("beta_on", ["penultimate", "last"])
def test_beta_zero_switches_heads_off(network: str, beta_on: str) -> None:
    method = Method(classifiers=2, beta=0.0, masks=SFE)
    choices = Choices(beta_on="last") if beta_on == "last" else Choices()
    spec = spec_of(network, method, choices=choices)
    model = build_network(spec, N)
    step(model, spec)
    penultimate, last = ([parameter.grad for parameter in head.parameters()] for head in model.heads.values())
    off, on = (penultimate, last) if beta_on == "penultimate" else (last, penultimate)
    assert all(gradient is None or not gradient.any() for gradient in off)
    assert all(gradient is not None and gradient.any() for gradient in on)
