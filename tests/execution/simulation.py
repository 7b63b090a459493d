"""What the driver itself takes of a processor, with store and run folders; only engine and clock are played.

``python -m tests.execution.simulation 10000 500`` is the measurement in docs/performance.md.
"""

import functools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmark.execution import driver
from benchmark.execution.driver import Outcome, Request, drive
from benchmark.execution.fleet import Clock
from benchmark.execution.places import store_of
from benchmark.execution.progress import PlainView
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.totals import Totals
from benchmark.suites.profiles import load_variant
from benchmark.system.hardware import cpu_model
from tests.execution.simulated import Faults, Simulated, Time

#: What is measured, by the functions that do it; those of one name follow each other, none is within another.
PHASES: dict[str, list[tuple[Any, str]]] = {
    "planning": [(driver, "load"), (driver, "_sound_plan"), (driver, "_needs"), (driver, "_refuse")],
    "preparing": [(driver, "_prepare")],
    "taking over": [(Scheduler, "_take_over")],
    "submitting": [(Scheduler, "_start_what_fits")],
    "polling and collecting": [(Scheduler, "_see_to_what_ended")],
    "listing the store": [(Scheduler, "_list_now_and_then")],
    "telling how far it is": [(Totals, "tell")],
}


class Measured:
    """Seconds of the processor by phase, without those for playing workers; memory as runs are started."""

    def __init__(self, engine: Simulated) -> None:
        self.engine = engine
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.mib: list[float] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        with ExitStack() as stack:
            for phase, functions in PHASES.items():
                for place, name in functions:
                    timed = self._timed(phase, getattr(place, name))
                    stack.enter_context(patch.object(place, name, timed))
            yield

    def _timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            began, own = time.process_time(), self.engine.own_s
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[phase] += time.process_time() - began - (self.engine.own_s - own)

        return call


def resident_mib() -> float:
    """Of this process, now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def simulate(root: Path, trials: int, slots: int, *, seconds: float = 600.0) -> tuple[Outcome, Measured, float]:
    """Everything that smoke runs of the paper's suites ask for, with so many seeds."""
    request = Request(
        suites=("all",),
        variant=load_variant("smoke", ()),
        trials=trials,
        results_dir=root / "results",
        reports_dir=root / "reports",
        scratch_dir=root / "scratch",
    )
    clock, draw = Time(), random.Random(0)
    store = store_of(request.variant, request.results_dir)
    engine = Simulated(clock, store, slots=slots, seconds=lambda _: draw.uniform(0.5, 1.5) * seconds, faults=Faults())
    measured = Measured(engine)

    def sleep(duration: float) -> None:
        clock.sleep(duration)
        if len(engine.submitted) >= (len(measured.mib) + 1) * slots:
            measured.mib.append(resident_mib())

    began = time.process_time()
    with measured.watching():
        outcome = drive(
            request,
            engine,
            lambda: PlainView(lambda _: None),
            print,
            print,
            clock=Clock(clock.now, sleep),
        )
    return outcome, measured, time.process_time() - began - engine.own_s


def main(runs: int, slots: int) -> None:
    """Print how long which part took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome, measured, whole = simulate(Path(folder), -(-runs // 66), slots)
    print(f"{outcome.summary.completed} runs on {slots} places, {cpu_model()}; seconds of the processor")
    for phase in PHASES:
        print(f"{phase:<24}{measured.seconds[phase]:8.1f} s")
    print(f"{'all of the driver':<24}{whole:8.1f} s; playing workers {measured.engine.own_s:.1f} s, left out")
    print(f"{'by the clock':<24}{time.monotonic() - began:8.1f} s, workers and a busy machine included")
    first, last = measured.mib[len(measured.mib) // 4], measured.mib[-1]
    print(f"resident memory {first:.0f} MiB after a quarter, {last:.0f} MiB at the last start")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]))
