"""What this machine is said to be."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.errors import DeviceError
from benchmark.system import hardware, nvidia
from benchmark.system.hardware import chosen_device, device_kind, device_name, gpus, seeing_only
from tests.made import GPU_A, GPU_B, fake_nvidia_smi

Machine = Callable[..., None]

TWO = f"0, {GPU_A.uuid}, NVIDIA A, 40960, 550.54.15\n1, {GPU_B.uuid}, NVIDIA B, 81559, 550.54.15\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What nvidia-smi says, if it is there; which GPUs /proc lists; which have a device; what the environment shows."""

    def call(
        said: str | None = None,
        *,
        status: int = 0,
        listed: tuple[str, ...] = (),
        devices: tuple[int, ...] = (),
        visible: str | None = None,
    ) -> None:
        monkeypatch.setenv("PATH", str(fake_nvidia_smi(tmp_path / "bin", said, status)))
        for name, place in (("_GPUS", "gpus"), ("_DRIVER", "version"), ("_DEV", "dev")):
            monkeypatch.setattr(hardware, name, tmp_path / place)
        for number, information in enumerate(listed):
            (tmp_path / "gpus" / f"0000:0{number}:00.0").mkdir(parents=True)
            (tmp_path / "gpus" / f"0000:0{number}:00.0" / "information").write_text(information)
        (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\n")
        (tmp_path / "dev").mkdir()
        for number in devices:
            (tmp_path / "dev" / f"nvidia{number}").touch()
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return call


def information(model: str, uuid: str, minor: int) -> str:
    return f"Model: \t\t {model}\nIRQ:   \t\t 16\nGPU UUID: \t {uuid}\nDevice Minor: \t {minor}\n"


LISTED = (information("NVIDIA A", GPU_A.uuid, 0), information("NVIDIA B", GPU_B.uuid, 1))


def test_nvidia_smi_is_asked_once(machine: Machine, tmp_path: Path) -> None:
    machine(TWO)
    assert gpus() == gpus() == (GPU_A, GPU_B)
    assert (device_kind(), device_name()) == ("cuda", "NVIDIA A")
    asked = (tmp_path / "bin" / "asked").read_text()
    assert asked == "--query-gpu=index,uuid,name,memory.total,driver_version --format=csv,noheader,nounits\n"


def test_a_processor_that_was_asked_for_asks_no_driver(machine: Machine, tmp_path: Path) -> None:
    machine(TWO)
    assert str(chosen_device("cpu")) == f"on the processor, {hardware.cpu_model()}: --device cpu"
    assert not (tmp_path / "bin" / "asked").exists()


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (TWO, "2 GPUs, NVIDIA A and NVIDIA B"),
        (TWO.replace("NVIDIA B", "NVIDIA A"), "2 GPUs, NVIDIA A"),
        (TWO.splitlines()[0], "the GPU, NVIDIA A"),
        (f"a warning\n{TWO}\0 \x1b[ 3, 4, x, , 5\n, , , ,\n", "2 GPUs, NVIDIA A and NVIDIA B"),
    ],
)
def test_the_gpus_are_named(machine: Machine, said: str, names: str) -> None:
    machine(said)
    assert str(chosen_device()) == str(chosen_device("cuda")) == f"on {names}: found by nvidia-smi"


def test_a_driver_may_not_know_its_memory(machine: Machine) -> None:
    machine(TWO.replace("40960", "[N/A]"))
    assert [gpu.memory_mib for gpu in gpus()] == [None, 81559]


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (None, 0, "nvidia-smi isn't here"),
        ("No devices were found\n", 6, "nvidia-smi names none (No devices were found)"),
        ("", 0, "nvidia-smi names none (it says nothing)"),
        ("x" * 10_000, 9, f"nvidia-smi names none ({'x' * 80})"),
        ("0, 1, 2, 3, 4\n" * 1000, 0, "nvidia-smi names none (0, 1, 2, 3, 4)"),
    ],
)
def test_without_a_gpu_the_processor_is_taken_and_says_why(
    machine: Machine, said: str | None, status: int, why: str
) -> None:
    machine(said, status=status, visible="0,GPU-8932f937")
    assert gpus() == ()
    assert str(chosen_device()) == f"on the processor, {hardware.cpu_model()}: {why}"
    with pytest.raises(DeviceError, match="--device cuda: this machine shows no NVIDIA GPU") as refused:
        chosen_device("cuda")
    assert f"({why})" in str(refused.value)


