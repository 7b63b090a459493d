import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.errors import DivergedError
from benchmark.execution import worker
from benchmark.execution.run_folder import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NO_DEVICE,
    EXIT_NO_ROOM,
    EXIT_UNUSABLE,
    LEASH_VARIABLE,
    Job,
    RunFolder,
    worker_command,
)
from benchmark.results import code
from benchmark.results.code import this_code
from benchmark.results.store import Result, Store
from benchmark.runs.axes import Dataset, Masks, Method, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec, run_id
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.system.files import write_atomic
from benchmark.system.hardware import cpu_model
from benchmark.system.locks import Lock
from benchmark.system.signals import ENDING
from benchmark.training import checkpoint, device, evaluation, loop
from benchmark.training.loop import Training
from benchmark.training.weights import load_network
from tests.made import GPU_A, GPU_B, fake_nvidia_smi, machine_with
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("own_process")

WRN = Network(family="wrn", depth=10, width=1)
SFE_SD = Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True)
TINY = Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=20, test_images=10)


def spec_of(dataset: Dataset = TINY, *, epochs: int = 2, rate: float = 0.1) -> TrainSpec:
    """Three steps an epoch."""
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=dataset,
        network=WRN,
        method=SFE_SD,
        schedule=Schedule(epochs=epochs, batch_size=8, learning_rate=rate),
    )


class Place:
    """A run folder with its job, and the store that its result goes to."""

    def __init__(self, root: Path, spec: TrainSpec | CostSpec, **job: Any) -> None:
        self.store = Store(root / "results")
        self.run_id = run_id(spec)
        self.folder = RunFolder(root / "runs" / self.run_id)
        self.job = Job(
            run_id=self.run_id,
            spec=spec,
            results_folder=str(self.store.folder),
            cache_dir=str(root / "cache"),
            **{"data_dir": None, "device": "cpu", **job},
        )
        self.folder.order(self.job)

    def run(self) -> int:
        return worker.main([str(self.folder.folder)])

    def result(self) -> Result:
        return self.store.load(self.run_id)

    def failure(self) -> Result:
        return self.store.load_failure(self.run_id)

    def attempts(self) -> list[str]:
        return [json.loads(line) for line in self.folder.attempts.read_text().splitlines()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What the two-epoch run gives."""
    place = Place(tmp_path_factory.mktemp("undisturbed"), spec_of())
    assert place.run() == 0
    return place.result()


def at_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Do something at the end of the run's step ``number``, counted from 1."""
    original, taken = Training.train_step, [0]

    def train_step(self: Training, *batch: torch.Tensor) -> None:
        original(self, *batch)
        taken[0] += 1
        if taken[0] == number:
            act()

    monkeypatch.setattr(Training, "train_step", train_step)


def fail_with(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


# ------------------------------------------------------------------ a run that completes


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


# ------------------------------------------------------------------ recorded steps


def sessions_graphs(result: Result) -> list[str]:
    return [str(session.graphs) for session in result.provenance.sessions]


def test_recorded_steps_are_an_order_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    place = Place(tmp_path, spec_of(), graphs=True)
    assert place.run() == 0
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == ["on"]
    assert sessions_graphs(undisturbed) == ["off"]


def cannot_record(body: Callable[[], None]) -> Callable[[], None]:
    raise RuntimeError("operation not permitted when stream is capturing")


def test_what_can_not_be_recorded_is_trained_call_by_call_in_a_new_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_worker:cannot_record")
    place = Place(tmp_path, spec_of(), graphs=True)
    assert place.run() == EXIT_INTERRUPTED
    assert not place.folder.checkpoint.exists(), "the device's state may be broken"
    reason = "RuntimeError: operation not permitted when stream is capturing"
    assert place.folder.graphs_refused() == reason
    assert not place.store.failed()
    assert place.run() == 0
    assert place.attempts() == ["start", "interrupted", "start", "completed"]
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == [f"failed: {reason}"]
    assert place.folder.graphs_refused() is None


def test_a_recording_that_ends_the_process_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_worker:does_not_survive")
    place = Place(tmp_path, spec_of(), graphs=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert (
        subprocess.run(worker_command(place.folder.folder), env=environment, check=False).returncode == -signal.SIGSEGV
    )
    assert place.run() == 0
    assert place.attempts() == ["start", "start", "completed"]
    assert place.result().history == undisturbed.history
    assert sessions_graphs(place.result()) == ["failed: a process ended while it recorded a step"]


def does_not_survive(body: Callable[[], None]) -> Callable[[], None]:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("survived")


def test_without_room_for_the_reason_it_does_not_try_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: RunFolder, reason: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(RECORDER_VARIABLE, "tests.execution.test_worker:cannot_record")
    monkeypatch.setattr(RunFolder, "refuse_graphs", full)
    assert Place(tmp_path, spec_of(), graphs=True).run() == EXIT_NO_ROOM


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


# ------------------------------------------------------------------ a run that fails


def test_a_failure_is_recorded_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(ValueError("a cosmic ray")))
    place.folder.log.write_text("".join(f"line {number}\n" for number in range(100)))  # the engine's redirection
    assert place.run() == EXIT_FAILED
    assert place.store.completed() == set()
    failure = place.failure()
    assert failure.status == "crashed"
    assert failure.spec == spec_of()
    assert failure.failure is not None
    assert failure.failure.reason == "ValueError: a cosmic ray"
    assert failure.failure.log_tail == [f"line {number}" for number in range(80, 100)]
    assert failure.failure.log_file == str(place.folder.log)
    assert failure.metrics == {}
    assert place.attempts() == ["start", "failed"]


def test_what_fails_once_an_end_was_asked_for_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())

    def ended() -> None:  # a batch system's signal meets the worker and a helper of it
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("a helper's process died")

    at_step(monkeypatch, 2, ended)
    assert place.run() == EXIT_INTERRUPTED
    assert not place.store.has_failed(place.run_id)
    assert place.attempts() == ["start", "interrupted"]


def cpu_allocation_error() -> Exception:
    try:
        torch.empty(2**60, dtype=torch.uint8)
    except RuntimeError as error:
        return error
    raise AssertionError("a machine with an exbibyte")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no"), "crashed"),
        (DivergedError("no"), "diverged"),
        (MemoryError(), "out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (cpu_allocation_error(), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be"), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), "crashed"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), "out_of_memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "crashed"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"), "out_of_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (ValueError("a word on being out of memory"), "crashed"),
    ],
)
def test_kinds_of_failure(error: Exception, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(error))
    assert place.run() == EXIT_FAILED
    assert place.failure().status == status
    assert place.failure().history == []


