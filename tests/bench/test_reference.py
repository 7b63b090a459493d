import pytest
import torch

from benchmark.bench.reference import ReferenceNet, reference_epochs, reference_loss
from benchmark.bench.setup import SFE
from benchmark.data.standin import standin
from benchmark.methods.network import JointNetwork
from benchmark.runs.axes import Dataset, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training.loop import Training, apply_numerics

CPU = torch.device("cpu")
RESNET = Network(family="resnet", depth=11)


@pytest.fixture
def training() -> Training:
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar100", source="standin", train_images=12, test_images=8),
        network=RESNET,
        method=SFE,
        schedule=Schedule(epochs=1, batch_size=6, learning_rate=0.05),
    )
    apply_numerics(Numerics())
    return Training(spec, standin(spec.dataset), CPU)


def reference(model: JointNetwork) -> ReferenceNet:
    return ReferenceNet(RESNET, model).to(memory_format=torch.contiguous_format)


def test_both_sides_have_the_same_loss_and_gradients(training: Training) -> None:
    net, model = reference(training.model).double(), training.model.double()
    images, labels, samples = next(training.batches.epoch(0, 6))
    batch = training.mixing(images.double(), labels, samples, 0)
    ours = training.objective(model(batch.images), batch)  # the objective computes in fp32
    theirs = reference_loss(net, images.double().contiguous(), labels, views=9, beta=0.5)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    ours.backward()  # type: ignore[no-untyped-call]
    theirs.backward()  # type: ignore[no-untyped-call]
    names = {"heads.stage2": "fc2", "heads.stage3": "fc3"}
    for name, parameter in model.named_parameters():
        head = name.rpartition(".")[0]
        its = net.get_parameter(name.replace(head, names[head]) if head in names else name)
        assert parameter.grad is not None
        assert its.grad is not None
        assert (parameter.grad - its.grad).norm() <= 1e-4 * its.grad.norm() + 1e-9, name


def test_the_reference_shares_no_memory_with_what_it_starts_from(training: Training) -> None:
    net, before = reference(training.model), [p.detach().clone() for p in training.model.parameters()]
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    assert all(torch.equal(p, was) for p, was in zip(training.model.parameters(), before, strict=True))


def test_the_reference_loop_learns(training: Training) -> None:
    loop = reference_epochs(
        reference(training.model),
        training.data,
        views=9,
        beta=0.5,
        batch_size=6,
        learning_rate=0.05,
        device=CPU,
    )
    runs = [next(loop) for _ in range(4)]
    assert all(seconds > 0 for seconds, _ in runs)
    assert runs[-1][1] < runs[0][1]
