import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.execution.executors import local
from benchmark.execution.executors.contract import Handle, Need, Order
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.run_folder import LEASH_VARIABLE, worker_command
from benchmark.system.hardware import Device
from benchmark.system.nvidia import Gpu
from benchmark.system.paths import PACKAGE
from benchmark.system.pids import machine
from tests.made import GPU_A, GPU_B, machine_with

CPU = Device("cpu", "a CPU", "a reason")


class FakeProcess:
    """What Popen was asked for, and a process that runs until it is told to end."""

    started: list["FakeProcess"] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self.command, self.options = command, options
        self.environment: dict[str, str] = options["env"]
        self.status: int | None = None
        self.signals: list[int] = []
        self.log = Path(options["stdout"].name)
        self.pid = 10**8 + len(FakeProcess.started)
        self.cores = os.sched_getaffinity(0)
        FakeProcess.started.append(self)

    def poll(self) -> int | None:
        return self.status

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    FakeProcess.started = []
    monkeypatch.setattr("subprocess.Popen", FakeProcess)
    monkeypatch.setattr(local, "cores_of_others", frozenset)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return FakeProcess.started


def need(memory_gib: float = 1.0, *, threads: int = 1, alone: bool = False, gpus: float = 0.0) -> Need:
    return Need(memory_gib=memory_gib, gpus=gpus, threads=threads, alone=alone)


def order(root: Path, name: str, takes: Need) -> Order:
    (root / name).mkdir(exist_ok=True)
    command = tuple(worker_command(root / name))
    environment = {"OMP_NUM_THREADS": str(takes.threads)}
    return Order(
        run_id=name, folder=root / name, command=command, environment=environment, log=root / name / "log", need=takes
    )


def start(executor: LocalExecutor, root: Path, name: str, takes: Need | None = None) -> tuple[Handle, FakeProcess]:
    [handle] = executor.submit([order(root, name, takes or need())])
    assert isinstance(handle, Handle), handle
    return handle, FakeProcess.started[-1]


def fits(executor: LocalExecutor, memory_gib: float = 1.0, **takes: Any) -> bool:
    return executor.room_for([need(memory_gib, **takes)]) == [0]


def ended(executor: LocalExecutor, handle: Handle, process: FakeProcess, status: int = 0) -> None:
    process.status = status
    assert executor.poll([handle])[handle].exit_status == status


def gpu_of(process: FakeProcess) -> Gpu:
    return next(gpu for gpu in (GPU_A, GPU_B) if gpu.uuid == process.environment["CUDA_VISIBLE_DEVICES"])


def on_cores(count: int, memory_gib: float = 100.0, **options: Any) -> LocalExecutor:
    return LocalExecutor(CPU, {None: memory_gib}, range(count), **options)


def on_gpus(
    monkeypatch: pytest.MonkeyPatch, count: int, *, free: Mapping[str, float] | None = None, **options: Any
) -> LocalExecutor:
    machine_with(monkeypatch, *(GPU_A, GPU_B)[:count])
    monkeypatch.setattr(local, "usable_cores", lambda: tuple(range(64)))
    monkeypatch.setattr(local, "cores", lambda: 64)
    monkeypatch.setattr(local, "free_gib", lambda: free or {})
    return LocalExecutor.on_this_machine(**options)


def room(executor: LocalExecutor, takes: Need) -> int:
    return len(executor.room_for([takes] * 100))


# ------------------------------------------------------------------ room


@pytest.mark.parametrize(
    ("cores", "threads", "jobs", "runs"),
    [
        (8, 1, None, 8),
        (8, 2, None, 4),
        (8, 3, None, 2),
        (2, 4, None, 1),
        (8, 1, 3, 3),
        (2, 1, 5, 5),  # asked for is asked for
    ],
)
def test_room_on_a_processor(cores: int, threads: int, jobs: int | None, runs: int) -> None:
    assert room(on_cores(cores, jobs=jobs), need(threads=threads)) == runs


def test_the_cores_are_those_that_a_containers_quota_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch)
    monkeypatch.setattr(local, "usable_cores", lambda: (4, 5, 6, 7))
    monkeypatch.setattr(local, "cores", lambda: 3)
    executor = LocalExecutor.on_this_machine()
    assert [*executor.cores] == [4, 5, 6]
    monkeypatch.setattr(local, "usable_cores", tuple)  # the system does not say
    assert room(LocalExecutor.on_this_machine(), need(0.001)) == 3


@pytest.mark.parametrize(("share", "jobs", "runs"), [(1, None, 2), (1 / 3, None, 6), (1 / 3, 4, 4), (0.4, None, 4)])
def test_room_on_gpus(monkeypatch: pytest.MonkeyPatch, share: float, jobs: int | None, runs: int) -> None:
    executor = on_gpus(monkeypatch, 2, jobs=jobs)
    assert executor.describe().kind == "cuda"
    assert room(executor, need(gpus=share)) == runs


