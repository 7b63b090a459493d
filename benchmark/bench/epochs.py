"""Whole epochs of this project beside the reference loop, in turn, each loop in a process of its own.

So each has the settings that it has elsewhere: a training of this project is deterministic and keeps freed memory,
the reference does neither, and cuDNN may pick its kernels. Both are in fp32, where this project is not in bf16: on a
GPU, convolutions of the reference don't use TF32, though PyTorch's own default would have them do so.
"""

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection

import torch

from benchmark.axes import Schedule
from benchmark.bench.reference import ReferenceNet, reference_epochs, reference_loss
from benchmark.bench.setup import BETA, OURS, OURS_BF16, REFERENCE, SFE, VIEWS, Numbers, Setup, standin_images
from benchmark.data.standin import standin
from benchmark.errors import RunError, is_out_of_memory
from benchmark.hardware import cpu_has_bf16
from benchmark.processes import death, keep_freed_memory, start_process
from benchmark.spec import PROTOCOL, TrainSpec
from benchmark.training.loop import Training, apply_numerics

LEARNING_RATE = 0.05
#: By this part of what the reference loop learned the last losses may differ: order and crops are drawn apart.
LEARN_THE_SAME = 0.2
#: By this part the losses before the first step may, which have the same images.
START_THE_SAME = 1e-4

#: Seconds and mean loss of each epoch; before them, in no time, the loss of one batch before any step.
Loop = Iterator[tuple[float, float]]


def measure_epochs(setup: Setup, say: Callable[[str], None]) -> Numbers:
    """Images a second of whole SFE epochs; the first of each loop warms up.

    The loss before any step, in eager fp32, shows that all have the same weights, masks and loss.

    Raises:
        MemoryError: a loop needs more than there is.
        RunError: a loop failed, or its process died.
    """
    names = [OURS, *([OURS_BF16] if setup.device == "cuda" or cpu_has_bf16() else []), REFERENCE]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    losses: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as processes:
        loops = {name: processes.enter_context(_process(setup, name)) for name in names}
        start = {name: next_of()[1] for name, next_of in loops.items()}
        for epoch in range(1 + setup.epochs):
            for name, next_of in loops.items() if epoch % 2 else reversed(loops.items()):
                say(f"epoch {epoch + 1} of {1 + setup.epochs}: {name}")
                taken, loss = next_of()
                losses[name].append(loss)
                if epoch:
                    seconds[name].append(taken)
    return {
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


@contextmanager
def _process(setup: Setup, name: str) -> Iterator[Callable[[], tuple[float, float]]]:
    """A loop in a process of its own, and what has it go on by one."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(os.getpid(), setup, name, there))

    def next_of() -> tuple[float, float]:
        try:
            here.send("next")
            found = here.recv()
        except (EOFError, OSError):
            process.join()
            raise RunError(f"the epochs of {name} can't be measured: {death(process.exitcode)}") from None
        if isinstance(found, Exception):
            raise found
        seconds, loss = found
        return seconds, loss

    try:
        process.start()
        there.close()
        yield next_of
    except BaseException:
        process.kill()  # wherever it is; workers that load its images see it within seconds, and end
        raise
    finally:
        here.close()  # it ends with this, where it waits to be called
        process.join()


def _serve(parent: int, setup: Setup, name: str, connection: Connection) -> None:
    start_process(parent)
    try:
        loop = _reference(setup) if name == REFERENCE else _this_project(setup, name)
        while _called(connection):
            connection.send(next(loop))
    except Exception as error:  # whatever it was: the parent says it
        failed = RunError(f"the epochs of {name} can't be measured: {type(error).__name__}: {error}")
        connection.send(MemoryError() if is_out_of_memory(error) else failed)


def _called(connection: Connection) -> bool:
    """Whether the loop is to go on; waits for it."""
    try:
        connection.recv()
    except EOFError:
        return False
    return True


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
