"""How long runs take on a device, by what was measured there, and how long all of them still do.

`plan`, `status` and the progress bar all ask :class:`Pace`, so they say the same. What a run takes is scaled from the
nearest thing that was measured on the device: what runs under way show, completed results and benches. Where nothing
was, a table of one processor stands in.
"""

import heapq
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from benchmark.planning.estimates import (
    FORWARD,
    TABLE_DEVICE,
    Spec,
    image_work,
    relative_work,
    test_images,
    train_images,
)
from benchmark.runs.axes import Method, Network, Numerics
from benchmark.runs.spec import STEPS_IN_A_ROW, CostSpec, TrainSpec

#: From a worker's start to its first step, in seconds (docs/performance.md).
START_SECONDS = 3.0
#: Seconds of an epoch's evaluation on a GPU, at least; reckoned from its kernel launches, not measured.
GPU_EVALUATION_SECONDS = 0.12
#: Seconds of steps that a run must show before its pace counts.
_SHOWN = 1.0

#: Where a pace comes from, the one believed first where several are as near.
UNDER_WAY, BENCH, RESULTS, TABLE = "under way", "bench", "results", "table"
_SOURCES = (UNDER_WAY, BENCH, RESULTS)
_EXACT = {
    UNDER_WAY: "by the pace of runs under way",
    BENCH: "from a bench of this device",
    RESULTS: "by the pace of completed results of this device",
}
_SCALED = {
    UNDER_WAY: "scaled from runs under way of another kind",
    BENCH: "scaled from a bench of this device, of another network, method, batch or precision",
    RESULTS: "scaled from completed results of this device of another network, method, batch or precision",
}
_TABLE_HERE = (
    "by the built-in table, measured on this processor: of 28 runs of ResNet-11 26 took 0.9 to 1.7 times as long, two "
    "2.8 times"
)
_TABLE_ELSEWHERE = (
    f"by the built-in table of another processor, {TABLE_DEVICE}: up to four times too much for a fast one, too "
    "little for a slow one"
)


class Kind(NamedTuple):
    """What the pace of a run depends on beside its device, in the order of what matters most."""

    precision: str
    compiled: bool
    graphs: bool
    network: tuple[str, int, int | None]
    rotations: int
    carried: tuple[int, int]  # views that go on, from which stage
    heads: tuple[int, int, bool]  # classifiers, masked views, distillation
    batch_size: int
    image_size: int


def kind_of(
    network: Network, method: Method, numerics: Numerics, *, batch_size: int, image_size: int, graphs: bool
) -> Kind:
    """The kind of steps of this description."""
    masks = method.masks
    return Kind(
        precision=numerics.precision,
        compiled=numerics.compiled,
        graphs=graphs and not numerics.compiled,
        network=(network.family, network.depth, network.width),
        rotations=method.rotations,
        carried=(masks.views, masks.carry_from) if masks and masks.carry_from else (0, 0),
        heads=(method.classifiers, masks.views if masks else 0, method.distillation),
        batch_size=batch_size,
        image_size=image_size,
    )


class Seen(NamedTuple):
    """One pace that was measured on the device.

    Attributes:
        kind: of what.
        rate: seconds over the built-in table's core-seconds; times the threads that it took, on a processor.
        source: where.
    """

    kind: Kind
    rate: float
    source: str


@dataclass(frozen=True)
class Open:
    """A run that is not done yet.

    Attributes:
        spec: what it is.
        done: finished part, 0 to 1.
        seconds: what its steps took for that.
        running: whether it is under way now.
        beside: the most runs that its last attempt shared its device with; None where it never began.
        graphs: whether it replays recorded steps, which it may not do though it was asked to.
    """

    spec: Spec
    done: float = 0.0
    seconds: float = 0.0
    running: bool = False
    beside: int | None = None
    graphs: bool = False


def at_once(runs: Sequence[Open], devices: int, otherwise: int) -> int:
    """How many runs go on at once: as many as do, or did before they were interrupted; else what one expects.

    Args:
        runs: the open ones.
        devices: GPUs that runs are spread over; 1 for the processor.
        otherwise: where none of them ever began.
    """
    running = sum(run.running for run in runs)
    beside = [run.beside for run in runs if run.beside is not None]
    return max(running, devices * (1 + max(beside))) if beside else otherwise


