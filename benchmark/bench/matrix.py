"""The matrix of a bench: eager, recorded and compiled steps in each precision, the most wanted first.

Each combination has a process of its own, so that one that crashes, hangs or is refused takes none of the others along;
compiled steps have one for each method. What is not measured says why.
"""

import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from benchmark.bench.epochs import measure_epochs
from benchmark.bench.measure import VARIANTS, cost_spec
from benchmark.bench.setup import Numbers, Setup
from benchmark.bench.traffic import bandwidth, step_bytes
from benchmark.data.standin import standin
from benchmark.errors import DeviceError, RunError
from benchmark.system.environment import can_record
from benchmark.system.helper import Helper
from benchmark.training.cost import measure
from benchmark.training.device import GpuSession
from benchmark.training.loop import apply_numerics

METHODS = [variant.name for variant in VARIANTS]
#: What stands in a cell's ``state``; beside all but the first stands ``why``.
MEASURED = "measured"
REFUSED, FAILED, TIMED_OUT, NOT_REACHED = "refused", "failed", "timed out", "not reached"
#: Part of the budget that one combination may take: one that hangs leaves the others the rest.
SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Combination:
    """What one process measures.

    Attributes:
        mode: ``eager``, ``graph``, ``compiled``; or ``loops``, the epochs beside the reference loop.
        precision: of the steps.
        methods: their names.
    """

    mode: str
    precision: str = ""
    methods: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """In words, for people."""
        if self.mode == "loops":
            return "epochs beside the reference loop"
        only = f", {self.methods[0]}" if len(self.methods) == 1 else ""
        return f"{self.mode} steps in {self.precision}{only}"


def combinations_of(methods: Sequence[str] = METHODS) -> list[Combination]:
    """All of them in order."""
    order = [(mode, precision) for precision in ("bf16", "fp32") for mode in ("eager", "graph")]
    together = [
        Combination(mode, precision, tuple(methods))
        for mode, precision in [*order, ("graph", "tf32"), ("eager", "tf32")]
    ]
    apart = [Combination("compiled", precision, (name,)) for precision in ("bf16", "fp32", "tf32") for name in methods]
    return [*together, Combination("loops"), *apart]


class _TimeOverError(RunError):
    pass


