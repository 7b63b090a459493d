"""What a run takes, in time and memory, estimated before it starts (floor 1, no torch).

The time of a step is taken from a `bench` of the device that the runs would use, else from the built-in table, which
was measured on one processor. Other sizes of a family, other methods and other images are scaled from there.
"""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.axes import Method, Network
from benchmark.catalogue import NETWORKS
from benchmark.files import MOST_TEXT, read_regular
from benchmark.spec import CostSpec, TrainSpec

Spec = TrainSpec | CostSpec


@dataclass(frozen=True)
class Step:
    """What one image of a baseline's training step takes, fp32.

    Attributes:
        mib: activations kept for backward.
        megaparameters: 10⁶ weights.
        core_seconds: forward, backward and update on one core.
    """

    mib: float
    megaparameters: float
    core_seconds: float


#: Memory by PyTorch's hooks on saved tensors, at the network's own image size; seconds at batch 16 with one
#: thread on TABLE_DEVICE (docs/performance.md).
TABLE_DEVICE = "Intel(R) Xeon(R) Processor (AMX)"
_TABLE: Mapping[tuple[str, int, int | None], Step] = {
    ("resnet", 11, None): Step(2.17, 0.15, 0.0051),
    ("resnet", 20, None): Step(3.48, 0.24, 0.0084),
    ("resnet", 110, None): Step(16.61, 1.17, 0.0445),
    ("resnet", 164, None): Step(24.49, 1.73, 0.0640),
    ("seresnet", 11, None): Step(2.61, 0.16, 0.0071),
    ("seresnet", 110, None): Step(21.91, 1.31, 0.0544),
    ("densenet", 22, 12): Step(3.43, 0.08, 0.0086),
    ("densenet", 100, 12): Step(33.22, 0.80, 0.0716),
    ("wrn", 10, 2): Step(1.01, 0.32, 0.0063),
    ("wrn", 28, 10): Step(17.65, 36.54, 0.4066),
    ("pyramidnet", 14, 48): Step(1.87, 0.22, 0.0084),
    ("pyramidnet", 110, 270): Step(41.39, 28.51, 0.3618),
    ("resnet_imagenet", 18, None): Step(21.16, 11.23, 0.1740),
}
#: Of a process that trains next to nothing on CIFAR, and of the batches that it evaluates between the epochs.
_PROCESS_MIB, _EVALUATION_MIB = 900, 325
#: Peak over what is in use at once: workers keep freed memory (docs/performance.md).
_KEPT_FREE = 1.5
#: How far off an estimate may be (docs/performance.md has the comparison).
_TABLE_HERE = "of 28 runs of ResNet-11 26 took 0.9 to 1.7 times as long, two 2.8 times"
_SCALED = "other networks, methods and images are scaled from it and held against no run"
_ELSEWHERE = "another may be several times slower or faster"
_TIMES = "Times are those of eager steps in fp32 whatever a run asks for"
_MEMORY, _GPU_MEMORY = "memory is a process's, a rough guide", "memory is reckoned by hand and held against no GPU"
#: Of a GPU's memory, GiB a run: CUDA's context with its libraries; CIFAR's images and what they are cut into;
#: evaluation of 1000 CIFAR images at once, in fp32 and bf16. Reckoned by hand, as is all of a GPU below.
_GPU_CONTEXT_GIB, _IMAGES_GIB, _EVALUATION_GIB, _EVALUATION_BF16_GIB = 0.8, 0.3, 1.0, 0.5
#: Bytes of a weight with gradient and momentum, fp32; bf16 has a copy of 2 bytes more.
_WEIGHT_BYTES = 12
#: Activations kept in bf16 over those in fp32: 0.50 to 0.52, counted for ResNet-110 with four methods.
_BF16_KEPT = 0.52
#: Of the activations kept: what the allocator holds for them; and what the eager last batch takes beside a graph.
_GPU_ALLOCATOR, _GRAPH_EAGER = 1.2, 5 / 8
#: Pixels of a photograph over those of a square of its shorter side.
_ASPECT = 4 / 3
#: What a set of one's own is taken to hold before it is read.
_UNKNOWN_IMAGES = 10_000
#: Evaluation is forward only, about this part of a training step.
_FORWARD = 0.3


@dataclass(frozen=True)
class CostModel:
    """Estimates for one device.

    Attributes:
        device: what it is for.
        factor: seconds on this device over the built-in table's core-seconds; None where nobody has measured it.
        basis: where the numbers come from and how far off they may be, one or two sentences.
        gpu: whether it is one.
    """

    device: str
    factor: float | None
    basis: str
    gpu: bool = False

    def seconds(self, spec: Spec) -> float | None:
        """How long a run takes one core, or the GPU; None where nobody has measured it."""
        return None if self.factor is None else self.factor * relative_work(spec)

    def memory_gib(self, spec: Spec) -> float:
        """About how much of the device's memory a run takes."""
        return gpu_memory_gib(spec) if self.gpu else memory_gib(spec)


def cost_model(device: str, *, gpu: bool, benches: Path) -> CostModel:
    """The model of a device, from its own benches where there are any.

    Args:
        device: its model, as :mod:`benchmark.hardware` names it.
        gpu: whether it is one.
        benches: the folder of JSON files that ``bench`` writes.
    """
    factors = [factor for path in sorted(benches.glob("*.json")) if (factor := bench_factor(path, device)) is not None]
    memory = _GPU_MEMORY if gpu else _MEMORY
    if factors:
        basis = f"from a bench of this device; {_SCALED}. {_TIMES}; {memory}"
        return CostModel(device, statistics.median(factors), basis, gpu)
    if gpu:
        return CostModel(
            device, None, f"time unknown: nobody has measured this GPU; `run_suite.py bench` does; {memory}", gpu
        )
    basis = f"from the built-in table, measured on this processor; {_TABLE_HERE}"
    if device != TABLE_DEVICE:
        basis = f"from the built-in table of another processor, {TABLE_DEVICE}; {_ELSEWHERE}"
    return CostModel(device, 1.0, f"{basis}; `run_suite.py bench` measures. {_TIMES}; {memory}")


