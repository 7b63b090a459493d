from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.data.packed import ImageSet
from benchmark.data.source import load
from benchmark.methods.network import JointNetwork, build_network
from benchmark.methods.objective import predictions
from benchmark.spec import PROTOCOL, TrainSpec
from benchmark.training import evaluation
from benchmark.training.evaluation import evaluate

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
    assert evaluate(model, data, SPEC.dataset, CPU) == pytest.approx(wanted)
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
    wanted = evaluate(model, data, SPEC.dataset, CPU)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", size)
    assert evaluate(model, data, SPEC.dataset, CPU) == wanted


def test_evaluation_leaves_the_model_as_it_was(model: JointNetwork, data: ImageSet) -> None:
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    evaluate(model, data, SPEC.dataset, CPU)
    assert model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("dataset", "carried", "images"),
    [
        (Dataset(name="cifar100"), 1, 250),
        (Dataset(name="cifar100"), 33, 7),
        (Dataset(name="tiny-imagenet"), 1, 250),
        (Dataset(name="stanford_dogs"), 1, 62),
        (Dataset(name="cub200"), 1, 15),
        (Dataset(name="cub200"), 33, 1),
    ],
)
def test_larger_images_and_carried_views_are_evaluated_fewer_at_once(
    model: JointNetwork, data: ImageSet, dataset: Dataset, carried: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def batches(*words: object) -> list[tuple[torch.Tensor, torch.Tensor]]:
        asked.append(words[-1])  # type: ignore[arg-type]
        return []

    monkeypatch.setattr(evaluation, "centre_batches", batches)
    evaluate(model, data, dataset, CPU, carried=carried)
    assert asked == [images]
