"""The worker: a run that completes, in this process."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.execution import worker
from benchmark.execution.run_folder import EXIT_BUSY, EXIT_INTERRUPTED, EXIT_UNUSABLE
from benchmark.runs.axes import Dataset, Numerics
from benchmark.runs.spec import CostSpec
from benchmark.system.locks import Lock
from benchmark.training.loop import Training
from benchmark.training.weights import load_network
from tests.execution.place import Place, cost_place, fail_with, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def test_a_run_leaves_its_result(tmp_path: Path) -> None:
    place = Place(tmp_path, spec_of())
    assert place.run() == 0
    assert place.store.completed() == {place.run_id}
    assert place.store.failed() == set()
    result = place.result()
    assert result.status == "completed"
    assert result.spec == spec_of()
    assert [entry["epoch"] for entry in result.history] == [1, 2]
    assert result.metrics["distilled_last_epoch"] == result.history[-1]["distilled"]
    assert result.cost["steps"] == 6
    assert result.cost["process_peak_mib"] > 50
    assert result.failure is None
    provenance = result.provenance.model_dump()
    assert provenance["data_digest"].startswith("standin-sha256:")
    dataset = result.spec.dataset
    assert provenance["images"] == {"train": dataset.train_images, "test": dataset.test_images, "test_in_train": 0}
    assert (provenance["precision"], provenance["threads"], provenance["device_kind"]) == ("fp32", 1, "cpu")
    assert {"release", "commit", "dirty"} <= set(provenance["code"])
    assert {"torch", "numpy", "pytorchcv"} <= set(provenance["packages"])
    assert provenance["start"] <= provenance["end"]
    assert place.attempts() == ["start", "completed"]
    assert not place.folder.checkpoint.exists()
    assert place.folder.progress() is None


def test_weights_are_kept_where_the_job_says(tmp_path: Path) -> None:
    place = Place(tmp_path, spec_of(epochs=1), weights_dir=str(tmp_path / "kept"))
    assert place.run() == 0
    network, spec = load_network(tmp_path / "kept" / f"{place.run_id}.safetensors")
    assert spec == place.job.spec
    assert sum(tensor.numel() for tensor in network.parameters()) > 1000


def test_only_trainings_keep_freed_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(worker, "keep_freed_memory", lambda: kept.append("kept"))
    assert cost_place(tmp_path / "cost").run() == 0
    assert kept == [], "a measurement has the settings that other people's code has"
    assert Place(tmp_path / "train", spec_of()).run() == 0
    assert kept == ["kept"]


def test_a_second_start_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    assert place.run() == 0
    before = place.store.path(place.run_id).read_bytes()
    monkeypatch.setattr(Training, "run", fail_with(AssertionError("trained twice")))
    assert place.run() == 0
    assert place.store.path(place.run_id).read_bytes() == before
    assert place.store.failed() == set()


@pytest.mark.parametrize("arguments", [[], ["one", "two"], ["no such folder"]])
def test_without_a_job_it_says_so(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.main(arguments) == 2
    assert capsys.readouterr().err.count("\n") >= 1


def test_compiled_kernels_are_kept_in_the_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for compiled, wanted in ((False, "here"), (True, "here"), (True, str(tmp_path / "compiled"))):
        if wanted == "here":
            monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", wanted)  # who sets it is asked first
        else:
            monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
        nowhere = spec_of(Dataset(name="cifar10"))  # fails before it comes to that
        spec = nowhere.model_copy(update={"numerics": Numerics(compiled=compiled)})
        assert Place(tmp_path, spec).run() == EXIT_UNUSABLE
        assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == wanted


def test_a_cost_run_hears_signals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(spec: CostSpec, data: Any, device: torch.device, check: Callable[[], None]) -> Any:
        check()
        signal.raise_signal(signal.SIGTERM)
        check()
        raise AssertionError("goes on")

    place = cost_place(tmp_path)
    monkeypatch.setattr("benchmark.training.cost.measure", measure)
    assert place.run() == EXIT_INTERRUPTED
    assert place.attempts() == ["start", "interrupted"]
    assert place.store.failed() == set()


def test_a_locked_run_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path, spec_of())
    with Lock(place.folder.lock):
        assert place.run() == EXIT_BUSY
    assert "is at work on it" in capsys.readouterr().out
    assert not place.folder.attempts.exists()
