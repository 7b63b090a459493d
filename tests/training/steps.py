"""Eager and recorded steps side by side, on whatever device: what the tests here and those marked ``gpu`` share."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset, Masks, Method, Mixing, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training import checkpoint, loop
from benchmark.training.device import own_stream
from benchmark.training.loop import Training, apply_numerics
from benchmark.training.recorders import recorder


@dataclasses.dataclass(frozen=True)
class Case:
    """A way to train: method, mixing, how views are made."""

    method: Method
    mixing: Mixing = dataclasses.field(default_factory=Mixing)
    listing1: bool = False
    carried_views: str = "copies"

    def spec(self, *, precision: str = "fp32", images: int = 7, batch_size: int = 2, epochs: int = 4) -> TrainSpec:
        """Four epochs of three full batches and a partial one, with a milestone before the third and the fourth."""
        return TrainSpec(
            protocol=PROTOCOL,
            dataset=Dataset(
                name="stanford_dogs", source="standin", input_size=16, train_images=images, test_images=batch_size
            ),
            network=Network(family="resnet", depth=11),
            method=self.method,
            mixing=self.mixing,
            schedule=Schedule(epochs=epochs, batch_size=batch_size, learning_rate=0.05),
            numerics=Numerics.model_validate({"precision": precision, "carried_views": self.carried_views}),
        )


SFE = Method(classifiers=2, beta=0.5, masks=Masks(views=4))
CASES = {
    "baseline": Case(Method()),
    "SFE with SD": Case(Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True)),
    "Listing 1": Case(SFE, listing1=True),
    "SLA with Cutout and Mixup": Case(Method(rotations=4), Mixing(cutout_size=4, mixup_alpha=1.0)),
    "partial sums": Case(Method(masks=Masks(views=4, carry_from=1)), carried_views="partial_sums"),
}


@dataclasses.dataclass(frozen=True)
class Trace:
    """What a training left: the loss sum behind every step, the epochs, and every number that it goes on from."""

    losses: list[float]
    history: list[dict[str, object]]
    state: dict[str, Tensor]

    def differs_in(self, other: "Trace") -> list[str]:
        """What isn't bit for bit the same."""
        assert self.state.keys() == other.state.keys()
        found = [name for name, tensor in self.state.items() if not torch.equal(tensor, other.state[name])]
        found += ["losses"] if self.losses != other.losses else []
        return found + (["history"] if self.history != other.history else [])


class Stop(Exception):  # noqa: N818 - stands for a signal
    pass


def begin(case: Case, spec: TrainSpec, device: torch.device, *, graphs: bool) -> Training:
    record = recorder(device) if graphs else None
    return Training(spec, standin(spec.dataset), device, listing1=case.listing1, record=record)


def trace(
    case: Case, spec: TrainSpec, device: torch.device, *, graphs: bool, stop_at: int | None = None, file: Path = Path()
) -> Trace:
    """Train to the end; with ``stop_at`` in two halves, the second from a checkpoint in ``file``."""
    apply_numerics(spec.numerics)
    losses: list[float] = []

    def after_step(training: Training) -> None:
        losses.append(float(training.loss_sum))
        if len(losses) == stop_at:
            raise Stop

    with own_stream(device):
        training = begin(case, spec, device, graphs=graphs)
        try:
            training.run(after_step)
        except Stop:
            checkpoint.save(file, {"run_id": "x", **training.checkpoint()})
            state = checkpoint.load(file, "x")
            assert state is not None
            training = begin(case, spec, device, graphs=graphs)
            training.resume(state)
            training.run(after_step)
        assert training.replaying == graphs, "nothing was recorded: this shows nothing"
        return Trace(losses, training.history, state_of(training))


def casting_one_by_one(patch: pytest.MonkeyPatch) -> None:
    """Have trainings in bf16 leave the casts of their weights to autocast."""
    patch.setattr(loop, "Shadows", lambda model: None)


def digest(name: str, spec: TrainSpec, kind: str) -> str:
    """One word for all bits that recorded steps leave; a process can be asked for it."""
    found, words = trace(CASES[name], spec, torch.device(kind), graphs=True), hashlib.sha256()
    words.update(repr((found.losses, found.history)).encode())
    for tensor in found.state.values():
        words.update(tensor.contiguous().numpy().tobytes())
    return words.hexdigest()


def state_of(training: Training) -> dict[str, Tensor]:
    """Parameters, batch norms' statistics, momentum and the loss sum, on the processor."""
    momentum = training.optimizer.state_dict()["state"].items()
    tensors = {**training.model.state_dict(), "loss_sum": training.loss_sum}
    tensors |= {f"momentum of parameter {number}": of["momentum_buffer"] for number, of in momentum}
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
