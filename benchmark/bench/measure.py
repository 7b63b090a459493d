"""What ``run_suite.py bench`` measures: steps of the methods, and epochs beside the reference loop."""

import gc
import statistics
from collections.abc import Callable, Sequence

import torch

from benchmark.bench.epochs import measure_epochs
from benchmark.bench.setup import REFERENCE, SFE, Numbers, Setup, standin_images
from benchmark.data.standin import standin
from benchmark.runs.axes import Masks, Method
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant
from benchmark.system.hardware import ProcessorTime, processor_time
from benchmark.training.cost import measure, quartiles
from benchmark.training.device import GpuSession
from benchmark.training.loop import apply_numerics

LAYER1 = Method(masks=Masks(views=32, carry_from=1))
VARIANTS = [
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


def measure_all(setup: Setup, say: Callable[[str], None]) -> Numbers:
    """All measurements; ``say`` hears what is going on.

    Raises:
        DeviceError: PyTorch can't use the GPU that the machine shows.
        RunError: the memory of a method, or the epochs of a loop, can't be measured.
    """
    gpu = GpuSession() if setup.device == "cuda" else None
    started = processor_time()
    say(f"peak memory and steps of {len(VARIANTS)} methods, in turn")
    numbers: Numbers = {"steps": _steps(setup, VARIANTS, setup.batch_size, "copies")}
    if setup.backbone.family == "resnet":
        say("peak memory and steps of Table 6's widest views, in turn")
        numbers["carried"] = _steps(setup, CARRIED, CARRIED_BATCH, "partial_sums")
    if len(setup.backbone.stage_channels) == 3:
        _free(setup)
        numbers["epochs"] = measure_epochs(setup, say)
    if gpu:
        numbers["gpu"] = gpu.until_now(runs_beside=0)
    return numbers | {"ratios": ratios(numbers), "disturbance": disturbance(started, processor_time())}


def _free(setup: Setup) -> None:
    """Give the GPU's memory back that this process holds: the loops have processes of their own."""
    if setup.device == "cuda":
        gc.collect()  # a training refers to itself
        torch.cuda.empty_cache()


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
    spec = cost_spec(setup, variants, batch_size, carried_views)
    apply_numerics(spec.numerics)
    blocks, how = measure(spec, standin(spec.dataset), torch.device(setup.device))
    return {"batch_size": batch_size, "precision": setup.precision, **how, "variants": blocks}


def cost_spec(setup: Setup, variants: list[CostVariant], batch_size: int, carried_views: str = "copies") -> CostSpec:
    """Steps of some methods, as a cost run measures them."""
    return CostSpec(
        protocol=PROTOCOL,
        dataset=standin_images(setup.backbone, 2 * batch_size),
        network=setup.backbone,
        batch_size=batch_size,
        steps=setup.steps,
        device=setup.device_name,
        variants=variants,
        numerics=setup.numerics(carried_views=carried_views),
    )
