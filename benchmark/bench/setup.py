"""What a bench measures, and on what."""

from dataclasses import dataclass
from typing import Any

from benchmark.runs.axes import Dataset, Masks, Method, Network, Numerics

VIEWS, BETA = 9, 0.5  # K and β of the paper's ResNet-110
SFE = Method(classifiers=2, beta=BETA, masks=Masks(views=VIEWS - 1))

#: The loops whose epochs are timed.
OURS = "this project, fp32"
OURS_BF16 = "this project, bf16"
REFERENCE = "reference loop, fp32"

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
        precision: of the steps; the epochs are measured in fp32, and in bf16 where that pays.
        compiled: whether this project's steps are, those of its epochs too, see :class:`~benchmark.runs.axes.Numerics`.
        graphs: whether they are recorded and replayed, those of its epochs not.
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
    graphs: bool = False
    device: str
    device_name: str

    def numerics(self, **changes: str) -> Numerics:
        """Of this project's side."""
        tree = {"precision": self.precision, "threads": self.threads, "compiled": self.compiled}
        return Numerics.model_validate(tree | changes)

    def as_json(self) -> dict[str, Any]:
        """Everything but the device, as plain data."""
        fields = ("network", "batch_size", "steps", "images", "epochs", "threads", "precision", "compiled", "graphs")
        return {field: getattr(self, field) for field in fields}


def standin_images(network: Network, count: int) -> Dataset:
    """Images of the size that the network has in the paper."""
    name = "stanford_dogs" if network.family == "resnet_imagenet" else "cifar100"
    return Dataset(name=name, source="standin", train_images=count, test_images=16)
