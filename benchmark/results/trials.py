"""Which completed runs a cell can read; every result file is opened at most once."""

from collections import defaultdict
from dataclasses import dataclass

from benchmark.errors import StoreError
from benchmark.results.plausible import is_number, problem_of
from benchmark.results.store import Result, Store
from benchmark.runs.metrics import EPOCHS, from_accuracy, of_epoch
from benchmark.runs.spec import CostSpec, TrainSpec, run_id, with_seed, words_and_seed


@dataclass(frozen=True)
class Scored:
    """Completed trials that have one prediction's scores, by seed, and the files of those that lack them."""

    results: tuple[Result, ...]
    lacking: tuple[str, ...]


def score(result: Result, reads: str, epoch: str, metric: str) -> float:
    """One trial's ``accuracy`` or ``error`` in percent, of its ``last`` or ``best`` epoch."""
    return from_accuracy(float(result.metrics[of_epoch(reads, epoch)]), metric)


class Trials:
    """The completed runs of a store as they were when this was made.

    Args:
        store: the results of one profile.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.names = sorted(store.completed())
        self._loaded: dict[str, Result | None] = {}
        self._found: dict[str, list[Result]] = {}
        self._names: dict[str, list[str]] = {}
        self._known = set(self.names)
        self._seeds: dict[str, set[int]] = defaultdict(set)
        for name in self.names:
            words, seed = words_and_seed(name)
            if seed is not None:
                self._seeds[words].add(seed)

    def of(self, spec: TrainSpec) -> list[Result]:
        """Every completed trial of an entry that can be counted, by seed."""
        first = run_id(with_seed(spec, 0))
        if first not in self._found:
            self._found[first] = [result for name in self._trial_names(spec) if (result := self._load(name))]
        return self._found[first]

    def scored(self, spec: TrainSpec, reads: str) -> Scored:
        """Trials of an entry whose prediction ``reads`` has a number for its last and its best epoch."""
        keys = [of_epoch(reads, epoch) for epoch in EPOCHS]
        trials = self.of(spec)
        fits = [all(is_number(result.metrics.get(key)) for key in keys) for result in trials]
        return Scored(
            tuple(result for result, fit in zip(trials, fits, strict=True) if fit),
            tuple(f"{result.run_id}.json" for result, fit in zip(trials, fits, strict=True) if not fit),
        )

    def has(self, spec: TrainSpec | CostSpec) -> bool:
        """Whether a run's result is there and counts; a measurement's on whatever device it was made."""
        if isinstance(spec, CostSpec):
            return self.cost(spec) is not None
        name = run_id(spec)
        return name in self._known and self._load(name) is not None

    def not_counted(self, spec: TrainSpec | CostSpec) -> list[str]:
        """The files of an entry or measurement that count as missing."""
        names = self._cost_names(spec) if isinstance(spec, CostSpec) else self._trial_names(spec)
        return [f"{name}.json" for name in names if self._load(name) is None]

    def cost(self, spec: CostSpec) -> Result | None:
        """The measurement of these variants, on whatever device it was made; None where there is none.

        A report is written wherever the result files are, so it can't ask for this machine's own device.
        Of several devices the fastest stands in the table; the same files give the same report everywhere.
        """
        found = [result for name in self._cost_names(spec) if (result := self._load(name))]
        fitting = [result for result in found if _same_but_device(result.spec, spec)]
        return min(fitting, key=_slowness, default=None)

    def _trial_names(self, spec: TrainSpec) -> list[str]:
        first = run_id(with_seed(spec, 0))
        if first not in self._names:
            # Hashing is the slow part: only seeds that stand behind the same words are tried.
            words, _ = words_and_seed(first)
            ids = [run_id(with_seed(spec, seed)) for seed in sorted(self._seeds.get(words, ()))]
            self._names[first] = [name for name in ids if name in self._known]
        return self._names[first]

    def _cost_names(self, spec: CostSpec) -> list[str]:
        words = words_and_seed(run_id(spec))
        return [name for name in self.names if words_and_seed(name) == words]

    def _load(self, name: str) -> Result | None:
        if name not in self._loaded:
            try:
                result = self.store.load(name)
            except StoreError:  # one damaged file costs its own trial, never a report
                self._loaded[name] = None
            else:  # early results have no checksum: an edit shows where their numbers contradict each other
                self._loaded[name] = None if problem_of(result) else result
        return self._loaded[name]


def _same_but_device(found: TrainSpec | CostSpec, spec: CostSpec) -> bool:
    return isinstance(found, CostSpec) and found.model_copy(update={"device": spec.device}) == spec


def _slowness(result: Result) -> tuple[float, str]:
    blocks = [block for block in result.metrics.values() if isinstance(block, dict)]
    seconds = [block.get("seconds_per_step") for block in blocks]
    return sum(value for value in seconds if is_number(value)), result.run_id
