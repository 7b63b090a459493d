"""What a run takes, in work and memory, estimated before it starts.

The built-in table was measured on one processor; other sizes of a family, other methods and other images are scaled
from there. How long the work takes on a device says :mod:`benchmark.planning.pace`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.data.places import stored_side
from benchmark.data.residence import lies_on_gpu
from benchmark.runs.axes import Dataset, Method, Network
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.system import hardware

Spec = TrainSpec | CostSpec


@dataclass(frozen=True)
class ImageCost:
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
_TABLE: Mapping[tuple[str, int, int | None], ImageCost] = {
    ("resnet", 11, None): ImageCost(2.17, 0.15, 0.0051),
    ("resnet", 20, None): ImageCost(3.48, 0.24, 0.0084),
    ("resnet", 110, None): ImageCost(16.61, 1.17, 0.0445),
    ("resnet", 164, None): ImageCost(24.49, 1.73, 0.0640),
    ("seresnet", 11, None): ImageCost(2.61, 0.16, 0.0071),
    ("seresnet", 110, None): ImageCost(21.91, 1.31, 0.0544),
    ("densenet", 22, 12): ImageCost(3.43, 0.08, 0.0086),
    ("densenet", 100, 12): ImageCost(33.22, 0.80, 0.0716),
    ("wrn", 10, 2): ImageCost(1.01, 0.32, 0.0063),
    ("wrn", 28, 10): ImageCost(17.65, 36.54, 0.4066),
    ("pyramidnet", 14, 48): ImageCost(1.87, 0.22, 0.0084),
    ("pyramidnet", 110, 270): ImageCost(41.39, 28.51, 0.3618),
    ("resnet_imagenet", 18, None): ImageCost(21.16, 11.23, 0.1740),
}
#: Of a process that trains next to nothing on CIFAR, and of the batches that it evaluates between the epochs.
_PROCESS_MIB, _EVALUATION_MIB = 900, 325
#: Peak over what is in use at once: workers keep freed memory (docs/performance.md).
_KEPT_FREE = 1.5
#: How far off an estimate of memory may be.
MEMORY_BASIS, GPU_MEMORY_BASIS = (
    "memory is a process's, a rough guide",
    "memory is reckoned by hand and held against no GPU",
)
#: Of a GPU's memory, GiB a run: CUDA's context with its libraries; CIFAR's images and what they are cut into;
#: evaluation of 1000 CIFAR images at once, in fp32 and bf16. Reckoned by hand, as is all of a GPU below.
GPU_CONTEXT_GIB, _IMAGES_GIB, _EVALUATION_GIB, _EVALUATION_BF16_GIB = 0.8, 0.3, 1.0, 0.5
#: Bytes of a weight with gradient and momentum, fp32; bf16 has a copy of 2 bytes more.
_WEIGHT_BYTES = 12
#: Activations kept in bf16 over those in fp32: 0.50 to 0.52, counted for ResNet-110 with four methods.
_BF16_KEPT = 0.52
#: Of the activations kept: what the allocator holds for them; and what the eager last batch takes beside a graph.
_GPU_ALLOCATOR, _GRAPH_EAGER = 1.2, 5 / 8
#: Pixels of a photograph over those of a square of its shorter side.
ASPECT = 4 / 3
#: What a set of one's own is taken to hold before it is read.
_UNKNOWN_IMAGES = 10_000
#: Evaluation is forward only, about this part of a training step.
FORWARD = 0.3


def relative_work(spec: Spec) -> float:
    """Core-seconds of a run by the built-in table; on another device only ratios mean anything."""
    side = spec.dataset.image_size
    if isinstance(spec, CostSpec):
        each = sum(image_work(spec.network, variant.method, side) for variant in spec.variants)
        return each * spec.batch_size * (spec.steps + 8)  # warm-up and memory's steps
    images = spec.schedule.epochs * (train_images(spec) + FORWARD * test_images(spec))
    return image_work(spec.network, spec.method, side) * images


def image_work(network: Network, method: Method, image_size: int) -> float:
    """Core-seconds of an image in a training step, by the built-in table."""
    return _step(network).core_seconds * (image_size / native_size(network)) ** 2 * _passes(method, network)


def megaparameters(network: Network) -> float:
    """10⁶ weights of a network."""
    return _step(network).megaparameters


def native_size(network: Network) -> int:
    """Side of the images that the network is in the table for."""
    return 224 if network.family == "resnet_imagenet" else 32


def train_images(spec: Spec) -> int:
    """How many images an epoch has; a guess for a set of one's own."""
    return spec.dataset.train_images or spec.dataset.facts.train_images or _UNKNOWN_IMAGES