def test_a_diverging_run_is_recorded_as_such(tmp_path: Path) -> None:
    place = Place(tmp_path, spec_of(rate=1e6))
    assert place.run() == EXIT_FAILED
    failure = place.failure()
    assert failure.status == "diverged"
    assert failure.failure is not None
    assert "loss of epoch 1" in failure.failure.reason


def test_success_takes_the_failure_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result) -> None:
    place = Place(tmp_path, spec_of(), checkpoint_minutes=0.0)  # a checkpoint after every step
    at_step(monkeypatch, 5, fail_with(ValueError("a cosmic ray")))
    assert place.run() == EXIT_FAILED
    assert place.store.failed() == {place.run_id}
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)  # after the fourth step
    assert place.run() == 0
    assert not list(place.store.failures_folder.glob("*.json"))
    assert place.result().metrics == undisturbed.metrics
    assert place.result().history == undisturbed.history


def test_a_bounded_run_times_out_and_can_go_on(tmp_path: Path, undisturbed: Result) -> None:
    place = Place(tmp_path, spec_of(), timeout_min=1e-9)
    assert place.run() == EXIT_FAILED
    assert place.failure().status == "timed_out"
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (0, 1)
    again = Place(tmp_path, spec_of(), timeout_min=60.0)
    assert again.run() == 0
    assert again.result().history == undisturbed.history


