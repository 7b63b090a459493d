"""What this machine is, read without torch."""

import contextlib
import os
import platform
import re
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmark.errors import DeviceError
from benchmark.system.nvidia import Gpu, gpus_of_nvidia_smi, visible_to_cuda

_GPUS = Path("/proc/driver/nvidia/gpus")
_DRIVER, _DEV = Path("/proc/driver/nvidia/version"), Path("/dev")
_MEMINFO, _CGROUP, _OWN_GROUPS = Path("/proc/meminfo"), Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Device:
    """What runs compute on.

    Attributes:
        kind: ``cpu`` or ``cuda``.
        name: the model of the processor, or of the first GPU.
        why: how it came to be this one.
    """

    kind: str
    name: str
    why: str

    def __str__(self) -> str:
        """``on the processor, AMD EPYC (AVX-512): nvidia-smi isn't here``."""
        if self.kind == "cpu":
            return f"on the processor, {self.name}: {self.why}"
        names = [gpu.name for gpu in gpus()]
        place = "the GPU" if len(names) == 1 else f"{len(names)} GPUs"
        return f"on {place}, {' and '.join(dict.fromkeys(names))}: {self.why}"


def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs this process may use, in the order of CUDA_VISIBLE_DEVICES or else of the PCI bus."""
    return _gpus()[0]


def gpu_memory_gib() -> float | None:
    """All memory of the largest of these GPUs; None where there is none, or the driver does not say."""
    known = [gpu.memory_mib for gpu in gpus() if gpu.memory_mib is not None]
    return max(known) / 1024 if known else None


def chosen_device(wanted: str = "auto") -> Device:
    """What an option ``--device`` comes to on this machine, and why.

    Raises:
        DeviceError: a GPU is asked for where there is none.
    """
    if wanted == "cpu":
        return Device("cpu", cpu_model(), "--device cpu")
    found, why = _gpus()
    if found:
        return Device("cuda", found[0].name, why)
    if wanted == "cuda":
        raise DeviceError(
            f"--device cuda: this machine shows no NVIDIA GPU ({why}); leave the option out to use the processor"
        )
    return Device("cpu", cpu_model(), why)


def device_kind(wanted: str = "auto") -> str:
    """``cpu`` or ``cuda``, of the :func:`chosen_device`."""
    return chosen_device(wanted).kind


def device_name(wanted: str = "auto") -> str:
    """The model of the :func:`chosen_device`."""
    return chosen_device(wanted).name


def seeing_only(gpu: Gpu) -> dict[str, str]:
    """The environment of a process that is to compute on this GPU alone."""
    return {"CUDA_VISIBLE_DEVICES": gpu.visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@cache
def _gpus() -> tuple[tuple[Gpu, ...], str]:
    """The GPUs that may be used, and what says so or why there are none; the driver is asked once a process."""
    found, otherwise = gpus_of_nvidia_smi()
    why = "found by nvidia-smi"
    if not found:
        found, listed = _gpus_of_proc()
        why = f"found in {_GPUS} and {_DEV}; {otherwise}" if found else otherwise
        if listed and not found:
            why += f", and what {_GPUS} lists has no device in {_DEV}"
    variable = os.environ.get("CUDA_VISIBLE_DEVICES")
    if variable is None or not found:
        return tuple(found), why
    if variable.strip().startswith("MIG-"):
        return (), f"CUDA_VISIBLE_DEVICES={variable!r} names a part of a GPU (MIG), and only whole ones are supported"
    seen = visible_to_cuda(variable, found)
    return tuple(seen), f"CUDA_VISIBLE_DEVICES={variable!r} shows {len(seen)} of {len(found)}"


def _gpus_of_proc() -> tuple[list[Gpu], bool]:
    """The GPUs with an entry in /proc and a device in /dev; and whether /proc lists any at all.

    The entries alone may be those of a container's host.
    """
    entries, driver = [], ""
    with contextlib.suppress(OSError):
        entries = [path.read_text(errors="replace") for path in sorted(_GPUS.glob("*/information"))]
        driver = _DRIVER.read_text()
    version = re.search(r"\d+\.\d+(\.\d+)?", driver)
    found: list[Gpu] = []
    for number, text in enumerate(entries):
        facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
        if facts.get("Model") and (_DEV / f"nvidia{facts.get('Device Minor', number)}").exists():
            uuid = facts.get("GPU UUID", "")
            uuid = uuid if uuid.startswith("GPU-") and "?" not in uuid else ""
            found.append(Gpu(facts["Model"], uuid, None, version.group() if version else None, len(found)))
    return found, bool(entries)


@cache
def cpu_model() -> str:
    """Model name of the processor; some virtual machines hide it, so the instruction sets stand beside it."""
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    flags = _cpuinfo("flags").split()
    sets = [label for flag, label in (("amx_bf16", "AMX"), ("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags]
    return f"{name} ({sets[0]})" if sets else name


@cache
def cpu_has_bf16() -> bool:
    """Whether the processor multiplies in bf16 itself; elsewhere bf16 is many times slower than fp32."""
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(_cpuinfo("flags", "Features").split())


def _cpuinfo(*fields: str) -> str:
    """The first processor's line of that name; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(fields)), "")