@dataclass(frozen=True)
class Pace:
    """Estimates of time for one device.

    Attributes:
        device: its model.
        gpu: whether it is one.
        graphs: whether trainings are to replay recorded steps.
        seen: what was measured on it.
    """

    device: str
    gpu: bool = False
    graphs: bool = False
    seen: Sequence[Seen] = ()

    def with_progress(self, runs: Iterable[Open]) -> "Pace":
        """The same with what these runs have shown by now."""
        shown = [
            self.seen_training(run.spec, run.seconds, run.done, source=UNDER_WAY, graphs=run.graphs)
            for run in runs
            if isinstance(run.spec, TrainSpec) and run.done > 0 and run.seconds >= _SHOWN
        ]
        return replace(self, seen=[*self.seen, *shown])

    def seconds(self, spec: Spec) -> float | None:
        """How long a run takes by itself, from its start; None where nobody has measured the device."""
        step = self.step_seconds(spec)
        if step is None:
            return None
        if isinstance(spec, CostSpec):
            baseline = image_work(spec.network, Method(), spec.dataset.image_size) * spec.batch_size
            steps = spec.steps * STEPS_IN_A_ROW["cuda" if self.gpu else "cpu"]
            return START_SECONDS + step * relative_work(spec.model_copy(update={"steps": steps})) / baseline
        full, rest = divmod(train_images(spec), spec.schedule.batch_size)
        evaluation = FORWARD * step * test_images(spec) / spec.schedule.batch_size
        if self.gpu:
            last = self.step_seconds(spec, graphs=False) or step  # never recorded
            epoch = full * step + (last if rest else 0) + max(evaluation, GPU_EVALUATION_SECONDS)
        else:
            epoch = (full + rest / spec.schedule.batch_size) * step + evaluation
        return START_SECONDS + spec.schedule.epochs * epoch

    def step_seconds(self, spec: Spec, *, graphs: bool | None = None) -> float | None:
        """Of a full batch; of a cost run's first method taken for a baseline. ``graphs`` other than the pace's own."""
        kind = self._kind(spec, graphs)
        found = self._nearest(kind)
        if found is None and self.gpu:
            return None
        rate = found[0] if found else 1.0
        method = spec.method if isinstance(spec, TrainSpec) else Method()
        return rate * image_work(spec.network, method, spec.dataset.image_size) * kind.batch_size / self._threads(spec)

    def left(self, runs: Sequence[Open], at_once: int) -> float | None:
        """About how long these runs take from now on, so many at once; None where nobody has measured the device."""
        ends = [0.0] * max(1, at_once)
        for run in sorted(runs, key=lambda run: not run.running):  # stable: the others follow in their order
            whole = self.seconds(run.spec)
            if whole is None:
                return None
            steps = (whole - START_SECONDS) * (1 - run.done)
            heapq.heappush(ends, heapq.heappop(ends) + steps + (0.0 if run.running else START_SECONDS))
        return max(ends)

    def basis(self, specs: Iterable[Spec]) -> str:
        """Where the times of these runs come from and how far off they may be."""
        counts = Counter(self._source(spec) for spec in specs)
        if not counts:
            return "nothing is left"
        many = len(counts) > 1
        return "; ".join(f"{f'{count} of the runs ' * many}{text}" for text, count in counts.most_common())

    def _kind(self, spec: Spec, graphs: bool | None = None) -> Kind:
        return kind_of(
            spec.network,
            spec.method if isinstance(spec, TrainSpec) else Method(),
            spec.numerics,
            batch_size=spec.batch_size if isinstance(spec, CostSpec) else spec.schedule.batch_size,
            image_size=spec.dataset.image_size,
            graphs=(self.graphs and isinstance(spec, TrainSpec)) if graphs is None else graphs,
        )

    @cached_property
    def _known(self) -> dict[Kind, tuple[float, str, bool] | None]:
        return {}

    def _nearest(self, kind: Kind) -> tuple[float, str, bool] | None:
        """The rate that is nearest, its source, and whether it is of that very kind."""
        if kind not in self._known:
            self._known[kind] = self._look(kind)
        return self._known[kind]

    def _look(self, kind: Kind) -> tuple[float, str, bool] | None:
        if not self.seen:
            return None

        def apart(seen: Seen) -> tuple[int | bool, ...]:
            return (*(one != other for one, other in zip(seen.kind, kind, strict=True)), _SOURCES.index(seen.source))

        nearest = min(map(apart, self.seen))
        rates = [seen.rate for seen in self.seen if apart(seen) == nearest]
        return statistics.median(rates), _SOURCES[nearest[-1]], not any(nearest[:-1])

    def _source(self, spec: Spec) -> str:
        found = self._nearest(self._kind(spec))
        if found is None and self.gpu:
            return "unknown, as nobody has measured this GPU: `run_suite.py bench` does"
        if found is None:
            table = _TABLE_HERE if self.device == TABLE_DEVICE else _TABLE_ELSEWHERE
            return f"{table} (`run_suite.py bench` measures)"
        _, source, exact = found
        return (_EXACT if exact else _SCALED)[source]

    def seen_training(self, spec: TrainSpec, seconds: float, done: float = 1.0, *, source: str, graphs: bool) -> Seen:
        """The pace of a training whose steps, replayed or not, took so long for that part of it."""
        images = done * spec.schedule.epochs * train_images(spec)
        work = images * image_work(spec.network, spec.method, spec.dataset.image_size)
        return Seen(self._kind(spec, graphs), seconds * self._threads(spec) / work, source)

    def _threads(self, spec: Spec) -> int:
        return 1 if self.gpu else spec.numerics.threads
