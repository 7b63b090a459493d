"""What this machine is said to be."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark import hardware
from benchmark.errors import UserError
from benchmark.hardware import device_kind, device_name, gpu_models

Gpus = Callable[..., None]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpus]:
    """A machine with GPUs of some models, of which the environment shows some."""

    def call(*models: str, visible: str | None = None) -> None:
        for number, model in enumerate(models):
            (tmp_path / str(number)).mkdir()
            (tmp_path / str(number) / "information").write_text(f"Model: \t {model}\nIRQ:   11\n")
        monkeypatch.setattr(hardware, "_GPUS", tmp_path)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        gpu_models.cache_clear()

    yield call
    gpu_models.cache_clear()


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, ("A", "B")),
        ("1", ("B",)),
        ("1, 0", ("B", "A")),
        ("3", ()),
        ("0,3,1", ("A",)),  # CUDA stops at the first that isn't there
        ("0,-1,1", ("A",)),
        ("", ()),
        ("GPU-8932f937", ("GPU-8932f937",)),
    ],
)
def test_gpus_are_seen_as_cuda_sees_them(gpus: Gpus, visible: str | None, seen: tuple[str, ...]) -> None:
    gpus("A", "B", visible=visible)
    assert gpu_models() == seen


def test_without_a_gpu_none_is_seen_whatever_is_asked_for(gpus: Gpus) -> None:
    gpus(visible="0,GPU-8932f937")
    assert gpu_models() == ()
    assert (device_kind(), device_name()) == ("cpu", hardware.cpu_model())
    with pytest.raises(UserError, match="--device cuda"):
        device_kind("cuda")


def test_the_device_is_the_one_asked_for(gpus: Gpus) -> None:
    gpus("A", "B")
    assert (device_kind(), device_name()) == (device_kind("cuda"), device_name("cuda")) == ("cuda", "A")
    assert (device_kind("cpu"), device_name("cpu")) == ("cpu", hardware.cpu_model())


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="this system keeps no /proc/stat")
def test_work_shows_in_the_processor_time() -> None:
    start = hardware.processor_time()
    own = time.process_time()
    while time.process_time() < own + 0.3:
        pass
    end = hardware.processor_time()
    assert start is not None
    assert end is not None
    assert end.own - start.own >= 0.25  # counted in ticks of 10 ms
    assert end.busy - start.busy >= 0.25
    assert end.withheld >= start.withheld


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where control groups lie; this process is in the outermost alone."""
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   16777216 kB\n")
    monkeypatch.setattr(hardware, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(hardware, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(hardware, "_OWN_GROUPS", tmp_path / "own")
    return tmp_path / "cgroup"


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.mark.parametrize(
    ("limit", "used", "gib"),
    [("max", "5368709120", 16.0), ("8589934592", "6442450944", 3.0), ("85899345920", "0", 16.0), (None, None, 16.0)],
)
@pytest.mark.parametrize("version", [1, 2])
def test_free_memory_is_that_within_a_containers_limit(
    version: int, limit: str | None, used: str | None, gib: float, groups: Path
) -> None:
    if limit is not None and version == 2:
        write(groups, memory__max=limit, memory__current=used, memory__stat="anon 5\ninactive_file 1073741824")
    elif limit is not None:
        bound = {"max": 2**63 - 4096}.get(limit, limit)  # which version 1 says where there is none
        files = {"memory__limit_in_bytes": bound, "memory__usage_in_bytes": used}
        write(groups / "memory", **files, memory__stat="inactive_file 7\ntotal_inactive_file 1073741824")
    assert hardware.memory_available_gib() == gib


@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [
        ("max", 100000, 16),
        (100000, 100000, 1),
        (250000, 100000, 2),  # never more than it feeds
        (30000, 100000, 1),
        (6400000, 100000, 16),
        (50000, 0, 16),
        ("", "", 16),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_cores_are_those_within_a_containers_quota(
    version: int, quota: object, period: object, cores: int, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert hardware.cores() == 16
    if version == 2:
        write(groups, cpu__max=f"{quota} {period}")
    else:
        write(groups / "cpu", cpu__cfs_quota_us=-1 if quota == "max" else quota, cpu__cfs_period_us=period)
    assert hardware.cores() == cores


def test_the_tightest_of_all_groups_around_counts(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Slurm has it: a job's group lies within its user's."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)
    for path, quota in (("", "max"), ("a", 300000), ("a/b", 800000), ("other", 100000)):
        write(groups / path, cpu__max=f"{quota} 100000")
    write(groups / "a" / "b", memory__max=2**31, memory__current=2**30, memory__stat="inactive_file 0")
    (groups.parent / "own").write_text("3:cpuset:/other\n0::/a/b\n")
    assert hardware.cores() == 3
    assert hardware.memory_available_gib() == 1
    (groups.parent / "own").write_text("0::/../other\n")  # outside of what a container sees
    assert hardware.cores() == 16
    write(groups / "cpu" / "job", cpu__cfs_quota_us=200000, cpu__cfs_period_us=100000)
    (groups.parent / "own").write_text("4:cpu,cpuacct:/job\n0::/\n")
    assert hardware.cores() == 2


def test_where_the_system_does_not_say_four_gib_are_free(groups: Path) -> None:
    (groups.parent / "meminfo").unlink()
    assert hardware.memory_available_gib() == 4
