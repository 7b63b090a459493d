"""The device of a run: whether it can be computed on, the stream for it, what is noted of it."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from benchmark.errors import DeviceError, is_out_of_memory
from benchmark.system.hardware import chosen_device, gpus, process_peak_mib
from benchmark.system.nvidia import clocks_and_temperature


def require_usable(device: torch.device) -> None:
    """Ask PyTorch once, before anything else is done on a GPU.

    Raises:
        DeviceError: it can't compute there.
    """
    if device.type != "cuda" or (why := _why_unusable(device)) is None:
        return
    raise DeviceError(
        f"PyTorch {torch.__version__} can't use this machine's GPU: {why}; mend its driver, install a PyTorch that "
        "fits it, or take --device cpu"
    )


def _why_unusable(device: torch.device) -> str | None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        told = [" ".join(str(warning.message).split()) for warning in said]
        return told[0] if told else "it sees none" if torch.version.cuda else "it is built without CUDA"
    try:
        torch.zeros(1, device=device).add_(1).item()
    except RuntimeError as error:  # another process has it to itself, or it is too old or too new
        if is_out_of_memory(error):
            raise
        return str(error).partition("\n")[0]
    return None


def own_stream(device: torch.device) -> AbstractContextManager[Any]:
    """One side stream of a GPU for all that a training does, entered before its model is built.

    Then nothing waits for another stream: neither eager steps for graphs nor a gradient for the stream that its
    parameter was first used on.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]


class GpuSession:
    """The GPU that this process computes on, from now on.

    Raises:
        DeviceError: there is none, or PyTorch can't compute there.
    """

    def __init__(self) -> None:
        chosen_device("cuda")
        require_usable(torch.device("cuda"))
        gpu = gpus()[0]
        self._uuid = gpu.uuid
        self._facts = {
            "name": gpu.name,
            "uuid": gpu.uuid,
            "driver": gpu.driver,
            "memory_mib": gpu.memory_mib,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "capability": ".".join(map(str, torch.cuda.get_device_capability())),
            "at_start": clocks_and_temperature(gpu.uuid),
        }

    def until_now(self, runs_beside: int, *, ends: bool = True) -> dict[str, Any]:
        """What provenance says of it.

        Args:
            runs_beside: the most runs of its runner that shared the GPU with it.
            ends: whether the session ends now: clocks are asked for then alone, while nothing waits for the answer.
        """
        silent = self._facts["at_start"] is None  # and is not waited for again
        return {
            **self._facts,
            "at_end": clocks_and_temperature(self._uuid) if ends and not silent else None,
            "runs_beside": runs_beside,
            **_allocator_peaks(),
        }


def peak_memory(device: torch.device) -> dict[str, float]:
    """Peak memory in MiB: of the process, and on a GPU of torch's allocator."""
    return {"process_peak_mib": process_peak_mib(), **(_allocator_peaks() if device.type == "cuda" else {})}


def _allocator_peaks() -> dict[str, float]:
    return {
        "allocated_peak_mib": torch.cuda.max_memory_allocated() / 2**20,
        "reserved_peak_mib": torch.cuda.max_memory_reserved() / 2**20,
    }
