"""Whether the device that a run was given can be computed on."""

import warnings

import torch

from benchmark.errors import DeviceError, is_out_of_memory


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
