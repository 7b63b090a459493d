"""Accuracy of every prediction on the test split."""

import torch
from torch import Tensor, nn

from benchmark.data.augment import CentreCrops
from benchmark.methods.objective import predictions

#: Images of up to 112 pixels evaluated at once by device type, fewer of larger ones. A GPU is asked less often that
#: way. Another batch may meet another kernel and turn a near tie, so neither number is changed.
EVALUATION_BATCH = {"cpu": 250, "cuda": 1000}


@torch.no_grad()
def evaluate(model: nn.Module, images: CentreCrops, *, carried: int = 1) -> dict[str, float]:
    """Accuracy in percent by prediction name; batch norms use their running statistics.

    Args:
        model: gives :class:`~benchmark.methods.network.Logits`.
        images: what it is judged on, where the model is.
        carried: views of an image that go through the network together; the more, the fewer images at once.
    """
    model.eval()
    correct: dict[str, Tensor] = {}
    most = EVALUATION_BATCH[images.device.type]
    batch = max(1, int(most * min(1, (112 / images.size) ** 2) / carried))
    for inputs, labels in images.batches(batch):
        for name, scores in predictions(model(inputs)).items():
            hits = (scores.argmax(1) == labels).sum()
            correct[name] = correct[name] + hits if name in correct else hits
    model.train()
    return {name: 100 * int(hits) / len(images) for name, hits in correct.items()}
