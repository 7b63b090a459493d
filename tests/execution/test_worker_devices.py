"""What a worker says of its GPU, and a GPU that can't be used."""

import contextlib
import os
import signal
import warnings
from pathlib import Path

import pytest
import torch

from benchmark.execution.run_folder import EXIT_INTERRUPTED
from benchmark.results.store import Result
from benchmark.runs.axes import Method
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant
from benchmark.training import device, loop
from benchmark.training.loop import Training
from tests.execution.place import TINY, WRN, Place, at_step, cost_place, said_of_the_gpu, spec_of
from tests.made import GPU_A, GPU_B, fake_nvidia_smi, machine_with

pytestmark = pytest.mark.usefixtures("own_process")


def test_a_cost_run_measures_only_its_own_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variants = [CostVariant(name="baseline", method=Method())]
    spec = CostSpec(
        protocol=PROTOCOL, dataset=TINY, network=WRN, batch_size=4, steps=1, device="another machine", variants=variants
    )
    place = Place(tmp_path, spec)
    assert "another machine" in said_of_the_gpu(place, capsys)


@pytest.mark.parametrize(
    ("told", "said"), [(None, "it sees none"), ("The NVIDIA driver on\nyour system is too old", "is too old;")]
)
def test_a_gpu_that_pytorch_does_not_see(
    told: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def is_available() -> bool:
        asked.append("once")
        if told:
            warnings.warn(told, stacklevel=1)
        return False

    machine_with(monkeypatch, GPU_A)
    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    line = said_of_the_gpu(Place(tmp_path, spec_of(), device="cuda"), capsys)
    assert "can't use this machine's GPU: " in line
    assert said in line
    assert asked == ["once"]


def test_a_gpu_that_pytorch_sees_and_can_not_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable\nmore of it")

    machine_with(monkeypatch, GPU_A)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", busy)
    line = said_of_the_gpu(Place(tmp_path, spec_of(), device="cuda"), capsys)
    assert "devices are busy or unavailable; mend" in line


def test_a_gpu_that_the_driver_does_not_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine_with(monkeypatch)
    assert "no NVIDIA GPU (a reason)" in said_of_the_gpu(cost_place(tmp_path, device="cuda"), capsys)


def test_a_gpu_run_says_what_it_ran_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result) -> None:
    """With torch's GPU stood in for by the processor, and nvidia-smi by a script."""
    cpu = torch.device("cpu")
    machine_with(monkeypatch, GPU_A)
    path = fake_nvidia_smi(tmp_path / "bin", f"{GPU_B.uuid}, 1, 2, 3\n{GPU_A.uuid}, 1980, 2619, [N/A]\n")
    monkeypatch.setenv("PATH", str(path), prepend=os.pathsep)
    monkeypatch.setattr(device, "require_usable", lambda _: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.cuda, "Stream", lambda _: None)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(loop, "Training", lambda spec, images, _, **graphs: Training(spec, images, cpu, **graphs))
    place = Place(tmp_path, spec_of(), device="cuda", checkpoint_minutes=0.0)
    with monkeypatch.context() as patch:
        at_step(patch, 4, lambda: signal.raise_signal(signal.SIGTERM))
        assert place.run() == EXIT_INTERRUPTED
    assert (path / "asked").read_text().count("clocks.sm") == 2, "training stands still meanwhile"
    place.folder.note_beside(2)
    assert place.run() == 0
    made_by = place.result().provenance.model_dump()
    first, second = made_by["sessions"]
    assert (made_by["device"], made_by["driver"]) == (first["device"], GPU_A.driver) == ("NVIDIA A", "550.54.15")
    running = {"sm_mhz": 1980, "memory_mhz": 2619, "celsius": None}
    assert first["gpu"] == {
        **{"name": "NVIDIA A", "uuid": GPU_A.uuid, "driver": "550.54.15", "memory_mib": 40960},
        **{"cuda": "13.2", "cudnn": torch.backends.cudnn.version(), "capability": "9.0"},  # type: ignore[no-untyped-call]
        **{"at_start": running, "at_end": running, "runs_beside": 0},
        **{"allocated_peak_mib": 0.0, "reserved_peak_mib": 0.0},
    }
    assert second["gpu"] == made_by["gpu"] == {**first["gpu"], "runs_beside": 2}
    assert undisturbed.provenance.gpu is None
    assert undisturbed.provenance.sessions[0].gpu is None


def test_an_nvidia_smi_that_does_not_answer_is_not_waited_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_with(monkeypatch, GPU_A)
    monkeypatch.setenv("PATH", str(fake_nvidia_smi(tmp_path / "bin", "No devices were found\n")))
    monkeypatch.setattr(device, "require_usable", lambda _: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    session = device.GpuSession()
    noted = [session.until_now(0), session.until_now(0)]
    assert [(one["at_start"], one["at_end"]) for one in noted] == [(None, None)] * 2
    assert (tmp_path / "bin" / "asked").read_text().count("\n") == 1
