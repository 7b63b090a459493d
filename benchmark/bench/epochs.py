"""Whole epochs of this project beside the reference loop, in turn, each loop in a process of its own.

So each has the settings that it has elsewhere: a training of this project is deterministic and keeps freed memory,
the reference does neither, and cuDNN may pick its kernels. Both are in fp32, where this project is not in bf16: on a
GPU, convolutions of the reference don't use TF32, though PyTorch's own default would have them do so.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import torch

from benchmark.bench.reference import ReferenceNet, reference_epochs, reference_loss
from benchmark.bench.setup import BETA, OURS, OURS_BF16, REFERENCE, SFE, VIEWS, Numbers, Setup, standin_images
from benchmark.data.standin import standin
from benchmark.runs.axes import Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.system.hardware import cpu_has_bf16
from benchmark.system.helper import Helper
from benchmark.system.processes import keep_freed_memory
from benchmark.training.loop import Training, apply_numerics

LEARNING_RATE = 0.05
#: By this part of what the reference loop learned the last losses may differ: order and crops are drawn apart.
LEARN_THE_SAME = 0.2
#: By this part the losses before the first step may, which have the same images.
START_THE_SAME = 1e-4

#: Seconds and mean loss of each epoch; before them, in no time, the loss of one batch before any step.
Loop = Iterator[tuple[float, float]]


def measure_epochs(setup: Setup, say: Callable[[str], None], check: Callable[[], None] = lambda: None) -> Numbers:
    """Images a second of whole SFE epochs; the first of each loop warms up.

    The loss before any step, in eager fp32, shows that all have the same weights, masks and loss. Epochs are taken in
    turn; on a GPU one loop comes after the other instead, so that its memory holds one at a time.

    Args:
        setup: what to measure.
        say: hears what is going on.
        check: called while a loop is waited for; ends it all by an exception.

    Raises:
        MemoryError: a loop needs more than there is.
        RunError: a loop failed, or its process died.
    """
    names = [OURS, *([OURS_BF16] if setup.device == "cuda" or cpu_has_bf16() else []), REFERENCE]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    in_turn = setup.device == "cpu"
    for together in [names] if in_turn else [[name] for name in names]:
        with ExitStack() as processes:
            loops = [
                (name, processes.enter_context(Helper(f"the epochs of {name}", _loop, setup, name)))
                for name in together
            ]
            for epoch in range(2 + setup.epochs):
                for name, loop in loops if epoch % 2 else reversed(loops):
                    say(f"epoch {epoch} of {1 + setup.epochs}: {name}" if epoch else f"start: {name}")
                    found[name].append(loop.ask(check))
    seconds = {name: [taken for taken, _ in runs[2:]] for name, runs in found.items()}
    start = {name: runs[0][1] for name, runs in found.items()}
    losses = {name: [loss for _, loss in runs[1:]] for name, runs in found.items()}
    return {
        "in_turn": in_turn,
        "images_per_second": {name: setup.images / statistics.median(times) for name, times in seconds.items()},
        "seconds_per_epoch": seconds,
        "train_loss": losses,
        "start_loss": start,
        "learn_the_same": learn_the_same(start, losses),
        "learn_the_same_within": LEARN_THE_SAME,
    }


def learn_the_same(start: dict[str, float], losses: dict[str, list[float]]) -> bool:
    """Whether all loops begin at one loss, and end within a part of what the reference loop learned."""
    reference = losses[REFERENCE]
    learned = reference[0] - reference[-1]
    together = all(abs(loss / start[REFERENCE] - 1) < START_THE_SAME for loss in start.values())
    return together and all(abs(run[-1] - reference[-1]) < LEARN_THE_SAME * learned for run in losses.values())


def _loop(setup: Setup, name: str) -> Loop:
    return _reference(setup) if name == REFERENCE else _this_project(setup, name)


def _this_project(setup: Setup, name: str) -> Loop:
    keep_freed_memory()  # as every training does
    training = training_of(setup, "bf16" if name == OURS_BF16 else "fp32")
    training.model.train()
    images, labels, samples = next(training.batches.epoch(0, setup.batch_size))
    with torch.no_grad():
        batch = training.mixing(images, labels, samples, 0)
        start = float(training.objective(training.model(batch.images), batch))
    yield 0.0, start
    while True:
        started = time.perf_counter()
        training.train_epoch(lambda _: None)
        loss = float(training.loss_sum) / setup.images  # waits for the device
        taken = time.perf_counter() - started
        training.epoch, training.step = training.epoch + 1, 0
        training.loss_sum.zero_()
        yield taken, loss


def _reference(setup: Setup) -> Loop:
    ours = training_of(setup, "fp32")  # for its weights, its masks and its first batch
    net = ReferenceNet(setup.backbone, ours.model).to(ours.device).to(memory_format=torch.contiguous_format)
    net.train()
    torch.set_deterministic_debug_mode("default")  # as public code has it,
    torch.backends.cudnn.benchmark = True  # and cuDNN picks the fastest kernels
    images, labels, _ = next(ours.batches.epoch(0, setup.batch_size))
    with torch.no_grad():
        start = float(reference_loss(net, images.contiguous(), labels, views=VIEWS, beta=BETA))
    yield 0.0, start
    yield from reference_epochs(
        net,
        ours.data,
        views=VIEWS,
        beta=BETA,
        batch_size=setup.batch_size,
        learning_rate=LEARNING_RATE,
        device=ours.device,
    )


def training_of(setup: Setup, precision: str) -> Training:
    """This project's side of the epochs, before its first step; sets PyTorch's switches."""
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=standin_images(setup.backbone, setup.images),
        network=setup.backbone,
        method=SFE,
        schedule=Schedule(
            epochs=1 + setup.epochs,
            batch_size=setup.batch_size,
            learning_rate=LEARNING_RATE,
            decay_at=[],  # the reference loop has one rate
        ),
        numerics=setup.numerics(precision=precision),
    )
    apply_numerics(spec.numerics)
    return Training(spec, standin(spec.dataset), torch.device(setup.device))