def cores() -> int:
    """Processor cores that this process may keep busy: those it may run on, within a container's quota."""
    found: list[float] = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    for group, names in _groups("cpu.max", "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # no quota: "max"
            quota, period = (int(word) for name in names for word in (group / name).read_text().split())
            found += [quota / period] if quota > 0 else []  # version 1 says -1 for none
    return max(1, int(min(found)))


def memory_available_gib() -> float:
    """Memory that new processes could take, in GiB, within a container's own limit; 4 where the system does not say."""
    free: list[float] = []
    with contextlib.suppress(OSError):
        lines = _MEMINFO.read_text().splitlines()
        free += [int(line.split()[1]) / 2**20 for line in lines if line.startswith("MemAvailable")]
    names1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    for group, names in _groups("memory.max memory.current", "memory", *names1):
        with contextlib.suppress(OSError, ValueError):  # no limit: "max", or in version 1 more than any machine has
            limit, used = (int((group / name).read_text()) for name in names)
            counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            cached = int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))  # gives way
            free.append((limit - used + cached) / 2**30)
    return min(free, default=4.0)


def _groups(names: str, controller: str, *names1: str) -> Iterator[tuple[Path, Sequence[str]]]:
    """The control groups around this process, each with the files to read there.

    Args:
        names: of version 2, with spaces between them.
        controller: of version 1.
        names1: of version 1.
    """
    try:
        own = [line.split(":", 2)[1:] for line in _OWN_GROUPS.read_text().splitlines()]
    except OSError:
        own = []
    for top, wanted, files in ((_CGROUP, "", names.split()), (_CGROUP / controller, controller, names1)):
        path = next((path for found, path in own if wanted in found.split(",")), "/")
        parts = [] if ".." in path else Path(path).parts[1:]  # a path outside of what a container sees
        for depth in range(len(parts) + 1):
            yield top.joinpath(*parts[:depth]), files


def process_peak_mib() -> float:
    """Peak resident memory of this process in MiB.

    Linux keeps it by address space; ``getrusage`` would carry a parent's peak over into a child.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


@dataclass(frozen=True)
class ProcessorTime:
    """Processor time since some start, all cores together, in seconds.

    Attributes:
        busy: wanted by somebody, whether they got it or not.
        withheld: what the host of a virtual machine gave to others instead.
        own: what this process and its ended children got.
    """

    busy: float
    withheld: float
    own: float


def processor_time() -> ProcessorTime | None:
    """Of this machine until now; ``None`` where the system does not say."""
    try:
        words = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        seconds = [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in words]
        user, nice, system, _, _, interrupts, soft_interrupts, steal = seconds
    except (OSError, ValueError, IndexError):
        return None
    return ProcessorTime(
        busy=user + nice + system + interrupts + soft_interrupts + steal,
        withheld=steal,
        own=sum(os.times()[:4]),
    )
