from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.data import augment
from benchmark.data.augment import CentreCrops
from benchmark.data.packed import ImageSet
from benchmark.data.source import load
from benchmark.methods.network import JointNetwork, build_network
from benchmark.methods.objective import predictions
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training import evaluation
from benchmark.training.evaluation import evaluate
from benchmark.training.loop import Training

CPU = torch.device("cpu")
SPEC = TrainSpec(
    protocol=PROTOCOL,
    dataset=Dataset(name="cifar10", source="standin", train_images=10, test_images=45),
    network=Network(family="wrn", depth=10, width=1),
    method=Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True),
    schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
)


@pytest.fixture(scope="module")
def data() -> ImageSet:
    return load(SPEC.dataset, None, Path("no-cache"))


def normalised(data: ImageSet) -> torch.Tensor:
    planes = (data.test.images / 255 - np.array(data.mean)) / np.array(data.std)
    return torch.from_numpy(planes.transpose(0, 3, 1, 2).astype(np.float32))


@pytest.fixture(scope="module")
def model(data: ImageSet) -> JointNetwork:
    """Its batch norms have seen the images once, so that its predictions differ between them."""
    built = build_network(SPEC, data.classes).train()
    with torch.no_grad():
        for _ in range(30):
            built(normalised(data)[:8])
    return built


def crops(data: ImageSet, dataset: Dataset = SPEC.dataset) -> CentreCrops:
    return CentreCrops(data.test, data.mean, data.std, dataset, CPU)


def by_hand(model: JointNetwork, data: ImageSet) -> dict[str, float]:
    """Image by image."""
    model.eval()
    hits: dict[str, int] = {}
    with torch.no_grad():
        for image, label in zip(normalised(data), data.test.labels, strict=True):
            for name, scores in predictions(model(image[None])).items():
                row = scores[0].tolist()
                hits[name] = hits.get(name, 0) + (row.index(max(row)) == label)
    return {name: 100 * count / len(data.test.labels) for name, count in hits.items()}


def test_accuracy_is_the_share_of_hits(model: JointNetwork, data: ImageSet) -> None:
    wanted = by_hand(model, data)
    assert evaluate(model, crops(data)) == pytest.approx(wanted)
    assert set(wanted) == {
        "single",
        "aggregated",
        "aggregated_probabilities",
        "aggregated_final_head",
        "aggregated_final_head_probabilities",
        "distilled",
    }
    assert any(0 < value < 100 for value in wanted.values())
    assert len(set(wanted.values())) > 1  # or mixed-up names would go unnoticed


@pytest.mark.parametrize("size", [1, 7, 45, 1000])
def test_the_batch_size_changes_no_number(
    model: JointNetwork, data: ImageSet, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = evaluate(model, crops(data))
    monkeypatch.setitem(evaluation.EVALUATION_BATCH, "cpu", size)
    assert evaluate(model, crops(data)) == wanted


def test_evaluation_leaves_the_model_as_it_was(model: JointNetwork, data: ImageSet) -> None:
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    evaluate(model, crops(data))
    assert model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in model.parameters())


def test_batches_of_a_gpu_give_the_accuracy_of_batches_of_a_processor(
    model: JointNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=10, test_images=1100)
    many = crops(load(dataset, None, Path("no-cache")), dataset)
    here = evaluate(model, many)
    monkeypatch.setitem(evaluation.EVALUATION_BATCH, "cpu", evaluation.EVALUATION_BATCH["cuda"])
    there = evaluate(model, many)
    assert here.keys() == there.keys()
    for name, accuracy in here.items():
        assert abs(accuracy - there[name]) * len(many) / 100 < 2.5, name  # near ties may turn, two of 1100


def test_the_table_of_test_pixels_is_made_once_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    table = augment.Pixels

    def counted(*arguments: Any) -> augment.Pixels:
        made.append(len(arguments[0].labels))
        return table(*arguments)

    monkeypatch.setattr(augment, "Pixels", counted)
    spec = SPEC.model_copy(update={"schedule": Schedule(epochs=3, batch_size=10, learning_rate=0.1)})
    training = Training(spec, load(SPEC.dataset, None, Path("no-cache")), CPU)
    assert made == [10], "a training that is not evaluated, as a cost run's, needs no test images"
    training.run(lambda _: None)
    assert made == [10, 45]
    assert len(training.history) == 3


class Asked:
    """Images that only note how many are asked for at once."""

    def __init__(self, dataset: Dataset, device: str) -> None:
        self.size, self.device, self.asked = dataset.image_size, torch.device(device), list[int]()

    def batches(self, size: int) -> list[Any]:
        self.asked.append(size)
        return []


@pytest.mark.parametrize(
    ("dataset", "carried", "here", "on_a_gpu"),
    [
        (Dataset(name="cifar100"), 1, 250, 1000),
        (Dataset(name="cifar100"), 33, 7, 30),
        (Dataset(name="tiny-imagenet"), 1, 250, 1000),
        (Dataset(name="stanford_dogs"), 1, 62, 250),
        (Dataset(name="cub200"), 1, 15, 62),
        (Dataset(name="cub200"), 33, 1, 1),
    ],
)
def test_larger_images_and_carried_views_are_evaluated_fewer_at_once(
    model: JointNetwork, dataset: Dataset, carried: int, here: int, on_a_gpu: int
) -> None:
    for device, wanted in (("cpu", here), ("cuda", on_a_gpu)):
        images = Asked(dataset, device)
        evaluate(model, images, carried=carried)  # type: ignore[arg-type]
        assert images.asked == [wanted]
