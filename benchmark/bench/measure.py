"""What ``run_suite.py bench`` measures: steps of the methods, and epochs beside the reference loop."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch.backends import cudnn

from benchmark.axes import Dataset, Masks, Method, Network, Numerics, Schedule
from benchmark.bench.reference import ReferenceNet, reference_epochs, reference_loss
from benchmark.data.packed import ImageSet
from benchmark.data.standin import standin
from benchmark.errors import UserError
from benchmark.hardware import ProcessorTime, cpu_has_bf16, processor_time
from benchmark.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec
from benchmark.training.cost import measure, quartiles
from benchmark.training.loop import Training, apply_numerics

VIEWS, BETA = 9, 0.5  # K and β of the paper's ResNet-110
SFE = Method(classifiers=2, beta=BETA, masks=Masks(views=VIEWS - 1))
LAYER1 = Method(masks=Masks(views=32, carry_from=1))
STEPS = [
    CostVariant(name="baseline", method=Method()),
    CostVariant(name="SFE", method=SFE),
    CostVariant(name="SFE as Listing 1", method=SFE, listing1=True),
    CostVariant(name="SLA", method=Method(rotations=4)),
]
CARRIED = [
    CostVariant(name="K = 33 after Layer1, Listing 1", method=LAYER1, listing1=True),
    CostVariant(name="K = 33 after Layer1", method=LAYER1),
]
CARRIED_BATCH = 8  # at 128 the backward pass needs 31 GiB
REFERENCE = "reference loop, fp32"
LEARNING_RATE = 0.05
#: By this part of what the reference loop learned the last losses may differ: order and crops are drawn apart.
LEARN_THE_SAME = 0.2
#: By this part the losses before the first step may, which have the same images.
START_THE_SAME = 1e-4

Numbers = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What to measure and where.

    Attributes:
        network: its name in the catalogue.
        backbone: the same as a spec has it.
        batch_size: of a step.
        steps: timed steps a method.
        images: an epoch.
        epochs: timed ones, a loop.
        threads: of the processor.
        precision: of the steps; the epochs are measured in every precision that pays here.
        compiled: whether this project's steps are, see :class:`~benchmark.axes.Numerics`.
        device: ``cpu`` or ``cuda``.
        device_name: its model.
    """

    network: str
    backbone: Network
    batch_size: int
    steps: int
    images: int
    epochs: int
    threads: int
    precision: str
    compiled: bool
    device: str
    device_name: str

    def numerics(self, **changes: str) -> Numerics:
        """Of this project's side."""
        tree = {"precision": self.precision, "threads": self.threads, "compiled": self.compiled}
        return Numerics.model_validate(tree | changes)

    def as_json(self) -> dict[str, Any]:
        """Everything but the device, as plain data."""
        fields = ("network", "batch_size", "steps", "images", "epochs", "threads", "precision", "compiled")
        return {field: getattr(self, field) for field in fields}


def measure_all(setup: Setup, say: Callable[[str], None]) -> Numbers:
    """All measurements; ``say`` hears what is going on.

    Raises:
        UserError: PyTorch can't use the GPU that the machine shows.
        RunError: the memory of a method can't be measured.
    """
    if setup.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: PyTorch can't use this machine's GPU; mend its driver, or take --device cpu")
    started = processor_time()
    say(f"peak memory and steps of {len(STEPS)} methods, in turn")
    numbers: Numbers = {"steps": _steps(setup, STEPS, setup.batch_size, "copies")}
    if setup.backbone.family == "resnet":
        say("peak memory and steps of Table 6's widest views, in turn")
        numbers["carried"] = _steps(setup, CARRIED, CARRIED_BATCH, "partial_sums")
    if len(setup.backbone.stage_channels) == 3:
        numbers["epochs"] = _epochs(setup, say)
    return numbers | {"ratios": ratios(numbers), "disturbance": disturbance(started, processor_time())}


def disturbance(start: ProcessorTime | None, end: ProcessorTime | None) -> dict[str, float] | None:
    """Shares of the wanted processor time that did not go to the bench; ``None`` where the system does not say.

    ``withheld`` went to other guests of a virtual machine's host, ``others`` to other processes.
    """
    if not start or not end:
        return None
    busy, withheld, own = end.busy - start.busy, end.withheld - start.withheld, end.own - start.own
    return {"withheld": withheld / busy, "others": max(0.0, 1 - (withheld + own) / busy)} if busy > 0 else None


def ratios(numbers: Numbers) -> dict[str, dict[str, float]]:
    """What compares between machines: the median ratio within a turn with its quartiles, and that of the fastest.

    A turn's steps, or epochs, lie seconds or minutes apart, so a machine that slows down meets both sides of its
    ratio. Where it is disturbed now and then, the fastest step of each side was disturbed least. Memory is measured
    once, so its ratio stands alone.
    """
    blocks = [numbers["steps"], *([numbers["carried"]] if "carried" in numbers else [])]
    memory = {name: of["memory_mib"] for block in blocks for name, of in block["variants"].items()}
    seconds = {name: times for block in blocks for name, times in block["step_seconds"].items()}
    pairs = [("SFE", "baseline"), ("SFE as Listing 1", "SFE"), ("SLA", "baseline")]
    if "carried" in numbers:
        pairs.append((CARRIED[1].name, CARRIED[0].name))
    found = {f"step time: {one} / {other}": _paired(seconds[one], seconds[other]) for one, other in pairs}
    for one, other in pairs:
        found[f"peak memory: {one} / {other}"] = {"ratio": memory[one] / memory[other]}
    epochs = numbers["epochs"]["seconds_per_epoch"] if "epochs" in numbers else {}
    for name, times in epochs.items():
        if name != REFERENCE:
            found[f"images a second: {name} / {REFERENCE}"] = _paired(epochs[REFERENCE], times)
    return found


