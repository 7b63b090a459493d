import subprocess
import sys

import torch

from benchmark.training.optimizer import SGD


def steps(kind: type[torch.optim.SGD], nesterov: bool) -> tuple[torch.Tensor, torch.Tensor]:
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 50).view(5, 10))
    optimizer = kind([parameter], lr=0.1, momentum=0.9, weight_decay=1e-2, nesterov=nesterov, fused=True)
    for number in range(4):
        optimizer.param_groups[0]["lr"] = 0.1 / (1 + number)
        optimizer.zero_grad(set_to_none=True)
        (parameter.cos() * (1 + number)).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    momentum = optimizer.state_dict()["state"][0]["momentum_buffer"]
    return parameter.detach(), momentum


def test_its_steps_are_pytorchs_to_the_last_bit() -> None:
    for nesterov in (False, True):
        ours, theirs = steps(SGD, nesterov), steps(torch.optim.SGD, nesterov)
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_saved_state_goes_on() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    one, other = (SGD([parameter], lr=0.1, momentum=0.9, fused=True) for _ in range(2))
    parameter.grad = torch.ones(3)
    one.step()
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.state_dict()["state"][0]["momentum_buffer"], torch.ones(3))
    assert parameter.requires_grad  # a step leaves gradients on


def test_a_run_without_the_compiler_does_not_import_it() -> None:
    program = """
import sys, torch
from benchmark.runs.axes import Dataset, Masks, Method, Mixing, Network, Numerics, Schedule
from benchmark.data.standin import standin
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training.loop import Training, apply_numerics
spec = TrainSpec(
    protocol=PROTOCOL, mixing=Mixing(cutout_size=8, mixup_alpha=1.0),
    dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
    network=Network(family="wrn", depth=10, width=1),
    method=Method(classifiers=2, beta=0.5, rotations=4, masks=Masks(views=4), distillation=True),
    schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
)
apply_numerics(Numerics())
Training(spec, standin(spec.dataset), torch.device("cpu")).run(lambda training: training.checkpoint())
print(*sorted({"torch._dynamo", "torch._inductor", "sympy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
