"""What the runs of an invocation take of a site."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark.execution.executors.contract import Need, Site
from benchmark.planning.estimates import Spec, device_memory_gib
from benchmark.planning.pace import Pace
from benchmark.runs.spec import CostSpec, run_id, with_seed

#: Of a GPU's memory, at least: smaller shares save nothing, and their number is bounded by the cores anyway.
_SMALLEST_SHARE = 1 / 64


@dataclass(frozen=True)
class Needs:
    """How needs are reckoned.

    Attributes:
        site: where runs are placed.
        pace: how long they take there.
        graphs: whether trainings replay recorded steps.
        runs_per_gpu: how many share a GPU; None for as many as its memory holds.
        measured: GiB of runs of which another seed was measured, by the id of seed 0.
    """

    site: Site
    pace: Pace
    graphs: bool = False
    runs_per_gpu: int | None = 1
    measured: Mapping[str, float] = field(default_factory=dict)

    def of(self, spec: Spec) -> Need:
        """What one run takes; a cost run wants its device for itself."""
        gpu = self.site.kind == "cuda"
        memory_gib = self.measured.get(run_id(with_seed(spec, 0))) or device_memory_gib(
            spec, gpu=gpu, graphs=self.graphs
        )
        seconds = self.pace.seconds(spec)
        alone = isinstance(spec, CostSpec)
        return Need(
            memory_gib=memory_gib,
            gpus=0.0 if not gpu else 1.0 if alone else self._share(memory_gib),
            threads=spec.numerics.threads,
            minutes=None if seconds is None else seconds / 60,
            alone=alone,
        )

    def _share(self, memory_gib: float) -> float:
        if self.runs_per_gpu is not None:
            return 1 / self.runs_per_gpu
        whole = self.site.memory_gib
        return 1.0 if whole is None else min(1.0, max(memory_gib / whole, _SMALLEST_SHARE))