def _paired(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    each = [one / other for one, other in zip(above, below, strict=True)]
    lower, upper = quartiles(each)
    return {
        "ratio": statistics.median(each),
        "lower_quartile": lower,
        "upper_quartile": upper,
        "of_the_fastest": min(above) / min(below),
    }


def _steps(setup: Setup, variants: list[CostVariant], batch_size: int, carried_views: str) -> Numbers:
    spec = CostSpec(
        protocol=PROTOCOL,
        dataset=_standin(setup.backbone, 2 * batch_size),
        network=setup.backbone,
        batch_size=batch_size,
        steps=setup.steps,
        device=setup.device_name,
        variants=variants,
        numerics=setup.numerics(carried_views=carried_views),
    )
    apply_numerics(spec.numerics)
    if setup.compiled:
        torch.compiler.reset()  # it recompiles a function only so often
    blocks, how = measure(spec, standin(spec.dataset), torch.device(setup.device))
    return {"batch_size": batch_size, "precision": setup.precision, **how, "variants": blocks}


def _epochs(setup: Setup, say: Callable[[str], None]) -> Numbers:
    """Images a second of whole SFE epochs, the loops in turn in one process; their first epochs warm up."""
    data = standin(_standin(setup.backbone, setup.images))
    if setup.compiled:
        torch.compiler.reset()
    precisions = ["fp32", "bf16"] if setup.device == "cuda" or cpu_has_bf16() else ["fp32"]
    trainings = {f"this project, {precision}": _training(setup, data, precision) for precision in precisions}
    first = next(iter(trainings.values()))
    net = ReferenceNet(setup.backbone, first.model).to(setup.device).to(memory_format=torch.contiguous_format)
    start = _start_losses(first, net, setup.batch_size)
    loops = {name: _our_epochs(training) for name, training in trainings.items()}
    loops[REFERENCE] = reference_epochs(
        net,
        data,
        views=VIEWS,
        beta=BETA,
        batch_size=setup.batch_size,
        learning_rate=LEARNING_RATE,
        device=torch.device(setup.device),
    )
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    losses: dict[str, list[float]] = {name: [] for name in loops}
    for epoch in range(1 + setup.epochs):
        for name, loop in loops.items() if epoch % 2 else reversed(loops.items()):
            say(f"epoch {epoch + 1} of {1 + setup.epochs}: {name}")
            with public_switches() if name == REFERENCE else nullcontext():
                taken, loss = next(loop)
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
    ours, theirs = start.values()
    reference = losses[REFERENCE]
    learned = reference[0] - reference[-1]
    apart = max(abs(run[-1] - reference[-1]) for run in losses.values())
    return abs(ours / theirs - 1) < START_THE_SAME and apart < LEARN_THE_SAME * learned


@contextmanager
def public_switches() -> Iterator[None]:
    """PyTorch's switches as public code in fp32 has them: nothing deterministic, cuDNN picks the fastest kernels."""
    deterministic, search = torch.get_deterministic_debug_mode(), cudnn.benchmark
    torch.set_deterministic_debug_mode("default")
    cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(deterministic)
        cudnn.benchmark = search


def _training(setup: Setup, data: ImageSet, precision: str) -> Training:
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=_standin(setup.backbone, setup.images),
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
    return Training(spec, data, torch.device(setup.device))


def _our_epochs(training: Training) -> Iterator[tuple[float, float]]:
    while True:
        started = time.perf_counter()
        training.train_epoch(lambda _: None)
        loss = float(training.loss_sum) / len(training.data.train.labels)  # waits for the device
        taken = time.perf_counter() - started
        training.epoch, training.step = training.epoch + 1, 0
        training.loss_sum.zero_()
        yield taken, loss


@torch.no_grad()
def _start_losses(training: Training, net: ReferenceNet, batch_size: int) -> dict[str, float]:
    """Of both sides before any step, on the same images: what both train is the same."""
    images, labels, samples = next(training.batches.epoch(0, batch_size))
    batch = training.mixing(images, labels, samples, 0)
    training.model.train()
    net.train()
    theirs = reference_loss(net, images.contiguous(), labels, views=VIEWS, beta=BETA)
    return {"this project": float(training.objective(training.model(images), batch)), "reference loop": float(theirs)}


def _standin(network: Network, count: int) -> Dataset:
    """Images of the size that the network has in the paper."""
    name = "stanford_dogs" if network.family == "resnet_imagenet" else "cifar100"
    return Dataset(name=name, source="standin", train_images=count, test_images=16)