def test_images(spec: Spec) -> int:
    """How many are tested on after each epoch; likewise."""
    return spec.dataset.test_images or spec.dataset.facts.test_images or _UNKNOWN_IMAGES


def device_memory_gib(spec: Spec, *, gpu: bool, graphs: bool = False) -> float:
    """About how much of its device's memory a run takes here, in GiB."""
    return gpu_memory_gib(spec, graphs=graphs, gpu_gib=hardware.gpu_memory_gib()) if gpu else memory_gib(spec)


def memory_gib(spec: Spec) -> float:
    """About how much memory a run's process takes on a CPU, in GiB."""
    step = _step(spec.network)
    batch = spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size
    methods = [variant.method for variant in spec.variants] if isinstance(spec, CostSpec) else [spec.method]
    most = max(_passes(method, spec.network) for method in methods)
    weights = 3 * 4 * step.megaparameters * len(methods)  # with gradients and momentum, 4 bytes each
    activations = max(step.mib * _pixels(spec) * batch, _EVALUATION_MIB) * most
    return (_PROCESS_MIB + weights + _KEPT_FREE * activations) / 1024


def gpu_memory_gib(spec: Spec, *, graphs: bool = False, gpu_gib: float | None = None) -> float:
    """About how much of a GPU's memory a run takes, in GiB; estimated, and never held against a GPU.

    Args:
        spec: the run.
        graphs: whether its steps are replayed from a CUDA graph, which holds memory beside that of eager steps;
            compiled ones always are.
        gpu_gib: all the GPU's memory, which decides whether the images lie there; None takes them to.
    """
    step, bf16 = _step(spec.network), spec.numerics.precision == "bf16"
    batch = spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size
    methods = [variant.method for variant in spec.variants] if isinstance(spec, CostSpec) else [spec.method]
    most = max(_passes(method, spec.network) for method in methods)
    kept = step.mib * _pixels(spec) * batch * most / 1024 * (_BF16_KEPT if bf16 else 1)
    weights = step.megaparameters * 1e6 * len(methods) * (_WEIGHT_BYTES + (2 if bf16 else 0)) / 2**30
    at_once = (min(spec.dataset.image_size, 112) / 32) ** 2  # pixels over those of 1000 CIFAR images
    evaluation = 0.0 if isinstance(spec, CostSpec) else (_EVALUATION_BF16_GIB if bf16 else _EVALUATION_GIB) * at_once
    recorded = graphs or spec.numerics.compiled
    activations = kept * (_GPU_ALLOCATOR + (_GRAPH_EAGER if recorded else 0))
    return GPU_CONTEXT_GIB + _resident_gib(spec, gpu_gib) + weights + activations + evaluation


def _resident_gib(spec: Spec, gpu_gib: float | None) -> float:
    """The images that lie on a GPU as bytes."""
    splits = [stored_bytes(spec.dataset, count) for count in (train_images(spec), test_images(spec))]
    there = [size for size in splits if gpu_gib is None or lies_on_gpu(size, gpu_gib * 2**30)]
    return max(_IMAGES_GIB, sum(there) / 2**30)


def stored_bytes(dataset: Dataset, images: int) -> float:
    """Packed pixels of so many images; square ones where crops are padded, others of the usual shape of photographs."""
    aspect = 1.0 if dataset.facts.crop_padding else ASPECT
    return images * 3 * stored_side(dataset) ** 2 * aspect


def _step(network: Network) -> ImageCost:
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
    return ImageCost(entry.mib * depth * width, entry.megaparameters * more, entry.core_seconds * more)


def _pixels(spec: Spec) -> float:
    """Pixels of an image over those of the table's."""
    return (spec.dataset.image_size / native_size(spec.network)) ** 2


def _passes(method: Method, network: Network) -> float:
    """How many times an image goes through the network, carried views counted by the part they take."""
    passes = float(method.rotations)
    if method.masks and method.masks.carry_from:
        stages = len(network.stage_channels)
        behind = (stages - method.masks.carry_from) / stages
        passes *= 1 - behind + behind * (method.masks.views + 1)
    return passes
