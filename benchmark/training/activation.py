"""Class activation maps of a trained network, Figure 1."""

import torch

from benchmark.data.augment import CentreCrops
from benchmark.data.packed import ImageSet
from benchmark.data.source import balanced_part
from benchmark.errors import DivergedError
from benchmark.methods.network import JointNetwork
from benchmark.methods.objective import predictions
from benchmark.results.record import ActivationMap
from benchmark.runs.spec import TrainSpec
from benchmark.training.evaluation import EVALUATION_BATCH


@torch.no_grad()
def activation_maps(model: JointNetwork, data: ImageSet, spec: TrainSpec, device: torch.device) -> list[ActivationMap]:
    """Maps of the true class for the first images of the test split's class-balanced part.

    Raises:
        DivergedError: a map isn't finite.
    """
    model.eval()
    chosen = balanced_part(data.test.labels, spec.activation_maps)
    part = data.test.take(chosen)
    maps, predicted = [], []
    crops = CentreCrops(part, data.mean, data.std, spec.dataset, device)
    for images, labels in crops.batches(EVALUATION_BATCH["cpu"]):  # a handful
        found = model.class_activation(images, labels)
        if not torch.isfinite(found).all():
            raise DivergedError("an activation map of the trained network is not finite")
        maps += found.tolist()
        predicted += predictions(model(images))["single"].argmax(1).tolist()
    model.train()
    return [
        ActivationMap(
            image=int(image), label=int(label), predicted=winner, map=[[_short(v) for v in row] for row in rows]
        )
        for image, label, winner, rows in zip(chosen, part.labels, predicted, maps, strict=True)
    ]


def _short(value: float) -> float:
    """Four significant digits: no picture shows more."""
    return float(f"{value:.4g}")
