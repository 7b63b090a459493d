"""What a training step costs: time and peak memory of several methods side by side (Table 3)."""

import dataclasses
import functools
import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmark.data.packed import ImageSet
from benchmark.runs.axes import Schedule
from benchmark.runs.metrics import ALLOCATOR_MEMORY, KEPT, PROCESS_MEMORY, overhead_percent
from benchmark.runs.spec import STEPS_IN_A_ROW, CostSpec, CostVariant, TrainSpec
from benchmark.system.hardware import process_peak_mib
from benchmark.system.helper import Helper
from benchmark.system.processes import keep_freed_memory
from benchmark.training.device import own_stream
from benchmark.training.loop import Training, apply_numerics
from benchmark.training.recorders import recorder
from benchmark.training.step import WARM_UP_STEPS

Block = dict[str, float]
Check = Callable[[], None]


class StepTaken(NamedTuple):
    """What one step took, or one of several in a row on average.

    Attributes:
        seconds: of the clock.
        faults: pages that the system handed out.
        system: processor seconds in the system, which on a CPU are spent with that; all threads together.
        user: processor seconds elsewhere.
    """

    seconds: float
    faults: float
    system: float
    user: float


def measure(
    spec: CostSpec, data: ImageSet, device: torch.device, check: Check = lambda: None, *, graphs: bool = False
) -> tuple[dict[str, Block], dict[str, Any]]:
    """Measure all variants of a cost run, each overhead relative to the first; in a process of its own.

    A step is crops and update; the random choices of an epoch are made before. Times are medians over
    steps taken in turn in one process, or in one each where they are compiled, so that a drift of the machine's speed
    meets all variants alike; on a GPU :data:`~benchmark.runs.spec.STEPS_IN_A_ROW` at a time. On a CPU freed memory is
    kept from here on, as trainings keep it: else a large part of the time of methods with large tensors is the system's
    handing it out. Memory is the allocator's peak above what was there before on a GPU; on a CPU it is the peak of a
    fresh process a variant, the interpreter and torch included, that gives freed memory back.

    Args:
        spec: what to measure.
        data: images of its dataset.
        device: where.
        check: called between steps and while another process is waited for; ends it all by an exception.
        graphs: replay recorded steps.

    Returns:
        A block of metrics a variant, and how they were measured, with the seconds of every step.

    Raises:
        RunError: a process that was to measure died.
    """
    data = _few(data, 2 * spec.batch_size)
    with own_stream(device):
        if spec.numerics.compiled:
            memory, steps = _apart(spec, data, device, check)
        else:
            memory, steps = _together(spec, data, device, check, graphs)
    blocks: dict[str, Block] = {}
    first = statistics.median(step.seconds for step in steps[0])
    for variant, mib, taken in zip(spec.variants, memory, steps, strict=True):
        times = [step.seconds for step in taken]
        lower, upper = quartiles(times)
        blocks[variant.name] = {
            "memory_mib": mib,
            "memory_overhead_percent": overhead_percent(mib, memory[0]),
            "seconds_per_step": statistics.median(times),
            "seconds_per_step_lower_quartile": lower,
            "seconds_per_step_upper_quartile": upper,
            "time_overhead_percent": overhead_percent(statistics.median(times), first),
        }
    each = dict(zip(blocks, steps, strict=True))
    how: dict[str, Any] = {
        "memory_kind": ALLOCATOR_MEMORY if device.type == "cuda" else PROCESS_MEMORY,
        "steps": spec.steps,
        "steps_in_a_row": STEPS_IN_A_ROW[device.type],
        "warm_up_steps": _warm_up(graphs),
        "step_seconds": {name: [step.seconds for step in taken] for name, taken in each.items()},
    }
    if device.type == "cpu":
        how["freed_memory"] = KEPT
        how["page_faults_per_step"] = {n: statistics.median(step.faults for step in t) for n, t in each.items()}
        how["system_share"] = {name: _system_share(taken) for name, taken in each.items()}
    return blocks, how


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The lower and the upper one, both within the values."""
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def training_of(
    spec: CostSpec, variant: CostVariant, data: ImageSet, device: torch.device, graphs: bool = False
) -> Training:
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
    training = Training(train, data, device, listing1=variant.listing1, record=recorder(device) if graphs else None)
    training.model.train()
    return training


def take_step(training: Training, batch_size: int, in_a_row: int = 1) -> StepTaken:
    """Training steps on the first full batch, crops and optimiser included, the epoch's random choices not."""
    epochs = [training.batches.epoch(0, batch_size) for _ in range(in_a_row)]
    _wait(training.device)  # for what the epochs sent as well
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for batches in epochs:
        training.train_step(*next(batches))
    _wait(training.device)
    seconds, now = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    used = (now.ru_minflt - before.ru_minflt, now.ru_stime - before.ru_stime, now.ru_utime - before.ru_utime)
    return StepTaken(*(one / in_a_row for one in (seconds, *used)))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _system_share(steps: Sequence[StepTaken]) -> float:
    """Part of the steps' processor time that the system had."""
    system = sum(step.system for step in steps)
    return system / max(system + sum(step.user for step in steps), 1e-9)


