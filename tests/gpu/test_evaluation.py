"""What a GPU evaluates are the crops that a processor makes, pixel for pixel."""

import functools

import pytest
import torch

from benchmark.data import augment
from benchmark.data.augment import Batches, CentreCrops
from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset
from benchmark.training import evaluation
from benchmark.training.device import own_stream
from benchmark.training.evaluation import evaluate
from benchmark.training.loop import autocast
from tests.training.steps import CASES, begin

from .here import DEVICE, REHEARSAL, SIZES

pytestmark = pytest.mark.gpu

CPU = torch.device("cpu")
UNIT = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
DATASETS = {
    "padded": Dataset(name="cifar10", source="standin", train_images=70, test_images=70),
    "cropped": Dataset(name="stanford_dogs", source="standin", train_images=70, test_images=70, input_size=28),
}


def pixels(images: torch.Tensor) -> torch.Tensor:
    """The bytes that were normalised; devices round the division by 255 otherwise."""
    return (images.cpu() * 255).round().to(torch.uint8)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_crops_are_a_processors(dataset: Dataset) -> None:
    data = standin(dataset)
    here, there = (
        [
            (pixels(images), labels.tolist())
            for images, labels in CentreCrops(data.test, *UNIT, dataset, device).batches(32)
        ]
        for device in (CPU, DEVICE)
    )
    assert len(here) == len(there) == 3
    for (ours, ours_of), (theirs, theirs_of) in zip(here, there, strict=True):
        assert torch.equal(ours, theirs)
        assert ours_of == theirs_of


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_training_batches_are_a_processors(dataset: Dataset) -> None:
    data = standin(dataset)
    here, there = (Batches(data.train, *UNIT, dataset, device, seed=3).epoch(1, 32) for device in (CPU, DEVICE))
    for ours, theirs in zip(here, there, strict=True):
        assert torch.equal(pixels(ours[0]), pixels(theirs[0]))
        assert torch.equal(ours[1], theirs[1].cpu())
        assert torch.equal(ours[2], theirs[2].cpu())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_evaluation_is_that_of_crops_made_on_the_processor(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES["SFE with SD"]
    spec = case.spec(precision=precision, **SIZES)
    dataset = spec.dataset.model_copy(update={"test_images": 60 if REHEARSAL else 1100})
    data = standin(dataset)
    with own_stream(DEVICE):
        training = begin(case, spec, DEVICE, graphs=False)
        training.train_epoch(lambda _: None)
        crops = functools.partial(CentreCrops, data.test, data.mean, data.std, dataset, DEVICE)
        with autocast(spec, DEVICE):
            found = evaluate(training.model, crops())
            with monkeypatch.context() as patch:
                patch.setattr(augment, "_home", lambda split, device: CPU)
                assert evaluate(training.model, crops()) == found
            monkeypatch.setitem(evaluation.EVALUATION_BATCH, DEVICE.type, 250)
            smaller = evaluate(training.model, crops())
    assert any(0 < accuracy < 100 for accuracy in found.values())
    for name, accuracy in found.items():
        assert abs(accuracy - smaller[name]) * len(data.test.labels) / 100 < 2.5, name  # near ties may turn
