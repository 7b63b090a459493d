"""What is known of datasets and networks without loading either.

Plans and reports need class counts, image sizes and channel counts; a test holds the channel formulas
against the real models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["resnet", "seresnet", "densenet", "wrn", "pyramidnet", "resnet_imagenet"]


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """One image set as the paper uses it.

    Attributes:
        title: the name printed in reports.
        classes: N.
        input_size: side of the square image the network sees, in pixels.
        crop_padding: zero pixels added on each side before the random crop; 0 for the fine-grained
            sets, which are cropped from a larger image instead.
        train_images: size of the official training split.
        test_images: size of the official test (or validation) split.
    """

    title: str
    classes: int
    input_size: int
    crop_padding: int
    train_images: int
    test_images: int

    def stored_size(self, input_size: int) -> int:
        """Shorter side of a stored image, in pixels: 256 for an input of 224, 512 for 448."""
        return input_size if self.crop_padding else round(input_size * 8 / 7)


DATASETS: Mapping[str, DatasetFacts] = {
    "cifar10": DatasetFacts(
        title="CIFAR-10", classes=10, input_size=32, crop_padding=4, train_images=50_000, test_images=10_000
    ),
    "cifar100": DatasetFacts(
        title="CIFAR-100", classes=100, input_size=32, crop_padding=4, train_images=50_000, test_images=10_000
    ),
    "tiny-imagenet": DatasetFacts(
        title="tiny-ImageNet",
        classes=200,
        input_size=64,
        crop_padding=8,
        train_images=100_000,
        test_images=10_000,
    ),
    "cub200": DatasetFacts(
        title="CUB-200-2011",
        classes=200,
        input_size=448,
        crop_padding=0,
        train_images=5_994,
        test_images=5_794,
    ),
    "stanford_dogs": DatasetFacts(
        title="Stanford Dogs",
        classes=120,
        input_size=224,
        crop_padding=0,
        train_images=12_000,
        test_images=8_580,
    ),
    "stanford_cars": DatasetFacts(
        title="Stanford Cars",
        classes=196,
        input_size=224,
        crop_padding=0,
        train_images=8_144,
        test_images=8_041,
    ),
}


def own_dataset(name: str, classes: int, input_size: int) -> DatasetFacts:
    """A set that is not the paper's: cropped like the fine-grained ones, its size unknown until it is read."""
    return DatasetFacts(
        title=name, classes=classes, input_size=input_size, crop_padding=0, train_images=0, test_images=0
    )


#: The networks of the paper by the name a manifest gives them.
NETWORKS: Mapping[str, Mapping[str, str | int]] = {
    "resnet110": {"family": "resnet", "depth": 110},
    "resnet164": {"family": "resnet", "depth": 164},
    "seresnet110": {"family": "seresnet", "depth": 110},
    "densenet100": {"family": "densenet", "depth": 100, "width": 12},
    "wrn28-10": {"family": "wrn", "depth": 28, "width": 10},
    "pyramidnet110-270": {"family": "pyramidnet", "depth": 110, "width": 270},
    "resnet18": {"family": "resnet_imagenet", "depth": 18},
}

#: Families whose later stages begin with 1×1 convolutions alone, which are linear in the feature before.
STAGES_BEGIN_WITH_1X1 = ("resnet", "seresnet")

#: family -> (what depth must be, what width means; empty if the family has none)
_SHAPES: Mapping[str, tuple[tuple[int, int], str]] = {
    "resnet": ((9, 2), ""),  # three convolutions a bottleneck, three stages
    "seresnet": ((9, 2), ""),
    "densenet": ((6, 4), "growth rate"),
    "wrn": ((6, 4), "widening factor"),
    "pyramidnet": ((6, 2), "alpha"),
}


def depth_problem(family: str, depth: int) -> str | None:
    """Why a network of this family can't have this depth; None when it can."""
    if family == "resnet_imagenet":
        return None if depth == 18 else "the only ImageNet ResNet here has depth 18"
    (step, rest), _ = _SHAPES[family]
    if depth > rest and (depth - rest) % step == 0:
        return None
    return f"{family} has a depth of {step}n+{rest}, for instance {step * 2 + rest} or {step * 3 + rest}"


def width_meaning(family: str) -> str:
    """What ``width`` is in this family; empty where the family has no such number."""
    return _SHAPES[family][1] if family in _SHAPES else ""


def stage_channels(family: str, depth: int, width: int | None) -> tuple[int, ...]:
    """Channels of each stage's feature, first to last.

    For pre-activation networks the last is counted after the final BN and ReLU, which keep the number.
    """
    if family == "resnet_imagenet":
        return (64, 128, 256, 512)
    if family in ("resnet", "seresnet"):
        return (64, 128, 256)
    assert width is not None
    if family == "wrn":
        return (16 * width, 32 * width, 64 * width)
    if family == "pyramidnet":
        return tuple(round(16 + width * stage / 3) for stage in (1, 2, 3))
    units = (depth - 4) // 6  # DenseNet-BC: two convolutions a unit, transitions halve the channels
    first = 2 * width + units * width
    second = first // 2 + units * width
    return (first, second, second // 2 + units * width)


def stage_sides(family: str, image_size: int) -> tuple[int, ...]:
    """Side of each stage's square feature in pixels, first to last, of images with that side."""
    if family == "densenet":  # its transitions pool 2 × 2 and drop an odd line
        return tuple(image_size >> halvings for halvings in (0, 1, 2))
    halvings = (2, 3, 4, 5) if family == "resnet_imagenet" else (0, 1, 2)
    return tuple(-(-image_size // 2**each) for each in halvings)