def _warm_up(graphs: bool) -> int:
    return WARM_UP_STEPS + 1 if graphs else WARM_UP_STEPS  # the step after them is recorded


def _together(
    spec: CostSpec, data: ImageSet, device: torch.device, check: Check, graphs: bool
) -> tuple[list[float], list[list[StepTaken]]]:
    """Memory and steps of all variants; the steps in this process."""
    if device.type == "cuda":
        _claim_workspaces(spec, data, device)
        memory = [_begun(spec, variant, data, device, check, graphs)[1] for variant in spec.variants]
    else:
        memory = [_fresh_process_peak_mib(spec, variant, data, check) for variant in spec.variants]
        keep_freed_memory()
    trainings = [training_of(spec, variant, data, device, graphs) for variant in spec.variants]
    takes = [functools.partial(take_step, training, spec.batch_size) for training in trainings]
    _in_turn(takes, _warm_up(graphs), check)
    rows = [functools.partial(take, in_a_row=STEPS_IN_A_ROW[device.type]) for take in takes]
    return memory, _in_turn(rows, spec.steps, check)


def _apart(
    spec: CostSpec, data: ImageSet, device: torch.device, check: Check
) -> tuple[list[float], list[list[StepTaken]]]:
    """The same with a process a variant: what was compiled for one is compiled otherwise for the next."""
    with ExitStack() as processes:
        helpers = [
            processes.enter_context(Helper(f"{variant.name}, compiled,", alone, spec, variant, data, device.type))
            for variant in spec.variants
        ]
        memory = [float(helper.ask(check)) for helper in helpers]
        return memory, _in_turn([functools.partial(helper.ask, check) for helper in helpers], spec.steps, check)


def _fresh_process_peak_mib(spec: CostSpec, variant: CostVariant, data: ImageSet, check: Check) -> float:
    with Helper(f"the peak memory of {variant.name}", alone, spec, variant, data, "cpu") as helper:
        return float(helper.ask(check))


def alone(spec: CostSpec, variant: CostVariant, data: ImageSet, kind: str) -> Iterator[float | StepTaken]:
    """What a process of its own measures of one variant: its peak memory in MiB, then step after step."""
    device = torch.device(kind)
    apply_numerics(spec.numerics)
    with own_stream(device):
        if kind == "cuda":
            _claim_workspaces(spec, data, device)
        training, mib = _begun(spec, variant, data, device)
        yield mib
        keep_freed_memory()
        for _ in range(WARM_UP_STEPS):
            take_step(training, spec.batch_size)
        while True:
            yield take_step(training, spec.batch_size, STEPS_IN_A_ROW[kind])


def _claim_workspaces(spec: CostSpec, data: ImageSet, device: torch.device) -> None:
    """Have cuBLAS take what it keeps for good, in an eager step: else the first variant alone would carry it."""
    eager = spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"compiled": False})})
    take_step(training_of(eager, spec.variants[0], data, device), spec.batch_size)


def _begun(
    spec: CostSpec,
    variant: CostVariant,
    data: ImageSet,
    device: torch.device,
    check: Check = lambda: None,
    graphs: bool = False,
) -> tuple[Training, float]:
    """A training after its first steps, and the peak memory so far in MiB: the allocator's, or this process's."""
    before, steps = 0, 2  # the second step holds the momentum buffers too
    if device.type == "cuda":
        gc.collect()  # what the variant before left
        torch.cuda.empty_cache()
        before, steps = torch.cuda.memory_allocated(), _warm_up(graphs)
        torch.cuda.reset_peak_memory_stats()
    training = training_of(spec, variant, data, device, graphs)
    for _ in range(steps):
        check()
        take_step(training, spec.batch_size)
    if device.type != "cuda":
        return training, process_peak_mib()
    return training, float((torch.cuda.max_memory_allocated() - before) / 2**20)


def _in_turn(takes: Sequence[Callable[[], StepTaken]], count: int, check: Check) -> list[list[StepTaken]]:
    """So many steps of each; nobody always comes behind the same one."""
    steps: list[list[StepTaken]] = [[] for _ in takes]
    turns = list(zip(takes, steps, strict=True))
    for number in range(count):
        for take, taken in turns if number % 2 else turns[::-1]:
            check()
            taken.append(take())
    return steps


def _few(data: ImageSet, count: int) -> ImageSet:
    """The first images only (repeated if need be): a step's cost does not depend on the others."""
    chosen = np.arange(count) % len(data.train.labels)
    return dataclasses.replace(data, train=data.train.take(chosen))