def test_the_time_of_an_attempt_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluation and loading are no training steps, and last all the same."""
    place, slept = Place(tmp_path, spec_of(), timeout_min=10.0), [0.0]
    monotonic, evaluate = time.monotonic, evaluation.evaluate

    def slow(*arguments: Any, **options: Any) -> Any:
        slept[0] += 3600
        return evaluate(*arguments, **options)

    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + slept[0])
    monkeypatch.setattr(loop, "evaluate", slow)
    assert place.run() == EXIT_FAILED
    failure = place.failure()
    assert failure.status == "timed_out"
    assert failure.failure is not None
    assert "this attempt took more than 10 minutes" in failure.failure.reason
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)  # the epoch that was evaluated is not lost


@pytest.mark.parametrize("where", ["load", "resume"])
def test_too_little_memory_costs_no_checkpoint(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of(), checkpoint_minutes=0.0)
    at_step(monkeypatch, 4, fail_with(ValueError("a cosmic ray")))
    assert place.run() == EXIT_FAILED
    saved = place.folder.checkpoint.read_bytes()
    target: Any = torch if where == "load" else Training
    with monkeypatch.context() as patch:
        patch.setattr(target, where, lambda *_, **__: fail_with(torch.OutOfMemoryError("CUDA out of memory"))())
        assert place.run() == EXIT_FAILED
    assert place.failure().status == "out_of_memory"
    assert place.folder.checkpoint.read_bytes() == saved


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_result_without_room_is_no_failure_and_its_training_not_lost(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Result,
) -> None:
    def full(path: Path, data: bytes, **_: bool) -> None:
        if path.parent.name == "results":  # a failure's record is small, and would find room
            raise OSError(number, os.strerror(number), str(path))
        write_atomic(path, data)

    place = Place(tmp_path, spec_of())
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.results.store.write_atomic", full)
        assert place.run() == EXIT_NO_ROOM
    assert os.strerror(number) in capsys.readouterr().out.splitlines()[-1]
    assert nothing_is_blamed(place)
    assert place.attempts() == ["start", "unwritable"]
    at_step(monkeypatch, 1, fail_with(AssertionError("trains again")))
    assert place.run() == 0
    assert place.result().history == undisturbed.history


def test_images_that_are_gone_are_no_fault_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path, spec_of(Dataset(name="cifar10")))  # whose files are nowhere
    assert place.run() == EXIT_UNUSABLE
    assert "--data-dir" in capsys.readouterr().out
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)


def test_what_cannot_be_recorded_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Store, result: Result) -> None:
        raise OSError(28, "No space left on device")

    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, fail_with(ValueError("a cosmic ray")))
    monkeypatch.setattr(Store, "put", full)
    assert place.run() == EXIT_FAILED
    assert "No space left on device" in capsys.readouterr().out


def test_a_cost_run_measures_only_its_own_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variants = [CostVariant(name="baseline", method=Method())]
    spec = CostSpec(
        protocol=PROTOCOL, dataset=TINY, network=WRN, batch_size=4, steps=1, device="another machine", variants=variants
    )
    place = Place(tmp_path, spec)
    assert "another machine" in said_of_the_gpu(place, capsys)


def cost_place(tmp_path: Path, **job: Any) -> Place:
    variants = [CostVariant(name="baseline", method=Method())]
    spec = CostSpec(
        protocol=PROTOCOL, dataset=TINY, network=WRN, batch_size=4, steps=1, device=cpu_model(), variants=variants
    )
    return Place(tmp_path, spec, **job)


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


def test_a_cost_run_is_bounded(tmp_path: Path) -> None:
    place = cost_place(tmp_path, timeout_min=1e-9)
    assert place.run() == EXIT_FAILED
    assert place.failure().status == "timed_out"


# ------------------------------------------------------------------ a GPU that can't be used


def said_of_the_gpu(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a worker that blames no run."""
    assert place.run() == EXIT_NO_DEVICE
    assert place.attempts() == ["start", "unusable"]
    assert place.folder.vanished() == 0
    assert place.store.completed() == place.store.failed() == set()
    return capsys.readouterr().out.splitlines()[-1]


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


# ------------------------------------------------------------------ a run that is interrupted


