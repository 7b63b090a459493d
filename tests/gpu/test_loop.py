"""A GPU trains as a processor does, up to rounding, and every network deterministically."""

import pytest
import torch

from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.catalogue import NETWORKS
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training.device import own_stream
from benchmark.training.loop import Training
from tests.training.steps import CASES, SFE, casting_one_by_one, state_of, trace

from .here import DEVICE, REHEARSAL, SIZES

pytestmark = pytest.mark.gpu

CPU = torch.device("cpu")
BATCH = 2 if REHEARSAL else 16
#: A rehearsal leaves out those that take a processor long.
LARGE = {"pyramidnet110-270", "wrn28-10", "resnet18"}


def spec_of(network: Network, dataset: str, *, steps: int, input_size: int | None = None) -> TrainSpec:
    images = Dataset(
        name=dataset, source="standin", train_images=steps * BATCH, test_images=BATCH, input_size=input_size
    )
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=images,
        network=network,
        method=SFE.model_copy(update={"masks": Masks(views=8), "distillation": True}),
        schedule=Schedule(epochs=1, batch_size=BATCH, learning_rate=0.02),
    )


def steps_on(device: torch.device, spec: TrainSpec) -> tuple[list[float], dict[str, torch.Tensor]]:
    """The loss of each step of an epoch, and what it left."""
    losses = []
    with own_stream(device):
        training = Training(spec, standin(spec.dataset), device)
        training.mixing.draw(0, training.steps)
        training.model.train()
        for images, labels, samples in training.batches.epoch(0, BATCH):
            training.train_step(images, labels, samples)
            losses.append(float(training.loss_sum) / len(labels))
            training.loss_sum.zero_()
        return losses, state_of(training)


def test_losses_are_a_processors() -> None:
    """The first to rounding; each step then carries what came before it further apart, as two processors do too."""
    spec = spec_of(Network(family="resnet", depth=20), "cifar100", steps=9)
    here, _ = steps_on(CPU, spec)
    there, _ = steps_on(DEVICE, spec)
    apart = [abs(one / other - 1) for one, other in zip(there, here, strict=True)]
    assert len(apart) == 9
    assert all(found <= most for found, most in zip(apart, [1e-4, 1e-2, *[5e-2] * 7], strict=True)), apart


@pytest.mark.parametrize("name", ["SFE with SD"] if REHEARSAL else CASES)
def test_bf16_weights_made_at_once_are_autocasts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eager steps: where they differ, bf16 on this GPU isn't what a run's id says, with or without graphs."""
    case, spec = CASES[name], CASES[name].spec(precision="bf16", epochs=2, **SIZES)
    at_once = trace(case, spec, DEVICE, graphs=False)
    casting_one_by_one(monkeypatch)
    assert at_once.differs_in(trace(case, spec, DEVICE, graphs=False)) == []


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - LARGE) if REHEARSAL else NETWORKS)
def test_a_step_of_every_network_is_deterministic(name: str) -> None:
    """PyTorch raises where it has no deterministic kernel."""
    network = Network.model_validate(dict(NETWORKS[name]))
    large = network.family == "resnet_imagenet"
    spec = spec_of(network, "stanford_dogs" if large else "cifar100", steps=1, input_size=64 if large else None)
    (losses, state), (again, same) = (steps_on(DEVICE, spec) for _ in range(2))
    assert losses == again
    assert 0 < losses[0] < float("inf")
    assert [key for key, tensor in state.items() if not torch.equal(tensor, same[key])] == []


def test_carried_views_and_rotations_are_deterministic() -> None:
    network = Network(family="resnet", depth=20)
    for method in (Method(rotations=4), Method(masks=Masks(views=4, carry_from=1))):
        spec = spec_of(network, "cifar100", steps=1).model_copy(update={"method": method})
        (losses, _), (again, _) = (steps_on(DEVICE, spec) for _ in range(2))
        assert losses == again