def test_runs_on_gpus_do_not_outnumber_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = on_gpus(monkeypatch, 2)
    executor.cores = range(3)
    assert room(executor, need(gpus=1 / 64)) == 3
    executor.jobs = 9
    assert room(executor, need(gpus=1 / 64)) == 9


def test_the_processor_beside_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_gpus(monkeypatch, 2, device="cpu").describe().kind == "cpu"


def test_a_gpu_where_there_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--device cuda"):
        on_gpus(monkeypatch, 0, device="cuda")


def test_a_place_is_free_again_when_its_run_ended(tmp_path: Path) -> None:
    executor = on_cores(2)
    handle, process = start(executor, tmp_path, "a")
    assert fits(executor)
    start(executor, tmp_path, "b")
    assert not fits(executor)
    assert executor.submit([order(tmp_path, "c", need())]) == ["there is no room for it now"]
    ended(executor, handle, process, 75)
    assert fits(executor)


# ------------------------------------------------------------------ cores


def test_no_two_workers_share_a_core(tmp_path: Path) -> None:
    if len(mine := sorted(os.sched_getaffinity(0))) < 2:
        pytest.skip("needs two cores")
    executor = LocalExecutor(CPU, {None: 100}, mine[:2])
    handle, first = start(executor, tmp_path, "a")
    _, second = start(executor, tmp_path, "b")
    assert (first.cores, second.cores) == ({mine[0]}, {mine[1]})
    ended(executor, handle, first)
    assert start(executor, tmp_path, "c")[1].cores == {mine[0]}
    assert sorted(os.sched_getaffinity(0)) == mine, "the runner itself may use them all"


def test_cores_of_other_programs_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if len(mine := sorted(os.sched_getaffinity(0))) < 2:
        pytest.skip("needs two cores")
    monkeypatch.setattr(local, "cores_of_others", lambda: frozenset(mine[:1]))
    executor = LocalExecutor(CPU, {None: 100}, mine[:2])
    assert [start(executor, tmp_path, name)[1].cores for name in "ab"] == [{mine[1]}, {mine[0]}]


def test_a_measurement_is_kept_to_no_core(tmp_path: Path) -> None:
    executor = LocalExecutor(CPU, {None: 100}, sorted(os.sched_getaffinity(0)))
    assert start(executor, tmp_path, "a", need(alone=True))[1].cores == os.sched_getaffinity(0)


# ------------------------------------------------------------------ memory


def test_runs_share_the_memory(tmp_path: Path) -> None:
    executor = on_cores(5, memory_gib=10)
    start(executor, tmp_path, "a", need(4))
    assert fits(executor, 6)
    assert not fits(executor, 6.1)
    handle, second = start(executor, tmp_path, "b", need(4))
    assert not fits(executor, 4)
    assert executor.room_for([need(4), need(2), need(1)]) == [1], "what can't start holds up none behind it"
    ended(executor, handle, second)
    assert fits(executor, 4)


def test_a_lone_run_always_may() -> None:
    assert fits(on_cores(2, memory_gib=10), 1000)


def test_the_machines_memory_is_not_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch)
    monkeypatch.setattr(local, "memory_available_gib", lambda: 100.0)
    assert 50 < LocalExecutor.on_this_machine().memory_gib[None] < 100


def test_runs_share_what_each_gpu_has_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_gpus(monkeypatch, 2, free={GPU_A.uuid: 10, GPU_B.uuid: 20})
    assert executor.describe().memory_gib == 9
    assert fits(executor, 1000, gpus=0.1)  # alone on its GPU
    started = [start(executor, tmp_path, name, need(6, gpus=0.1)) for name in "abcd"]
    assert [gpu_of(process) for _, process in started] == [GPU_A, GPU_B, GPU_B, GPU_B]  # 9 and 18 of them
    assert not fits(executor, 3.1, gpus=0.1)
    assert fits(executor, 3, gpus=0.1)
    ended(executor, *started[1])
    assert fits(executor, 6, gpus=0.1)


def test_a_gpu_whose_memory_is_not_known_is_bounded_by_shares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_gpus(monkeypatch, 1)
    assert executor.describe().memory_gib is None
    start(executor, tmp_path, "a", need(1000, gpus=0.5))
    assert fits(executor, 1000, gpus=0.5)
    start(executor, tmp_path, "b", need(1000, gpus=0.5))
    assert not fits(executor, 1, gpus=0.1)


