import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.execution.executors import local
from benchmark.execution.executors.local import LocalExecutor, Slot
from benchmark.execution.run_folder import (
    EXIT_INTERRUPTED,
    EXIT_NO_DEVICE,
    EXIT_NO_JOB,
    EXIT_NO_ROOM,
    EXIT_UNUSABLE,
    LEASH_VARIABLE,
    RunFolder,
)
from benchmark.system.nvidia import Gpu
from benchmark.system.paths import PACKAGE
from tests.made import GPU_A, GPU_B, machine_with


class FakeProcess:
    """What Popen was asked for, and a process that runs until it is told to end."""

    started: list["FakeProcess"] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, command: list[str], **options: Any) -> None:
        self.command, self.options = command, options
        self.environment: dict[str, str] = options["env"]
        self.status: int | None = None
        self.signals: list[int] = []
        self.log = Path(options["stdout"].name)
        FakeProcess.started.append(self)

    def poll(self) -> int | None:
        return self.status

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    FakeProcess.started = []
    monkeypatch.setattr("subprocess.Popen", FakeProcess)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return FakeProcess.started


def start(
    executor: LocalExecutor,
    root: Path,
    name: str,
    *,
    memory_gib: float = 1.0,
    threads: int = 1,
    alone: bool = False,
) -> FakeProcess:
    (root / name).mkdir()
    executor.start(name, RunFolder(root / name), memory_gib, threads, alone=alone)
    return FakeProcess.started[-1]


def gpu_of(process: FakeProcess) -> Gpu:
    return next(gpu for gpu in (GPU_A, GPU_B) if gpu.uuid == process.environment["CUDA_VISIBLE_DEVICES"])


def on_machine(
    monkeypatch: pytest.MonkeyPatch,
    *,
    gpus: int = 0,
    cores: int = 8,
    memory_gib: float = 100.0,
    free: Mapping[str, float] | None = None,
    **options: Any,
) -> LocalExecutor:
    machine_with(monkeypatch, *(GPU_A, GPU_B)[:gpus])
    monkeypatch.setattr(local, "cores", lambda: cores)
    monkeypatch.setattr(local, "free_gib", lambda: free or {})
    monkeypatch.setattr(local, "memory_available_gib", lambda: memory_gib)
    return LocalExecutor.on_this_machine(**options)


# ------------------------------------------------------------------ slots


@pytest.mark.parametrize(
    ("cores", "options", "slots"),
    [
        (8, {}, 8),
        (8, {"threads": 2}, 4),
        (8, {"threads": 3}, 2),
        (2, {"threads": 4}, 1),
        (8, {"jobs": 3}, 3),
        (2, {"jobs": 5}, 5),  # asked for is asked for
    ],
)
def test_slots_of_a_processor(monkeypatch: pytest.MonkeyPatch, cores: int, options: dict[str, Any], slots: int) -> None:
    executor = on_machine(monkeypatch, cores=cores, **options)
    assert executor.device == "cpu"
    assert len(set(executor.slots)) == len(executor.slots) == slots
    assert {slot.gpu for slot in executor.slots} == {None}


def test_slots_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = on_machine(monkeypatch, gpus=2, runs_per_gpu=3)
    assert executor.device == "cuda"
    assert [slot.gpu for slot in executor.slots] == [GPU_A, GPU_B] * 3  # every GPU has one before any has two
    assert len(set(executor.slots)) == 6
    assert len(on_machine(monkeypatch, gpus=2, runs_per_gpu=3, jobs=4).slots) == 4
    assert on_machine(monkeypatch, gpus=2, device="cpu").device == "cpu"


def test_a_gpu_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--device cuda"):
        on_machine(monkeypatch, device="cuda")


def test_a_slot_is_free_again_when_its_run_ended(tmp_path: Path) -> None:
    executor = LocalExecutor("cpu", [Slot(None, 0), Slot(None, 1)], memory_gib=100)
    first = start(executor, tmp_path, "a")
    assert executor.fits(1)
    start(executor, tmp_path, "b")
    assert not executor.fits(1)
    assert executor.ended() == {}
    first.status = 75
    assert executor.ended() == {"a": 75}
    assert executor.ended() == {}  # told once
    assert executor.fits(1)


# ------------------------------------------------------------------ memory


def test_runs_share_the_memory(tmp_path: Path) -> None:
    executor = LocalExecutor("cpu", [Slot(None, n) for n in range(5)], memory_gib=10)
    start(executor, tmp_path, "a", memory_gib=4)
    assert executor.fits(6)
    assert not executor.fits(6.1)
    second = start(executor, tmp_path, "b", memory_gib=4)
    assert not executor.fits(4)
    second.status = 0
    executor.ended()
    assert executor.fits(4)


def test_a_lone_run_always_may(tmp_path: Path) -> None:
    executor = LocalExecutor("cpu", [Slot(None, 0), Slot(None, 1)], memory_gib=10)
    assert executor.fits(1000)


def test_the_machines_memory_is_not_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 50 < on_machine(monkeypatch, memory_gib=100.0).memory_gib < 100


def test_runs_share_what_each_gpu_has_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_machine(monkeypatch, gpus=2, runs_per_gpu=16, memory_gib=1.0, free={GPU_A.uuid: 10, GPU_B.uuid: 20})
    assert executor.fits(1000)  # alone on its GPU
    started = [start(executor, tmp_path, name, memory_gib=6) for name in "abcd"]
    assert [gpu_of(process) for process in started] == [GPU_A, GPU_B, GPU_B, GPU_B]  # 9 and 18 of them
    assert not executor.fits(3.1)
    assert executor.fits(3)
    started[1].status = 0
    executor.ended()
    assert executor.fits(6)