class Matrix:
    """Measures the combinations one after the other.

    Args:
        setup: on what; its precision, ``compiled`` and ``graphs`` are each combination's own.
        budget_min: minutes for all of it; None for no bound.
        began: when they began, by the clock :func:`time.monotonic`.
        say: hears what is going on.
        write: gets all that is known after each combination.
        combinations: what to measure.
    """

    def __init__(
        self,
        setup: Setup,
        budget_min: float | None,
        began: float,
        say: Callable[[str], None],
        write: Callable[[Numbers], None],
        combinations: Sequence[Combination] = (),
    ) -> None:
        self.setup, self.budget_min, self.say, self.write = setup, budget_min, say, write
        self.open = deque(combinations or combinations_of())
        self.ends = began + 60 * (budget_min or math.inf)
        self.cells = {
            (one.mode, one.precision, method): _not_measured(NOT_REACHED, "the bench ended before it")
            for one in self.open
            for method in one.methods
        }
        self.loops: Numbers = _not_measured(NOT_REACHED, "the bench ended before it")
        self.begun = False  # whether any combination got as far as the device
        self.bytes: dict[tuple[str, str], int] = {}
        self.bandwidth: float | None = None

    def run(self) -> Numbers:
        """Measure, and write after each combination; returns what was written last.

        Raises:
            DeviceError: PyTorch can't use the GPU, as the first combination found.
        """
        while self.open:
            one = self.open.popleft()
            if why_not := self._why_not(one):
                self._note(one, why_not)
                continue
            self._note(one, self._measured(one))
            self.write(self.numbers())
        self.write(found := self.numbers())
        return found

    def numbers(self) -> Numbers:
        """All that is known by now, with ratios to the baseline of the same mode and precision."""
        cells = []
        for (mode, precision, method), found in self.cells.items():
            cell = {"mode": mode, "precision": precision, "method": method, **found}
            first = self.cells.get((mode, precision, METHODS[0]), {})
            for name, over in (("seconds_per_step", "time_over_baseline"), ("memory_mib", "memory_over_baseline")):
                if name in found and name in first:
                    cell[over] = found[name] / first[name]
            moved = self.bytes.get((precision, method))
            if "seconds_per_step" in found and moved and self.bandwidth:
                cell["eager_bytes_per_step"] = moved
                cell["share_of_bandwidth_limit"] = moved / self.bandwidth / found["seconds_per_step"]
            cells.append(cell)
        return {
            "budget_min": self.budget_min,
            "bytes_per_second": self.bandwidth,
            "cells": cells,
            "loops": self.loops,
        }

    def _why_not(self, one: Combination) -> Numbers | None:
        """Why one is not even begun."""
        if one.precision == "tf32" and self.setup.device == "cpu":
            return _not_measured(REFUSED, "a processor has no tf32, only NVIDIA GPUs do")
        if one.mode == "graph" and not can_record(self.setup.device):
            return _not_measured(REFUSED, "a processor records no steps, only NVIDIA GPUs do")
        if one.mode == "loops" and len(self.setup.backbone.stage_channels) != 3:
            return _not_measured(REFUSED, "the reference loop knows CIFAR's networks of three stages")
        if time.monotonic() >= self.ends:
            return _not_measured(NOT_REACHED, f"the {self.budget_min:g} minutes of --budget-min were over")
        return None

    def _measured(self, one: Combination) -> Numbers:
        """What came of one: a block of numbers a method, or why there is none."""
        began = time.monotonic()
        limit = min(self.ends - began, 60 * SHARE * (self.budget_min or math.inf))

        def check() -> None:
            if time.monotonic() > began + limit:
                raise _TimeOverError(f"took more than {limit:.0f} seconds, what the budget had left for it")

        self.say(one.label)
        try:
            if one.mode == "loops":
                return {"state": MEASURED, **measure_epochs(self.setup, lambda text: self.say(f"  {text}"), check)}
            return self._steps(one, check)
        except _TimeOverError as error:
            return _not_measured(TIMED_OUT, str(error))
        except MemoryError:
            if len(one.methods) > 1:  # the largest alone may be what does not fit
                self.open.extendleft(dataclasses.replace(one, methods=(name,)) for name in reversed(one.methods))
            return _not_measured(FAILED, "there is too little memory for it")
        except (DeviceError, RunError) as error:
            if isinstance(error, DeviceError) and not self.begun:  # then no other can use it either
                raise
            return _not_measured(FAILED, str(error))

    def _steps(self, one: Combination, check: Callable[[], None]) -> Numbers:
        setup = dataclasses.replace(
            self.setup, precision=one.precision, compiled=one.mode == "compiled", graphs=one.mode == "graph"
        )
        with Helper(one.label[0].upper() + one.label[1:], cells_of, setup, one.methods) as helper:
            found: Numbers = helper.ask(check)
            self.begun = True
            try:
                moved, speed = helper.ask(check)
            except (MemoryError, RunError) as error:  # the times stand without it
                self.say(f"  the bytes of its steps are not counted: {error}")
            else:
                self.bytes |= {(one.precision, method): count for method, count in moved.items()}
                self.bandwidth = max(speed, self.bandwidth or 0)
        return found

    def _note(self, one: Combination, found: Numbers) -> None:
        if found["state"] != MEASURED:
            self.say(f"not measured: {one.label}: {found['why']}")
        if one.mode == "loops":
            self.loops = found
        for method in one.methods:
            self.cells[one.mode, one.precision, method] = found.get("methods", {}).get(method, found)


def cells_of(setup: Setup, methods: Sequence[str]) -> Iterator[Any]:
    """In a process of its own: the steps' time and memory; then the bytes they move, and the memory's speed."""
    device = torch.device(setup.device)
    gpu = GpuSession() if device.type == "cuda" else None
    spec = cost_spec(setup, [variant for variant in VARIANTS if variant.name in methods], setup.batch_size)
    apply_numerics(spec.numerics)
    data = standin(spec.dataset)
    blocks, how = measure(spec, data, device, graphs=setup.graphs)
    shared = {"state": MEASURED, **{key: how[key] for key in ("memory_kind", "steps", "steps_in_a_row")}}
    if gpu:
        shared["gpu"] = gpu.until_now(runs_beside=0)
    per_method = ("step_seconds", "page_faults_per_step", "system_share")
    yield {
        "state": MEASURED,
        "methods": {
            name: {**shared, **_own(block), **{key: how[key][name] for key in per_method if key in how}}
            for name, block in blocks.items()
        },
    }
    eager = spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"compiled": False})})
    yield step_bytes(eager, data, device), bandwidth(device)


def _own(block: dict[str, float]) -> dict[str, float]:
    """Without the ratios to a first method, which may be another one in each process."""
    return {name: value for name, value in block.items() if not name.endswith("_overhead_percent")}


def _not_measured(state: str, why: str) -> Numbers:
    return {"state": state, "why": why}