def test_signals_are_noted_before_the_job_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, read = Place(tmp_path, spec_of()), RunFolder.job

    def job(self: RunFolder) -> Job:
        signal.raise_signal(signal.SIGTERM)
        return read(self)

    monkeypatch.setattr(RunFolder, "job", job)
    assert place.run() == EXIT_INTERRUPTED
    assert place.attempts() == ["start", "interrupted"]


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_saves_the_run_between_two_steps(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 4, lambda: signal.raise_signal(number))
    assert place.run() == EXIT_INTERRUPTED
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)
    assert place.store.completed() == place.store.failed() == set()
    assert place.attempts() == ["start", "interrupted"]
    assert place.run() == 0
    assert place.result().metrics == undisturbed.metrics
    assert place.result().history == undisturbed.history


def test_a_worker_whose_runner_is_gone_saves_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    parent = os.getppid()
    monkeypatch.setenv(LEASH_VARIABLE, str(parent))
    at_step(monkeypatch, 2, lambda: monkeypatch.setattr(os, "getppid", lambda: parent + 1))  # it may be 1 itself
    assert place.run() == EXIT_INTERRUPTED
    assert place.folder.checkpoint.exists()
    assert LEASH_VARIABLE not in os.environ, "its own helpers have another parent"


def test_a_runner_that_was_gone_before_the_worker_could_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    monkeypatch.setenv(LEASH_VARIABLE, "1" if os.getppid() != 1 else "2")
    monkeypatch.setattr(Training, "run", fail_with(AssertionError("trained for nobody")))
    assert place.run() == EXIT_INTERRUPTED
    assert place.attempts() == ["start", "interrupted"]


def test_a_worker_without_a_runner_on_its_machine_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a batch system starts it."""
    place = Place(tmp_path, spec_of())
    at_step(monkeypatch, 2, lambda: monkeypatch.setattr(os, "getppid", lambda: 1))
    assert place.run() == 0


@pytest.mark.usefixtures("own_process")
def test_no_worker_outlives_its_runner_whatever_it_is_at(tmp_path: Path) -> None:
    """In a step, an evaluation, a library's code: it never looks, and ends all the same."""
    code = (
        "import os, subprocess, sys\n"
        f"os.environ['{LEASH_VARIABLE}'] = str(os.getpid())\n"
        "print(subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]]).pid)"
    )
    worker_code = (
        "import sys, time\nfrom pathlib import Path\nfrom benchmark.execution import run_folder, watch\n"
        "watch.LOOK_SECONDS = watch.LEFT_SECONDS = 0.05\n"
        "with watch.Watch(run_folder.RunFolder(Path(sys.argv[1]))): time.sleep(600)"
    )
    command = [sys.executable, "-c", code, worker_code, str(tmp_path)]
    pid = int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout)
    deadline = time.monotonic() + 60
    while not (tmp_path / "attempts.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "attempts.txt").read_text() == '"interrupted"\n'
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert time.monotonic() < deadline


def test_a_damaged_checkpoint_means_the_beginning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], undisturbed: Result
) -> None:
    place = Place(tmp_path, spec_of())
    place.folder.checkpoint.write_bytes(b"half a checkpo")
    assert place.run() == 0
    assert "starting from the beginning" in capsys.readouterr().out
    assert place.result().history == undisturbed.history


def interrupted(place: Place, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, Any]:
    """Interrupt a run at its fourth step, and change its checkpoint."""
    with monkeypatch.context() as patch:
        at_step(patch, 4, lambda: signal.raise_signal(signal.SIGTERM))
        assert place.run() == EXIT_INTERRUPTED
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    checkpoint.save(place.folder.checkpoint, state | changes)
    return state


def test_a_resumed_run_names_all_its_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    state = interrupted(place, monkeypatch)
    other = {**state["sessions"][0], "start": "2026-01-01T00:00:00+00:00", "device": "another CPU"}
    checkpoint.save(place.folder.checkpoint, {**state, "sessions": [other]})
    assert place.run() == 0
    provenance = place.result().provenance.model_dump()
    assert provenance["sessions"][0] == other
    (second,) = provenance["sessions"][1:]
    assert set(second) == {"start", "end", "device", "torch", "code", "data_digest", "environment", "graphs"}
    assert second["start"] <= second["end"] <= provenance["end"]
    assert provenance["start"] == other["start"], "the run began with its first session"
    assert place.result().provenance.origin()["device"] == ["another CPU", provenance["device"]]


