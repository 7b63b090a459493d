"""The training loop."""

import functools
import importlib
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from benchmark.data.augment import Batches, CentreCrops
from benchmark.data.packed import ImageSet
from benchmark.errors import DivergedError
from benchmark.methods.mixing import InputMixing, Mixed
from benchmark.methods.network import build_network
from benchmark.methods.objective import Objective
from benchmark.results.record import ActivationMap
from benchmark.runs.axes import Numerics, Schedule
from benchmark.runs.metrics import from_history
from benchmark.runs.spec import TrainSpec
from benchmark.training.activation import activation_maps
from benchmark.training.checkpoint import Checkpoint
from benchmark.training.evaluation import evaluate
from benchmark.training.optimizer import SGD
from benchmark.training.shadows import Shadows
from benchmark.training.step import GraphedSteps, Recorder, Update

#: How many steps' losses are kept one by one.
FIRST_LOSSES = 2


def learning_rate(schedule: Schedule, epoch: int) -> float:
    """Rate of a zero-based epoch: multiplied by ``decay_factor`` from each milestone on."""
    passed = sum(epoch >= milestone for milestone in schedule.milestones)
    return schedule.learning_rate * schedule.decay_factor**passed


class Training:
    """One run: model, optimiser, data and how far it has come.

    Args:
        spec: what to train.
        data: its images.
        device: where.
        listing1: make SFE's views as the paper's Listing 1 does; same logits, other cost.
        record: records the update of a step, which is then replayed with the same digits; None for eager steps.
    """

    def __init__(
        self,
        spec: TrainSpec,
        data: ImageSet,
        device: torch.device,
        *,
        listing1: bool = False,
        record: Recorder | None = None,
    ) -> None:
        self.spec, self.data, self.device, self.record = spec, data, device, record
        self.model = build_network(spec, data.classes, listing1=listing1).to(device)
        self.objective = Objective(spec)
        self.batches = Batches(data.train, data.mean, data.std, spec.dataset, device, spec.seed)
        self.mixing = InputMixing(
            spec.mixing,
            seed=spec.seed,
            images=len(data.train.labels),
            image_size=spec.dataset.image_size,
            device=device,
        )
        self.optimizer = SGD(
            self.model.parameters(),
            lr=spec.schedule.learning_rate,
            momentum=spec.schedule.momentum,
            weight_decay=spec.schedule.weight_decay,
            nesterov=spec.choices.nesterov,
            fused=True,
        )
        # of a full batch: the loss itself, or what the compiler makes of it
        self.loss = compiled(self._loss, device) if spec.numerics.compiled else self._loss
        # the compiler fuses the casts itself
        self.shadows = Shadows(self.model) if spec.numerics.precision == "bf16" and not spec.numerics.compiled else None
        self.take = self._taking()
        self.steps = self.batches.steps(spec.schedule.batch_size)
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.loss_sum = torch.zeros((), device=device)
        self.history: list[dict[str, Any]] = []
        self.first_losses: list[float] = []

    @functools.cached_property
    def test_images(self) -> CentreCrops:
        """What is evaluated on; made at the first evaluation, since cost runs have none."""
        return CentreCrops(self.data.test, self.data.mean, self.data.std, self.spec.dataset, self.device)

    @property
    def replaying(self) -> bool:
        """Whether steps are replayed by now."""
        return isinstance(self.take, GraphedSteps) and self.take.replay is not None

    @property
    def done(self) -> float:
        """Finished part of the run, 0 to 1."""
        return (self.epoch + self.step / self.steps) / self.spec.schedule.epochs

    def run(
        self, after_step: Callable[["Training"], None], after_epoch: Callable[["Training"], None] = lambda _: None
    ) -> None:
        """Train from here to the end; ``after_step`` may save, report or stop by an exception.

        ``after_epoch`` hears of each entry of the history as it comes.

        Raises:
            DivergedError: loss, parameters or batch-norm statistics are no longer finite.
            RecordingError: the step can't be recorded.
        """
        while self.epoch < self.spec.schedule.epochs:
            self.train_epoch(after_step)
            self._end_epoch()
            after_epoch(self)

    def train_epoch(self, after_step: Callable[["Training"], None]) -> None:
        """The steps that the current epoch still lacks, without its evaluation."""
        schedule, started, before = self.spec.schedule, time.perf_counter(), self.seconds
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(schedule, self.epoch)
        self.mixing.draw(self.epoch, self.steps)
        self.model.train()
        for images, labels, samples in self.batches.epoch(self.epoch, schedule.batch_size, start_step=self.step):
            self.train_step(images, labels, samples)
            if self.epoch == 0 and self.step <= FIRST_LOSSES:
                self._note_first_losses(len(labels))
            self.seconds = before + time.perf_counter() - started
            after_step(self)
        if self.device.type == "cuda":
            torch.cuda.synchronize()  # the steps still queued belong to the time as well
            self.seconds = before + time.perf_counter() - started

    def train_step(self, images: Tensor, labels: Tensor, samples: Tensor) -> None:
        """One optimiser step on a batch as :class:`Batches` yields it."""
        if self.spec.numerics.compiled:
            # what a graph made in the last step may be overwritten
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        self.take(self.mixing(images, labels, samples, self.step))
        self.step += 1

    def _note_first_losses(self, images: int) -> None:
        """What another machine's can be held against; later ones differ with each rounding, more and more."""
        if len(self.first_losses) == self.step - 1:  # a checkpoint of before they were noted has none
            before = sum(self.first_losses) * self.spec.schedule.batch_size
            self.first_losses.append((float(self.loss_sum) - before) / images)

    def _taking(self) -> Update:
        """Who runs the updates from here on; a recording holds this optimiser's tensors as they are now."""
        if self.record is None:
            return self._update
        return GraphedSteps(self._update, self.record, self._rates, self.spec.schedule.batch_size)

    def _rates(self) -> tuple[float, ...]:
        return tuple(group["lr"] for group in self.optimizer.param_groups)

    def _update(self, batch: Mixed) -> None:
        """What may be recorded: nothing here outlives it but what is written in place, and nothing reads a number."""
        self.optimizer.zero_grad(set_to_none=True)
        full = len(batch.labels) == self.spec.schedule.batch_size
        with self.shadows.instead() if self.shadows else nullcontext():
            loss = (self.loss if full else self._loss)(batch)
        loss.backward()
        if self.shadows:
            self.shadows.return_gradients()
        self.optimizer.step()
        self.loss_sum += loss.detach() * len(batch.labels)

    def _loss(self, batch: Mixed) -> Tensor:
        with autocast(self.spec, self.device):
            logits = self.model(batch.images)
        return self.objective(logits, batch)  # in fp32 whatever the precision

    def _end_epoch(self) -> None:
        loss = float(self.loss_sum) / len(self.data.train.labels)
        if not math.isfinite(loss):
            raise DivergedError(f"the training loss of epoch {self.epoch + 1} is {loss}")
        self._require_finite_state()  # the loss of a step says nothing of what that step made
        with autocast(self.spec, self.device):
            accuracies = evaluate(self.model, self.test_images, carried=self.spec.method.carried_views)
        rate = learning_rate(self.spec.schedule, self.epoch)
        self.history.append({"epoch": self.epoch + 1, "learning_rate": rate, "train_loss": loss, **accuracies})
        self.epoch, self.step = self.epoch + 1, 0
        self.loss_sum.zero_()

    @torch.no_grad()
    def _require_finite_state(self) -> None:
        """Of parameters and batch-norm statistics; the device is asked once."""
        state = [tensor for tensor in self.model.state_dict().values() if tensor.is_floating_point()]
        if not bool(torch.stack([tensor.isfinite().all() for tensor in state]).all()):
            raise DivergedError(f"parameters or batch-norm statistics are not finite after epoch {self.epoch + 1}")

    def metrics(self) -> dict[str, float]:
        """Accuracies of the finished run, percent: the last epoch's, and the best, which the test set chose."""
        return from_history(self.history)

    def activation_maps(self) -> list[ActivationMap] | None:
        """Of as many test images as the spec says; None where it says none."""
        if not self.spec.activation_maps:
            return None
        with autocast(self.spec, self.device):
            return activation_maps(self.model, self.data, self.spec, self.device)

    def cost(self) -> dict[str, Any]:
        """What the training steps took, evaluation left out, and the losses of the first ones."""
        steps = self.steps * self.spec.schedule.epochs
        times = {"train_seconds": self.seconds, "seconds_per_step": self.seconds / steps, "steps": steps}
        return {**times, "first_losses": self.first_losses}

    def checkpoint(self) -> Checkpoint:
        """Everything that the rest of the run depends on; random streams need no state, they are named."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loss_sum": self.loss_sum,
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "first_losses": self.first_losses,
        }

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run.

        Raises:
            Exception: it does not fit; this object is then good for nothing more.
        """
        epoch, step, history = checkpoint["epoch"], checkpoint["step"], checkpoint["history"]
        if not (0 <= epoch <= self.spec.schedule.epochs and 0 <= step <= self.steps and len(history) == epoch):
            raise ValueError(f"epoch {epoch} and step {step} with {len(history)} epochs of history")
        model = checkpoint["model"]
        for name in [name for name in model if name.endswith("num_batches_tracked")]:
            del model[name]  # of a checkpoint of before: batch norms counted, and nothing read it
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.loss_sum.copy_(checkpoint["loss_sum"])
        self.epoch, self.step = epoch, step
        self.seconds, self.history = checkpoint["seconds"], history
        self.first_losses = checkpoint.get("first_losses", [])
        self.take = self._taking()


