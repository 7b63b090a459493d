"""What this machine is, read without torch (floor 0)."""

import contextlib
import os
import platform
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmark.errors import UserError

_GPUS = Path("/proc/driver/nvidia/gpus")
_MEMINFO, _CGROUP, _OWN_GROUPS = Path("/proc/meminfo"), Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


@cache
def gpu_models() -> tuple[str, ...]:
    """Model names of the NVIDIA GPUs this process may use, in their order; empty where there are none."""
    lines = [line for path in sorted(_GPUS.glob("*/information")) for line in path.read_text().splitlines()]
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(models)
    found = []
    for part in filter(None, map(str.strip, visible.split(","))) if models else ():
        if part == "-1" or (part.isdigit() and int(part) >= len(models)):
            break  # as CUDA does: what stands behind a GPU that isn't there is not seen either
        found.append(models[int(part)] if part.isdigit() else part)
    return tuple(found)


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


def device_kind(wanted: str = "auto") -> str:
    """``cpu`` or ``cuda``: what an option ``--device`` comes to on this machine.

    Raises:
        UserError: a GPU is asked for where there is none.
    """
    if wanted == "cuda" and not gpu_models():
        raise UserError("--device cuda: this machine shows no NVIDIA GPU; leave the option out to use the processor")
    return ("cuda" if gpu_models() else "cpu") if wanted == "auto" else wanted


def device_name(wanted: str = "auto") -> str:
    """The model of the device that runs would use here: the first GPU's, or the processor's.

    Raises:
        UserError: see :func:`device_kind`.
    """
    return gpu_models()[0] if device_kind(wanted) == "cuda" else cpu_model()


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