def test_a_run_may_have_a_device_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor = on_gpus(monkeypatch, 2)
    part = need(gpus=1 / 3)
    first, _ = start(executor, tmp_path, "a", part)
    alone, process = start(executor, tmp_path, "b", need(gpus=1.0, alone=True))
    assert gpu_of(process) == GPU_B
    _, beside = start(executor, tmp_path, "c", part)
    assert gpu_of(beside) == GPU_A  # nothing comes beside the one,
    assert not fits(executor, gpus=1.0, alone=True)  # and it comes beside nothing
    states = executor.poll([first, alone])
    assert (states[first].beside, states[alone].beside) == (1, 0)
    processor = on_cores(3)
    start(processor, tmp_path, "d", need(alone=True))
    assert not fits(processor)


# ------------------------------------------------------------------ what a worker is started with


def test_the_worker_command(tmp_path: Path) -> None:
    _, process = start(on_cores(4), tmp_path, "a", need(threads=3))
    assert process.command == (sys.executable, "-P", str(PACKAGE / "entry" / "start.py"), str(tmp_path / "a"))
    assert process.options["cwd"] == tmp_path / "a"
    assert process.log == tmp_path / "a" / "log"
    assert process.options["start_new_session"]  # Ctrl-C reaches the runner alone
    assert process.environment["OMP_NUM_THREADS"] == "3"
    assert process.environment["PATH"] == os.environ["PATH"]
    assert process.environment[LEASH_VARIABLE] == str(os.getpid())
    assert "CUDA_VISIBLE_DEVICES" not in process.environment


def test_without_a_leash_workers_outlive_their_runner(tmp_path: Path) -> None:
    executor = on_cores(1, leashed=False)
    assert LEASH_VARIABLE not in start(executor, tmp_path, "a")[1].environment
    assert executor.describe().outlives_driver
    assert not on_cores(1).describe().outlives_driver


def test_no_worker_binds_itself_to_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that do so sit on the same ones: each counts from the machine's first."""
    binding = ("OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY", "KMP_HW_SUBSET", "GOMP_CPU_AFFINITY")
    for name in binding:
        monkeypatch.setenv(name, "something")
    _, process = start(on_cores(1), tmp_path, "a")
    assert process.environment.keys().isdisjoint(binding)


def test_each_run_sees_its_gpu_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # in whatever order CUDA has them
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    expected = [GPU_A.uuid, GPU_B.uuid] * 2
    executor, half = on_gpus(monkeypatch, 2), need(gpus=0.5)
    started = [start(executor, tmp_path, name, half) for name in "abcd"]
    assert [process.environment["CUDA_VISIBLE_DEVICES"] for _, process in started] == expected
    assert {process.environment["CUDA_DEVICE_ORDER"] for _, process in started} == {"PCI_BUS_ID"}
    ended(executor, *started[1])
    _, next_one = start(executor, tmp_path, "e", half)
    assert next_one.environment["CUDA_VISIBLE_DEVICES"] == expected[1]  # the free one


def test_a_gpu_to_avoid_gets_no_more_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executor, half = on_gpus(monkeypatch, 2), need(gpus=0.5)
    started = [start(executor, tmp_path, name, half) for name in "abcd"]
    assert executor.avoid(started[0][0])
    ended(executor, *started[0])
    ended(executor, *started[1])
    assert start(executor, tmp_path, "e", half)[1].environment["CUDA_VISIBLE_DEVICES"] == GPU_B.uuid
    assert not fits(executor, gpus=0.5)
    assert not executor.avoid(started[1][0]), "nothing is left"
    assert not fits(executor, gpus=0.5)


# ------------------------------------------------------------------ signals and strangers


@pytest.mark.parametrize(("kill", "numbers"), [(False, [signal.SIGTERM, signal.SIGCONT]), (True, [signal.SIGKILL])])
def test_cancelling_reaches_the_workers_named(tmp_path: Path, kill: bool, numbers: list[int]) -> None:
    executor = on_cores(3)
    started = [start(executor, tmp_path, name) for name in "abc"]
    ended(executor, *started[0])
    executor.cancel([handle for handle, _ in started[:2]], kill=kill)
    assert [process.signals for _, process in started] == [[], numbers, []]  # SIGCONT for one that was stopped


def test_nothing_is_known_of_another_machines_worker() -> None:
    executor, there = on_cores(1), Handle(engine="local", place="elsewhere", job="1 2 cpu")
    assert executor.poll([there])[there].phase == "unknown"
    executor.cancel([there], kill=True)
    executor.adopt(there, need())
    assert fits(executor)


def test_a_pid_that_is_another_process_now_has_ended() -> None:
    executor, gone = on_cores(1), Handle(engine="local", place=machine(), job=f"{os.getpid()} 17 cpu")
    assert executor.poll([gone])[gone].phase == "ended"
    executor.cancel([gone], kill=True)  # and is not killed
