import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import benchmark
from benchmark.data.augment import CentreCrops
from benchmark.data.source import load
from benchmark.errors import UserError
from benchmark.runs.spec import TrainSpec, run_id
from benchmark.training.evaluation import evaluate
from benchmark.training.loop import Training
from benchmark.training.weights import load_network, save_weights, weights_path

METHODS: dict[str, dict[str, Any]] = {
    "sd": {"classifiers": 2, "beta": 0.5, "masks": {"views": 4}, "distillation": True},
    "carried": {"masks": {"views": 4, "carry_from": 2}},
    "sla": {"rotations": 4},
}


def spec_of(method: dict[str, Any]) -> TrainSpec:
    tree = {
        "protocol": 1,
        "dataset": {"name": "cifar10", "source": "standin", "train_images": 16, "test_images": 12},
        "network": {"family": "resnet", "depth": 11},
        "schedule": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
        "method": method,
    }
    return TrainSpec.model_validate(tree)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_loaded_network_predicts_what_the_trained_one_did(method: dict[str, Any], tmp_path: Path) -> None:
    spec = spec_of(method)
    images = load(spec.dataset, None, tmp_path)
    training = Training(spec, images, torch.device("cpu"))
    training.run(lambda _: None)
    path = save_weights(tmp_path / "kept", spec, images, training.model)
    assert path == weights_path(tmp_path / "kept", run_id(spec))
    network, found = benchmark.load_network(path)
    assert found == spec
    assert not network.training
    for name, tensor in training.model.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor), name
    crops = CentreCrops(images.test, images.mean, images.std, spec.dataset, torch.device("cpu"))
    scores = evaluate(network, crops, carried=spec.method.carried_views)
    assert scores == {name: training.history[-1][name] for name in scores}
    assert [left.name for left in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [None, b"", b"no weights", b"\xff" * 64, "other"])
def test_what_holds_no_weights_is_refused(content: bytes | str | None, tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        save_file({"weight": torch.zeros(2)}, path, {"spec": json.dumps({"kind": "cost"}), "classes": "3"})
    with pytest.raises(UserError, match=r"some\.safetensors: .*--keep-weights"):
        load_network(path)


def test_those_of_another_shape_are_refused(tmp_path: Path) -> None:
    spec = spec_of(METHODS["sla"])
    save_weights(tmp_path, spec, load(spec.dataset, None, tmp_path), torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match="holds no weights of a run"):
        load_network(weights_path(tmp_path, run_id(spec)))
