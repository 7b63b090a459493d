"""Before anything is trained: images packed, and the results that are there held against them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.data.places import cache_name, files_folder
from benchmark.data.source import digest_now, prepare
from benchmark.errors import DataError, StoreError, UserError
from benchmark.planning.plan import PlannedRun
from benchmark.results.store import Store
from benchmark.runs.axes import Dataset
from benchmark.runs.spec import TrainSpec
from benchmark.wording import counted, some


def prepare_data(runs: Sequence[PlannedRun], data_dir: Path | None, cache_dir: Path) -> None:
    """Check and pack every dataset that the runs read, before anything is trained.

    Raises:
        DataError: a set is missing, damaged or not to be read yet.
        UserError: a run could not be trained on as many images as there are.
    """
    counts = {dataset: prepare(dataset, data_dir, cache_dir) for dataset in _datasets(runs)}
    for run in runs:
        if isinstance(run.spec, TrainSpec):
            _refuse_single_image(run.spec, counts[run.spec.dataset])


def _refuse_single_image(spec: TrainSpec, images: int) -> None:
    batch = spec.schedule.batch_size
    if images % batch == 1 and not spec.trains_single_images:
        raise UserError(
            f"schedule.batch_size {batch}: the last batch would be one of the {images} training images of "
            f"{spec.dataset.facts.title}, and {spec.network.label} can't train on a single one of "
            f"{spec.dataset.image_size} pixels (batch norm of 1 × 1 features); take another batch size"
        )


def warnings(runs: Sequence[PlannedRun], store: Store, data_dir: Path | None, cache_dir: Path) -> Iterator[str]:
    """What somebody should know of the images of these runs, a sentence each; made after :func:`prepare_data`.

    Args:
        runs: all that are asked for, with or without a result.
        store: their results.
        data_dir: the folder that holds the sets'; None where the user named none.
        cache_dir: the folder below which packed sets lie.
    """
    for folder in dict.fromkeys(_absent(_datasets(runs), data_dir, cache_dir)):
        yield f"{folder} (--data-dir) isn't there: nothing tells whether packed images are still those in it"
    for dataset in _datasets([run for run in runs if run.done]):
        try:
            digest = digest_now(dataset, data_dir, cache_dir)
        except DataError as error:
            yield f"results on {dataset.facts.title} can't be held against its images: {error}"
            continue
        others = _of_other_images(runs, dataset, store, digest) if digest else []
        if others:
            yield (
                f"{counted(len(others), 'result')} on {dataset.facts.title} came of other images than those that are "
                f"there now: {some(others)}; put those images back, or move the results away to train on these"
            )


def _datasets(runs: Sequence[PlannedRun]) -> list[Dataset]:
    return list(dict.fromkeys(run.spec.dataset for run in runs))


def _absent(datasets: Sequence[Dataset], data_dir: Path | None, cache_dir: Path) -> Iterator[Path]:
    """Folders where images should lie by ``--data-dir``, and don't."""
    for dataset in datasets:
        if data_dir is None or dataset.source == "standin":
            continue
        if _is_gone(data_dir):
            yield data_dir
        elif (cache_dir / cache_name(dataset)).is_dir() and _is_gone(data_dir / files_folder(dataset)):
            yield data_dir / files_folder(dataset)


def _is_gone(folder: Path) -> bool:
    try:
        return not folder.is_dir()
    except OSError:  # who reads it says so
        return False


def _of_other_images(runs: Sequence[PlannedRun], dataset: Dataset, store: Store, digest: str) -> list[str]:
    """Files of the completed runs on this dataset that recorded another digest."""
    found = []
    for run in runs:
        if run.done and run.spec.dataset == dataset:
            try:
                recorded = store.load(run.run_id).provenance.data_digest
            except StoreError:  # set aside and trained again
                continue
            if recorded != digest:
                found.append(store.path(run.run_id).name)
    return found