def test_nvidia_smi_that_hangs_is_not_waited_for(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("hang")
    monkeypatch.setattr(nvidia, "ASK_SECONDS", 0.2)
    started = time.monotonic()
    assert chosen_device().why == "nvidia-smi did not answer in 0.2 s"
    assert time.monotonic() - started < 5


def test_nvidia_smi_says_what_is_free(machine: Machine, tmp_path: Path) -> None:
    machine(f"{GPU_A.uuid}, 40448\n{GPU_B.uuid}, [N/A]\nsomething\n")
    assert nvidia.free_gib() == {GPU_A.uuid: 39.5}
    assert (tmp_path / "bin" / "asked").read_text().startswith("--query-gpu=uuid,memory.free ")


@pytest.mark.parametrize(("visible", "seen"), [("1", "B"), ("0", "")])
def test_an_index_is_the_drivers_and_no_line(machine: Machine, visible: str, seen: str) -> None:
    """Where the driver can't say what GPU 0 is, 1 is still the second."""
    machine(f"0, [Unknown Error], [Unknown Error], 0, 0\n{TWO.splitlines()[1]}\n", visible=visible)
    assert [gpu.name for gpu in gpus()] == [f"NVIDIA {name}" for name in seen]


def test_a_part_of_a_gpu_is_said_not_to_be_supported(machine: Machine) -> None:
    machine(TWO, visible="MIG-c7384736-a75d-5afc-978f-d2f1294409fd")
    assert device_kind() == "cpu"
    assert "names a part of a GPU (MIG), and only whole ones are supported" in str(chosen_device())
    with pytest.raises(DeviceError, match="MIG"):
        chosen_device("cuda")


@pytest.mark.parametrize(("said", "gib"), [(TWO, 81559 / 1024), ("No devices were found\n", None)])
def test_the_largest_gpus_memory(machine: Machine, said: str, gib: float | None) -> None:
    machine(said)
    assert hardware.gpu_memory_gib() == gib


# ------------------------------------------------------------------ where nvidia-smi is missing


def test_without_nvidia_smi_a_gpu_needs_an_entry_and_a_device(machine: Machine) -> None:
    machine(listed=LISTED, devices=(1,))
    (gpu,) = gpus()
    assert (gpu.name, gpu.uuid, gpu.memory_mib, gpu.driver) == ("NVIDIA B", GPU_B.uuid, None, "535.104.05")
    assert "nvidia-smi isn't here" in chosen_device().why


def test_the_list_of_a_containers_host_is_no_gpu(machine: Machine) -> None:
    machine(listed=("Model: \t NVIDIA A\n", *LISTED))
    assert gpus() == ()
    assert "has no device in" in chosen_device().why
    assert "NVIDIA" not in str(chosen_device())


def test_a_device_without_an_entry_is_no_gpu(machine: Machine) -> None:
    machine(listed=("", "IRQ: 11\n"), devices=(0, 1))
    assert gpus() == ()


def test_a_gpu_whose_uuid_is_not_known_goes_by_its_place(machine: Machine) -> None:
    unknown = "GPU-????????-????-????-????-????????????"
    machine(listed=(LISTED[0], information("NVIDIA B", unknown, 1)), devices=(0, 1))
    assert [gpu.uuid for gpu in gpus()] == [GPU_A.uuid, ""]
    assert [seeing_only(gpu) for gpu in gpus()] == [
        {"CUDA_VISIBLE_DEVICES": place, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"} for place in (GPU_A.uuid, "1")
    ]


# ------------------------------------------------------------------ which of them CUDA sees


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, "AB"),
        ("1", "B"),
        ("1, 0", "BA"),
        ("+1,0", "BA"),
        ("3", ""),
        ("0,3,1", "A"),  # CUDA stops at the first that isn't there
        ("0,-1,1", "A"),
        ("0,one,1", "A"),
        ("-1", ""),
        ("", ""),
        (",0", ""),
        ("0,1,0", ""),  # named twice
        (GPU_B.uuid, "B"),
        (f"{GPU_B.uuid},{GPU_A.uuid}", "BA"),
        ("GPU-8932f937-b", "B"),  # as much of it as fits one
        ("GPU-8932f937", ""),
        ("GPU-8932f937-b,GPU-8932f937,GPU-8932f937-a", "B"),
        ("GPU-8932f937-b,0", "B"),  # the first says what all are
        ("0,GPU-8932f937-b", "A"),
        ("GPU-none", ""),
    ],
)
def test_gpus_are_seen_as_cuda_sees_them(machine: Machine, visible: str | None, seen: str) -> None:
    machine(TWO, visible=visible)
    assert [gpu.name for gpu in gpus()] == [f"NVIDIA {name}" for name in seen]
    assert device_name() == (f"NVIDIA {seen[0]}" if seen else hardware.cpu_model())  # a model, never a UUID
    if visible is not None:
        assert chosen_device().why == f"CUDA_VISIBLE_DEVICES={visible!r} shows {len(seen)} of 2"


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