def test_a_gpu_whose_memory_is_not_known_is_bounded_by_its_slots(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    executor = on_machine(monkeypatch, gpus=1, runs_per_gpu=2)
    start(executor, tmp_path, "a", memory_gib=1000)
    assert executor.fits(1000)
    start(executor, tmp_path, "b", memory_gib=1000)
    assert not executor.fits(1)


def test_a_run_may_have_a_device_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_machine(monkeypatch, gpus=2, runs_per_gpu=3)
    start(executor, tmp_path, "a")
    assert gpu_of(start(executor, tmp_path, "b", alone=True)) == GPU_B
    assert gpu_of(start(executor, tmp_path, "c")) == GPU_A  # nothing comes beside it,
    assert not executor.fits(1, alone=True)  # and it comes beside nothing
    assert executor.sharing("a") == {"c"}
    assert executor.sharing("b") == set()
    on_cores = on_machine(monkeypatch, cores=3)
    start(on_cores, tmp_path, "d", alone=True)
    assert not on_cores.fits(1)


# ------------------------------------------------------------------ what a worker is started with


def test_the_worker_command(tmp_path: Path) -> None:
    executor = LocalExecutor("cpu", [Slot(None, 0)], memory_gib=10)
    process = start(executor, tmp_path, "a", threads=3)
    assert process.command == [sys.executable, "-P", str(PACKAGE / "entry" / "start.py"), str(tmp_path / "a")]
    assert process.options["cwd"] == tmp_path / "a"
    assert process.log == tmp_path / "a" / "log.txt"
    assert process.options["start_new_session"]  # Ctrl-C reaches the runner alone
    assert process.environment["OMP_NUM_THREADS"] == process.environment["MKL_NUM_THREADS"] == "3"
    assert process.environment["PATH"] == os.environ["PATH"]
    assert process.environment[LEASH_VARIABLE] == str(os.getpid())
    assert "CUDA_VISIBLE_DEVICES" not in process.environment


def test_no_worker_binds_itself_to_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that do so sit on the same ones: each counts from the machine's first."""
    binding = ("OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY", "KMP_HW_SUBSET", "GOMP_CPU_AFFINITY")
    for name in binding:
        monkeypatch.setenv(name, "something")
    environment = start(LocalExecutor("cpu", [Slot(None, 0)], memory_gib=10), tmp_path, "a").environment
    assert environment.keys().isdisjoint(binding)


def test_the_log_is_added_to(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log.txt").write_text("the first attempt\n")
    executor = LocalExecutor("cpu", [Slot(None, 0)], memory_gib=10)
    executor.start("a", RunFolder(tmp_path / "a"), 1.0, 1)
    assert FakeProcess.started[-1].options["stdout"].mode == "ab"
    assert (tmp_path / "a" / "log.txt").read_text() == "the first attempt\n"


def test_each_slot_sees_its_gpu_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # in whatever order CUDA has them
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    expected = [GPU_A.uuid, GPU_B.uuid] * 2
    executor = on_machine(monkeypatch, gpus=2, runs_per_gpu=2)
    started = [start(executor, tmp_path, name) for name in "abcd"]
    assert [process.environment["CUDA_VISIBLE_DEVICES"] for process in started] == expected
    assert {process.environment["CUDA_DEVICE_ORDER"] for process in started} == {"PCI_BUS_ID"}
    started[1].status = 0
    executor.ended()
    assert start(executor, tmp_path, "e").environment["CUDA_VISIBLE_DEVICES"] == expected[1]  # the free one


def test_a_gpu_that_is_unusable_gets_no_more_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_machine(monkeypatch, gpus=2, runs_per_gpu=2)
    started = [start(executor, tmp_path, name) for name in "abcd"]
    started[0].status = EXIT_NO_DEVICE
    started[1].status = EXIT_INTERRUPTED
    executor.ended()
    assert {slot.gpu for slot in executor.slots} == {GPU_B}
    assert start(executor, tmp_path, "e").environment["CUDA_VISIBLE_DEVICES"] == GPU_B.uuid
    assert not executor.fits(1)


@pytest.mark.parametrize("status", [EXIT_NO_JOB, EXIT_UNUSABLE, EXIT_NO_ROOM])
def test_where_nothing_can_be_trained_nothing_more_is(tmp_path: Path, status: int) -> None:
    executor = LocalExecutor("cpu", [Slot(None, n) for n in range(3)], memory_gib=10)
    first = start(executor, tmp_path, "a")
    start(executor, tmp_path, "b")
    first.status = status
    assert executor.ended() == {"a": status}
    assert not executor.slots
    assert not executor.fits(1)
    assert executor.ended() == {}  # the other one goes on


@pytest.mark.parametrize(("kill", "numbers"), [(False, [signal.SIGTERM, signal.SIGCONT]), (True, [signal.SIGKILL])])
def test_stopping_reaches_every_worker(tmp_path: Path, kill: bool, numbers: list[int]) -> None:
    executor = LocalExecutor("cpu", [Slot(None, n) for n in range(3)], memory_gib=10)
    started = [start(executor, tmp_path, name) for name in "abc"]
    started[0].status = 0
    executor.ended()
    executor.stop(kill=kill)
    assert [process.signals for process in started] == [[], numbers, numbers]  # SIGCONT for one that was stopped


def test_one_worker_is_killed_and_the_others_go_on(tmp_path: Path) -> None:
    executor = LocalExecutor("cpu", [Slot(None, n) for n in range(2)], memory_gib=10)
    started = [start(executor, tmp_path, name) for name in "ab"]
    executor.kill("b")
    assert [process.signals for process in started] == [[], [signal.SIGKILL]]