def compiled(function: Any, device: torch.device) -> Any:
    """A module or function fused by PyTorch's compiler; on a GPU its kernels are recorded in CUDA graphs.

    Minutes go into it a shape, so only full batches of training are compiled. The optimiser stays outside, so that the
    learning rate may change.
    """
    return torch.compile(function, dynamic=False, mode="reduce-overhead" if device.type == "cuda" else None)


def autocast(spec: TrainSpec, device: torch.device) -> AbstractContextManager[Any]:
    """bf16 where the spec asks for it, with fp32 weights, statistics and loss."""
    return torch.autocast(device.type, torch.bfloat16, enabled=spec.numerics.precision == "bf16")


def apply_numerics(numerics: Numerics) -> None:
    """Set torch's process-wide switches; before anything is computed."""
    torch.set_num_threads(numerics.threads)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # for a deterministic cuBLAS, which reads it as it starts
    # the same switch as use_deterministic_algorithms, without importing the compiler for it (two seconds)
    torch.set_deterministic_debug_mode("error" if numerics.deterministic else "default")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # only costs time
    torch.backends.cudnn.benchmark = not numerics.deterministic
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = numerics.precision == "tf32"
    _compile_alike(numerics)


def _compile_alike(numerics: Numerics) -> None:
    """Have a deterministic compiler choose kernels by rule; by timing them, two processes choose differently."""
    name = "torch._inductor.config"
    if numerics.compiled:
        importlib.import_module(name)
    config: Any = sys.modules.get(name)  # a run without the compiler does not import it
    if hasattr(config, "deterministic"):
        config.deterministic = numerics.compiled and numerics.deterministic
