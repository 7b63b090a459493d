"""What NVIDIA's driver says of its GPUs, and how CUDA reads which of them to use; without torch."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

#: How long nvidia-smi may take; without persistence mode it wakes every GPU up first.
ASK_SECONDS = 20.0


@dataclass(frozen=True)
class Gpu:
    """A GPU as its driver describes it.

    Attributes:
        name: its model.
        uuid: ``GPU-…``; empty where only /proc is there to ask, and it does not know yet.
        memory_mib: all of its memory; None where the driver does not say.
        driver: the driver's version; None likewise.
        index: its place in the order of the PCI bus, counted from 0.
    """

    name: str
    uuid: str
    memory_mib: int | None
    driver: str | None
    index: int

    @property
    def visible(self) -> str:
        """What CUDA_VISIBLE_DEVICES calls it: its UUID, else its index."""
        return self.uuid or str(self.index)


def ask_nvidia_smi(fields: str, *, within: float | None = None) -> tuple[list[list[str]], str]:
    """One row a GPU, with a text for each of the fields; and what to tell people where there is no row.

    There is none where nvidia-smi is missing, hangs, or says something else.

    Args:
        fields: names of its ``--query-gpu``, with commas between them.
        within: how long it may take, in seconds; None for :data:`ASK_SECONDS`.
    """
    within = within or ASK_SECONDS
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
        )
    except FileNotFoundError:
        return [], "nvidia-smi isn't here"
    except OSError as error:
        return [], f"nvidia-smi can't be started ({error.strerror})"
    try:
        said, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()  # and not waited for: what hangs in a driver can't be killed
        if process.stdout:
            process.stdout.close()
        return [], f"nvidia-smi did not answer in {within:g} s"
    lines = [line for line in said.splitlines() if line.strip()]
    rows = [[part.strip() for part in line.split(",")] for line in lines]
    first = " ".join(lines[0].split())[:80] if lines else "it says nothing"
    return [row for row in rows if len(row) == len(fields.split(","))], f"nvidia-smi names none ({first})"


def gpus_of_nvidia_smi() -> tuple[list[Gpu], str]:
    """The GPUs that nvidia-smi names, in the order of the PCI bus; and what to tell people where it names none."""
    rows, otherwise = ask_nvidia_smi("index,uuid,name,memory.total,driver_version")
    found = [
        Gpu(name, uuid, int(memory) if memory.isdecimal() else None, driver, int(index))
        for index, uuid, name, memory, driver in rows
        if index.isdecimal() and uuid.startswith("GPU-") and name
    ]
    return found, otherwise


def visible_to_cuda(variable: str, found: Sequence[Gpu]) -> list[Gpu]:
    """The GPUs that CUDA_VISIBLE_DEVICES shows, as CUDA reads it.

    Indices in the order of the PCI bus, or UUIDs and beginnings of them that fit one GPU only. What stands behind a
    bad entry is not seen either, and a GPU named twice means that none is.
    """
    seen: list[Gpu] = []
    parts = [part.strip() for part in variable.split(",")]
    for part in parts:
        number = re.match(r"\+?\d+", part)
        if parts[0].startswith("GPU-"):  # the first entry says what all are
            fitting = [gpu for gpu in found if part.startswith("GPU-") and gpu.uuid.startswith(part)]
        else:
            fitting = [gpu for gpu in found if number and gpu.index == int(number.group())]
        if len(fitting) != 1:
            break
        if fitting[0] in seen:
            return []
        seen += fitting
    return seen


def free_gib() -> dict[str, float]:
    """Memory that each GPU has free now, by UUID; without those of which nvidia-smi does not say."""
    rows, _ = ask_nvidia_smi("uuid,memory.free")
    return {uuid: int(mib) / 1024 for uuid, mib in rows if mib.isdecimal()}


def clocks_and_temperature(uuid: str) -> dict[str, int | None] | None:
    """What a GPU is at now: MHz of its multiprocessors and its memory, and degrees Celsius; None where nobody says."""
    names = ("sm_mhz", "memory_mhz", "celsius")
    rows, _ = ask_nvidia_smi("uuid,clocks.sm,clocks.mem,temperature.gpu", within=5.0)
    for whose, *values in rows:
        if whose == uuid:
            numbers = [int(value) if value.isdecimal() else None for value in values]
            return dict(zip(names, numbers, strict=True))
    return None