def bench_factor(path: Path, device: str) -> float | None:
    """Seconds over the table's core-seconds, by the baseline's step of a bench; None where it is another's."""
    try:
        bench = json.loads(read_regular(path, MOST_TEXT))
        setup, step = bench["setup"], bench["steps"]["variants"]["baseline"]  # early ones say nothing of compiling
        if bench["device"] != device or setup["precision"] != "fp32" or setup.get("compiled"):
            return None
        network = Network.model_validate(dict(NETWORKS[setup["network"]]))
        cores = setup["threads"] if bench["provenance"]["device_kind"] == "cpu" else 1
        return float(cores * step["seconds_per_step"] / setup["batch_size"] / _step(network).core_seconds)
    except (OSError, ValueError, KeyError, TypeError):  # no bench, or somebody's edit: it tells nothing
        return None


def relative_work(spec: Spec) -> float:
    """Core-seconds of a run by the built-in table; on another device only ratios mean anything."""
    step = _step(spec.network)
    pixels = _pixels(spec)
    if isinstance(spec, CostSpec):
        each = sum(_passes(variant.method, spec.network) for variant in spec.variants)
        return step.core_seconds * pixels * each * spec.batch_size * (spec.steps + 8)  # warm-up and memory's steps
    facts = spec.dataset.facts
    train = spec.dataset.train_images or facts.train_images or _UNKNOWN_IMAGES
    test = spec.dataset.test_images or facts.test_images or _UNKNOWN_IMAGES
    images = spec.schedule.epochs * (train + _FORWARD * test)
    return step.core_seconds * pixels * _passes(spec.method, spec.network) * images


def memory_gib(spec: Spec) -> float:
    """About how much memory a run's process takes on a CPU, in GiB."""
    step = _step(spec.network)
    batch = spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size
    methods = [variant.method for variant in spec.variants] if isinstance(spec, CostSpec) else [spec.method]
    most = max(_passes(method, spec.network) for method in methods)
    weights = 3 * 4 * step.megaparameters * len(methods)  # with gradients and momentum, 4 bytes each
    activations = max(step.mib * _pixels(spec) * batch, _EVALUATION_MIB) * most
    return (_PROCESS_MIB + weights + _KEPT_FREE * activations) / 1024


def gpu_memory_gib(spec: Spec, *, graphs: bool = False) -> float:
    """About how much of a GPU's memory a run takes, in GiB; estimated, and never held against a GPU.

    Args:
        spec: the run.
        graphs: whether its steps are replayed from a CUDA graph, which holds memory beside that of eager steps.
    """
    step, bf16 = _step(spec.network), spec.numerics.precision == "bf16"
    batch = spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size
    methods = [variant.method for variant in spec.variants] if isinstance(spec, CostSpec) else [spec.method]
    most = max(_passes(method, spec.network) for method in methods)
    kept = step.mib * _pixels(spec) * batch * most / 1024 * (_BF16_KEPT if bf16 else 1)
    weights = step.megaparameters * 1e6 * len(methods) * (_WEIGHT_BYTES + (2 if bf16 else 0)) / 2**30
    at_once = (min(spec.dataset.image_size, 112) / 32) ** 2  # pixels over those of 1000 CIFAR images
    evaluation = 0.0 if isinstance(spec, CostSpec) else (_EVALUATION_BF16_GIB if bf16 else _EVALUATION_GIB) * at_once
    activations = kept * (_GPU_ALLOCATOR + (_GRAPH_EAGER if graphs else 0))
    return _GPU_CONTEXT_GIB + _resident_gib(spec) + weights + activations + evaluation


def _resident_gib(spec: Spec) -> float:
    """The images that lie on a GPU as bytes."""
    facts, side = spec.dataset.facts, spec.dataset.facts.stored_size(spec.dataset.image_size)
    train = spec.dataset.train_images or facts.train_images or _UNKNOWN_IMAGES
    test = spec.dataset.test_images or facts.test_images or _UNKNOWN_IMAGES
    return max(_IMAGES_GIB, (train + test) * 3 * side**2 * _ASPECT / 2**30)


def _step(network: Network) -> Step:
    """The table's entry, or the family's nearest one scaled by the arithmetic that depth and width make.

    A family that is not in the table is taken for a ResNet.
    """
    known = (network.family, network.depth, network.width)
    if known in _TABLE:
        return _TABLE[known]
    family = [of for of in _TABLE if of[0] == network.family] or [of for of in _TABLE if of[0] == "resnet"]
    _, near_depth, near_width = nearest = min(family, key=lambda of: abs(of[1] - network.depth))
    depth = network.depth / near_depth
    width = (network.width or 1) / near_width if near_width else 1.0
    entry = _TABLE[nearest]
    more = depth * width**2
    return Step(entry.mib * depth * width, entry.megaparameters * more, entry.core_seconds * more)


def _pixels(spec: Spec) -> float:
    """Pixels of an image over those of the table's."""
    native = 224 if spec.network.family == "resnet_imagenet" else 32
    return (spec.dataset.image_size / native) ** 2


def _passes(method: Method, network: Network) -> float:
    """How many times an image goes through the network, carried views counted by the part they take."""
    passes = float(method.rotations)
    if method.masks and method.masks.carry_from:
        stages = len(network.stage_channels)
        behind = (stages - method.masks.carry_from) / stages
        passes *= 1 - behind + behind * (method.masks.views + 1)
    return passes
