from pathlib import Path

import pytest

from benchmark.axes import Dataset
from benchmark.data.source import load
from benchmark.errors import DataError
from benchmark.plan import PlannedRun
from benchmark.preparation import prepare_data, warnings
from benchmark.spec import run_id
from benchmark.store import Store
from tests.data.test_stale import MINE, own_folder, replaced
from tests.made import MACHINE, result, spec

STANDIN = Dataset(name="cifar10", source="standin", train_images=4, test_images=4)


def planned(dataset: Dataset, *, done: bool, seed: int = 0) -> PlannedRun:
    of = spec(seed, dataset=dataset.model_dump())
    return PlannedRun(run_id(of), of, cells=(), done=done)


class Bench:
    """Folders, and runs on the small set of one's own that are done."""

    def __init__(self, folder: Path) -> None:
        self.data, self.cache, self.store = folder / "data", folder / "cache", Store(folder / "results")
        self.images = own_folder(self.data)
        self.runs = [planned(MINE, done=True, seed=seed) for seed in (0, 1)]
        prepare_data(self.runs, self.data, self.cache)
        self.digest = load(MINE, None, self.cache).digest
        for run in self.runs:
            self.store.put(result(run.spec, provenance={**MACHINE, "data_digest": self.digest}))  # type: ignore[arg-type]

    def said(self, data: Path | None) -> list[str]:
        return list(warnings(self.runs, self.store, data, self.cache))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_missing_data_is_found_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--data-dir"):
        prepare_data([planned(STANDIN, done=False), planned(Dataset(name="cifar10"), done=False)], None, tmp_path)
    prepare_data([planned(STANDIN, done=False)], None, tmp_path)
    assert not list(tmp_path.glob("**/*.npy"))


def test_nothing_is_said_where_the_images_are_those_of_the_results(bench: Bench) -> None:
    assert bench.said(bench.data) == bench.said(None) == []


def test_results_of_other_images_are_named_though_nothing_is_left_to_train(bench: Bench) -> None:
    replaced(bench.images)
    (said,) = bench.said(bench.data)
    assert said.startswith("2 results on mine came of other images than those that are there now: mine-resnet110-base")
    assert said.endswith("put those images back, or move the results away to train on these")


def test_images_that_are_no_set_any_more_are_told(bench: Bench) -> None:
    (bench.images.parent / "c").mkdir()
    (said,) = bench.said(bench.data)
    assert said.startswith("results on mine can't be held against its images: ")
    assert "the class c is in one of train and test only" in said


def test_a_data_folder_that_is_not_there_is_named(bench: Bench, tmp_path: Path) -> None:
    (said,) = bench.said(tmp_path / "nowhere")
    assert said.startswith(f"{tmp_path / 'nowhere'} (--data-dir) isn't there: nothing tells")
    (tmp_path / "other").mkdir()
    (said,) = bench.said(tmp_path / "other")
    assert said.startswith(f"{tmp_path / 'other' / 'mine'} (--data-dir) isn't there")
    assert list(warnings([planned(STANDIN, done=False)], bench.store, tmp_path / "nowhere", bench.cache)) == []


def test_results_whose_images_were_never_here_are_left_alone(bench: Bench, tmp_path: Path) -> None:
    assert list(warnings(bench.runs, bench.store, bench.data, tmp_path / "elsewhere")) == []
