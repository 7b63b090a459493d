"""What a training step costs: time and peak memory of several methods side by side (Table 3)."""

import dataclasses
import gc
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmark.axes import Schedule
from benchmark.data.packed import ImageSet
from benchmark.errors import RunError
from benchmark.hardware import process_peak_mib
from benchmark.plausible import PROCESS_MEMORY
from benchmark.processes import death, start_process
from benchmark.spec import CostSpec, CostVariant, TrainSpec
from benchmark.training.loop import Training, apply_numerics

WARM_UP_STEPS = 3
#: How long to wait for a process at a time before ``check`` is called again.
WAIT_SECONDS = 0.5

Block = dict[str, float]
Check = Callable[[], None]


def measure(
    spec: CostSpec, data: ImageSet, device: torch.device, check: Check = lambda: None
) -> tuple[dict[str, Block], dict[str, Any]]:
    """Measure all variants of a cost run, each overhead relative to the first.

    Times are medians over steps taken in turn in one process, so that a drift of the machine's speed meets
    all variants alike. Memory is the allocator's peak above what was there before on a GPU; on a CPU it is
    the peak of a fresh process a variant, the interpreter and torch included.

    Args:
        spec: what to measure.
        data: images of its dataset.
        device: where.
        check: called between steps and while another process is waited for; ends it all by an exception.

    Returns:
        A block of metrics a variant, and how they were measured, with the seconds of every step.

    Raises:
        RunError: a process that was to measure memory died.
    """
    data = _few(data, 2 * spec.batch_size)
    if device.type == "cuda":
        # cuBLAS keeps its workspaces for good; without this step the first variant alone would carry them
        take_step(training_of(spec, spec.variants[0], data, device), spec.batch_size)
    memory = [_peak_mib(spec, variant, data, device, check) for variant in spec.variants]
    seconds = _times(spec, data, device, check)
    blocks: dict[str, Block] = {}
    for variant, mib, times in zip(spec.variants, memory, seconds, strict=True):
        median = statistics.median(times)
        lower, upper = quartiles(times)
        blocks[variant.name] = {
            "memory_mib": mib,
            "memory_overhead_percent": 100 * (mib / memory[0] - 1),
            "seconds_per_step": median,
            "seconds_per_step_lower_quartile": lower,
            "seconds_per_step_upper_quartile": upper,
            "time_overhead_percent": 100 * (median / statistics.median(seconds[0]) - 1),
        }
    kind = "peak of torch's allocator" if device.type == "cuda" else PROCESS_MEMORY
    each = {variant.name: times for variant, times in zip(spec.variants, seconds, strict=True)}
    return blocks, {"memory_kind": kind, "steps": spec.steps, "warm_up_steps": WARM_UP_STEPS, "step_seconds": each}


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The lower and the upper one, both within the values."""
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def training_of(spec: CostSpec, variant: CostVariant, data: ImageSet, device: torch.device) -> Training:
    """A training of one variant, ready for steps."""
    schedule = Schedule(epochs=1, batch_size=spec.batch_size, learning_rate=0.01)
    train = TrainSpec(
        protocol=spec.protocol,
        dataset=spec.dataset,
        network=spec.network,
        method=variant.method,
        schedule=schedule,
        numerics=spec.numerics,
    )
    training = Training(train, data, device, listing1=variant.listing1)
    training.model.train()
    training.mixing.draw(0, 1)
    return training


def take_step(training: Training, batch_size: int) -> float:
    """Seconds of one training step on a full batch, data and optimiser included."""
    started = time.perf_counter()
    images, labels, samples = next(training.batches.epoch(0, batch_size))
    training.train_step(images, labels, samples)
    if training.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _times(spec: CostSpec, data: ImageSet, device: torch.device, check: Check) -> list[list[float]]:
    trainings = [training_of(spec, variant, data, device) for variant in spec.variants]
    seconds: list[list[float]] = [[] for _ in trainings]
    turns = list(zip(trainings, seconds, strict=True))
    for step in range(WARM_UP_STEPS + spec.steps):
        for training, times in turns if step % 2 else turns[::-1]:  # nobody always comes behind the same one
            check()
            taken = take_step(training, spec.batch_size)
            if step >= WARM_UP_STEPS:
                times.append(taken)
    return seconds


def _peak_mib(spec: CostSpec, variant: CostVariant, data: ImageSet, device: torch.device, check: Check) -> float:
    if device.type != "cuda":
        return _fresh_process_peak_mib(spec, variant, data, check)
    gc.collect()  # what the variant before left
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    training = training_of(spec, variant, data, device)
    for _ in range(WARM_UP_STEPS):
        check()
        take_step(training, spec.batch_size)
    return float((torch.cuda.max_memory_allocated() - before) / 2**20)


def _fresh_process_peak_mib(spec: CostSpec, variant: CostVariant, data: ImageSet, check: Check) -> float:
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    arguments = (os.getpid(), spec, variant, data, send)
    child = context.Process(target=_report_process_peak, args=arguments, daemon=True)
    child.start()
    send.close()
    try:
        while not receive.poll(WAIT_SECONDS):
            check()
        found = receive.recv()
    except EOFError:
        child.join()
        found = death(child.exitcode)
    finally:
        child.terminate()  # it has said what it had to say, or nobody waits for it any more
        child.join()
    if isinstance(found, str):
        raise RunError(f"the peak memory of {variant.name} can't be measured: {found}")
    return float(found)


def _report_process_peak(parent: int, spec: CostSpec, variant: CostVariant, data: ImageSet, send: Any) -> None:
    start_process(parent)
    try:
        apply_numerics(spec.numerics)
        training = training_of(spec, variant, data, torch.device("cpu"))
        for _ in range(2):  # the second step holds the momentum buffers too
            take_step(training, spec.batch_size)
        send.send(process_peak_mib())
    except Exception as error:  # whatever it was: the parent says it
        send.send(f"{type(error).__name__}: {error}")


def _few(data: ImageSet, count: int) -> ImageSet:
    """The first images only (repeated if need be): a step's cost does not depend on the others."""
    chosen = np.arange(count) % len(data.train.labels)
    return dataclasses.replace(data, train=data.train.take(chosen))
