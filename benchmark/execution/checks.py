"""Whether a device can do what runs ask of it."""

from collections.abc import Callable, Iterable

from benchmark.errors import UserError
from benchmark.system.environment import can_record
from benchmark.system.hardware import cpu_has_bf16


def check_precision(kind: str, precisions: Iterable[str], warn: Callable[[str], object]) -> None:
    """Whether a device computes in these precisions itself; warns of one that it does slowly.

    Raises:
        UserError: tf32 on a processor, which would be fp32 under another name.
    """
    wanted = set(precisions)
    if kind == "cpu" and "tf32" in wanted:
        raise UserError("precision tf32: a processor has none, only NVIDIA GPUs do; take fp32")
    if kind == "cpu" and "bf16" in wanted and not cpu_has_bf16():
        warn("warning: this processor has no bf16 of its own; expect ten times the time of fp32")


def check_graphs(kind: str, compiled: bool) -> None:
    """Whether steps of these runs can be recorded.

    Raises:
        UserError: they can't: on a processor, or where the compiler records its own.
    """
    if not can_record(kind):
        raise UserError("--graphs: a processor records no steps, only NVIDIA GPUs do; leave the option out")
    if compiled:
        raise UserError("--graphs: compiled steps are in graphs of the compiler's own; leave the option out")
