"""The disk space that runs take, estimated before they start."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.data.archives import PUBLICATIONS
from benchmark.data.places import cache_name, files_folder, glance
from benchmark.planning.estimates import megaparameters, stored_bytes
from benchmark.planning.plan import Plan, PlannedRun
from benchmark.runs.axes import Dataset
from benchmark.runs.spec import TrainSpec

#: Bytes of a weight in a checkpoint: itself and its momentum.
_WEIGHT = 8
#: A checkpoint is written beside the one that it replaces.
_COPIES = 2
#: Bytes of a result: what does not depend on the epochs, and of each epoch its frame and a prediction's number. By the
#: results in this repository, and 300 epochs with nine numbers.
_RESULT, _EPOCH, _PREDICTION = 3500, 110, 35


@dataclass(frozen=True)
class Need:
    """What one kind of files takes.

    Attributes:
        what: which files.
        whole: bytes of all that the open runs want; what is not known counts as nothing.
        there: bytes of it that are there already.
        unknown: sets whose size nobody knows.
    """

    what: str
    whole: int
    there: int
    unknown: tuple[str, ...] = ()

    @property
    def more(self) -> int:
        """Bytes that are still to come."""
        return max(0, self.whole - self.there)

    def __str__(self) -> str:
        """``packed images 184 MB (all there)``."""
        there = "all there" if self.whole and not self.more else f"{_amount(self.there)} there" if self.there else ""
        notes = [*([there] if there else []), *(f"{name} not known" for name in self.unknown)]
        return f"{self.what} {_amount(self.whole)}" + (f" ({', '.join(notes)})" if notes else "")


def disk_needs(
    plan: Plan, *, at_once: int, data_dir: Path | None, cache_dir: Path, run_folders: Path, results: Path
) -> list[Need]:
    """What the open runs of a plan take on the disk, kind by kind.

    Args:
        plan: what is asked for.
        at_once: how many runs have a checkpoint at a time.
        data_dir: where the publishers' files are, or should be; None where nobody said.
        cache_dir: where packed images lie.
        run_folders: where checkpoints do.
        results: where results do.
    """
    sets = {cache_name(run.spec.dataset): run.spec.dataset for run in plan.missing}
    sets = {name: dataset for name, dataset in sets.items() if dataset.source != "standin"}
    return [
        _files(sets.values(), data_dir),
        _packs(sets, cache_dir),
        _checkpoints(plan.missing, at_once, run_folders),
        Need(
            "results",
            sum(map(_result_bytes, plan.runs)),
            _bytes(results / f"{run.run_id}.json" for run in plan.runs if run.done),
        ),
    ]


def in_words(needs: Sequence[Need]) -> str:
    """One line: how much is still to come, then each kind."""
    return f"disk: about {_amount(sum(need.more for need in needs))} more; " + ", ".join(map(str, needs))


def _files(sets: Iterable[Dataset], data_dir: Path | None) -> Need:
    """The publishers' unpacked files; of a folder of one's own nothing is fetched."""
    whole = there = 0
    unknown = set()
    for name in {dataset.name for dataset in sets if dataset.source == "official"}:
        dataset = next(one for one in sets if one.name == name)
        size = _unpacked(dataset)
        if size is None:
            unknown.add(dataset.facts.title)
            continue
        whole += size
        if data_dir is not None and glance(name, data_dir / files_folder(dataset)) == "there":
            there += size
    return Need("publishers' files", whole, there, tuple(sorted(unknown)))


def _unpacked(dataset: Dataset) -> int | None:
    """Pickles hold pixels as they are; compressed images take about what their archive does."""
    if dataset.name.startswith("cifar"):
        return _images(dataset) * (3 * 32**2 + 2)
    return PUBLICATIONS[dataset.name].size


def _packs(sets: dict[str, Dataset], cache_dir: Path) -> Need:
    """Pixels of whole sets, uncompressed, whatever part of them is trained on."""
    whole = there = 0
    unknown = []
    for name, dataset in sets.items():
        found = _bytes((cache_dir / name).glob("*.npy"))
        if not found and not _images(dataset):
            unknown.append(dataset.facts.title)
        whole += found or round(stored_bytes(dataset, _images(dataset)))
        there += found
    return Need("packed images", whole, there, tuple(sorted(unknown)))


def _checkpoints(runs: Sequence[PlannedRun], at_once: int, run_folders: Path) -> Need:
    """Those of the largest networks that may be under way together; each goes when its run is done."""
    weights = sorted(
        (megaparameters(run.spec.network) for run in runs if isinstance(run.spec, TrainSpec)), reverse=True
    )
    whole = round(sum(weights[:at_once]) * 1e6 * _WEIGHT * _COPIES)
    there = _bytes(run_folders / run.run_id / "checkpoint.pt" for run in runs)
    return Need("checkpoints", max(whole, there), there)


def _result_bytes(run: PlannedRun) -> int:
    spec = run.spec
    if not isinstance(spec, TrainSpec):
        return _RESULT
    predictions = 5 + spec.method.distillation  # a baseline says the same number five times
    return _RESULT + spec.schedule.epochs * (_EPOCH + _PREDICTION * predictions)


def _images(dataset: Dataset) -> int:
    return dataset.facts.train_images + dataset.facts.test_images


def _bytes(files: Iterable[Path]) -> int:
    """Of those that are there."""
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total


def _amount(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.{0 if count >= 1e7 else 1}f} MB"