@pytest.mark.parametrize("digest", ["sha256:ffff", None])
def test_a_checkpoint_of_other_images_is_not_gone_on_from(
    digest: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Result,
) -> None:
    place = Place(tmp_path, spec_of())
    interrupted(place, monkeypatch, data_digest=digest)
    assert place.run() == 0
    out = capsys.readouterr().out
    assert f"made of the images {digest}" in out
    assert "starting from the beginning" in out
    assert place.result().history == undisturbed.history
    assert len(place.result().provenance.sessions) == 1


def test_a_locked_run_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path, spec_of())
    with Lock(place.folder.lock):
        assert place.run() == EXIT_BUSY
    assert "is at work on it" in capsys.readouterr().out
    assert not place.folder.attempts.exists()


def test_sigterm_to_a_worker_process(tmp_path: Path) -> None:
    # the real thing: another process, another worker beside it, a signal, a second start
    spec = spec_of(epochs=15)
    place, alone = Place(tmp_path / "disturbed", spec), Place(tmp_path / "alone", spec)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = worker_command(place.folder.folder)
    with place.folder.log.open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        while place.folder.progress() is None:  # the first word comes after the first step
            assert process.poll() is None, place.folder.log_tail()
            time.sleep(0.005)
        assert place.run() == EXIT_BUSY
        process.terminate()
        assert process.wait(60) == EXIT_INTERRUPTED
    finally:
        process.kill()
        process.wait()
    assert place.store.completed() == place.store.failed() == set()
    assert place.attempts() == ["start", "interrupted"]
    assert "interrupted: signal 15" in place.folder.log_tail()[-1]
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert 0 < 3 * state["epoch"] + state["step"] < 45
    assert place.run() == 0
    assert alone.run() == 0
    assert place.result().metrics == alone.result().metrics
    assert place.result().history == alone.result().history


# ------------------------------------------------------------------ other code, or none that can be imported


def nothing_is_blamed(place: Place) -> bool:
    return place.folder.vanished() == 0 and place.store.completed() == place.store.failed() == set()


def test_a_result_names_the_code_that_its_run_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = this_code().model_copy(update={"commit": "c0ffee", "dirty": True, "note": None})
    monkeypatch.setattr(code._Own, "code", None)
    train = Training.run

    def train_and_edit(training: Training, *hooks: Callable[[Training], None]) -> None:
        monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
        train(training, *hooks)

    monkeypatch.setattr(Training, "run", train_and_edit)
    place = Place(tmp_path, spec_of(epochs=1), code=known)  # as its runner knows it, which may have git alone
    assert place.run() == 0
    assert place.result().provenance.code == known
    assert place.result().provenance.origin()["code"] == ["c0ffee+uncommitted"]


def test_a_worker_with_other_code_than_its_runner_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, spec_of(), code=this_code().model_copy(update={"digest": "sha256:another"}))
    assert place.run() == EXIT_UNUSABLE
    assert "has changed since this command was started; start it again" in capsys.readouterr().err
    assert not place.folder.attempts.exists()
    assert nothing_is_blamed(place)


@pytest.mark.parametrize("place_of", [lambda root: Place(root, spec_of()), lambda root: cost_place(root)])
def test_code_that_changes_while_a_worker_loads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place_of: Callable[[Path], Place]
) -> None:
    monkeypatch.setattr("benchmark.training.cost.measure", lambda *_: ({}, {}))
    monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
    place = place_of(tmp_path)
    assert place.run() == EXIT_UNUSABLE
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)


@pytest.mark.parametrize("module", ["benchmark.training.loop", "torchvision.models"])
def test_what_can_not_be_imported_is_no_fault_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    network = Network(family="resnet_imagenet", depth=18) if module == "torchvision.models" else WRN
    place = Place(tmp_path, spec_of().model_copy(update={"network": network}))
    monkeypatch.setitem(sys.modules, module, None)
    assert place.run() == EXIT_UNUSABLE
    assert "torch, or what goes with it, can't be imported (ModuleNotFoundError" in capsys.readouterr().out
    assert place.attempts() == ["start", "unusable"]
    assert nothing_is_blamed(place)
