"""Accuracy of every prediction on the test split."""

import torch
from torch import Tensor, nn

from benchmark.axes import Dataset
from benchmark.data.augment import centre_batches
from benchmark.data.packed import ImageSet
from benchmark.methods.objective import predictions

#: Images of up to 112 pixels evaluated at once, fewer of larger ones; changes no number, only memory.
EVALUATION_BATCH = 250


@torch.no_grad()
def evaluate(
    model: nn.Module, data: ImageSet, dataset: Dataset, device: torch.device, *, carried: int = 1
) -> dict[str, float]:
    """Accuracy in percent by prediction name; batch norms use their running statistics.

    Args:
        model: gives :class:`~benchmark.methods.network.Logits`.
        data: its test split is judged.
        dataset: how its images are cropped.
        device: where the model is.
        carried: views of an image that go through the network together; the more, the fewer images at once.
    """
    model.eval()
    correct: dict[str, Tensor] = {}
    batch = max(1, int(EVALUATION_BATCH * min(1, (112 / dataset.image_size) ** 2) / carried))
    batches = centre_batches(data.test, data.mean, data.std, dataset, device, batch)
    for images, labels in batches:
        for name, scores in predictions(model(images)).items():
            hits = (scores.argmax(1) == labels).sum()
            correct[name] = correct[name] + hits if name in correct else hits
    model.train()
    return {name: 100 * int(hits) / len(data.test.labels) for name, hits in correct.items()}
