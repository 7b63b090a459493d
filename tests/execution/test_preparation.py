import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.cli import main
from benchmark.data.source import load
from benchmark.errors import DataError, UserError
from benchmark.execution.preparation import prepare_data, warnings
from benchmark.methods.network import build_network
from benchmark.planning.plan import PlannedRun
from benchmark.results.store import Store
from benchmark.runs.axes import Dataset
from benchmark.runs.spec import TrainSpec, run_id
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suite
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


def test_the_command_says_so_with_everything_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench, manifest = Bench(tmp_path), tmp_path / "mine.yaml"
    manifest.write_text(
        "{suite: mine, title: Mine, source: own, metric: accuracy, margin: 1.0, corner: Model, best: none, trials: 1,"
        " defaults: {dataset: {name: mine, source: folder, classes: 2, input_size: 28}, network: resnet110},"
        " columns: [{name: SI, reads: single}], rows: [{name: Base}]}"
    )
    [cell] = load_suite(manifest, load_variant("short")).cells
    seen = {**MACHINE, "data_digest": bench.digest}
    Store(tmp_path / "results" / "short").put(result(cell.spec, provenance=seen))  # type: ignore[arg-type]
    places = [word for kind in ("results", "reports", "scratch") for word in (f"--{kind}-dir", str(tmp_path / kind))]
    words = ["run", str(manifest), "--profile", "short", "--data-dir", str(bench.data), *places]
    (tmp_path / "scratch").mkdir()
    bench.cache.rename(tmp_path / "scratch" / "data")
    for changed in (False, True):
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code in (0, None)
        said = "warning: 1 result on mine came of other images than those that are there now: mine-resnet110-"
        assert capsys.readouterr().err.startswith(said) == changed
        replaced(bench.images)


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


def small_resnet18(size: int = 32, batch: int = 7, **method: Any) -> TrainSpec:
    schedule = {"epochs": 1, "batch_size": batch, "learning_rate": 0.1}
    dataset, network = {**MINE.model_dump(), "input_size": size}, {"family": "resnet_imagenet", "depth": 18}
    return spec(dataset=dataset, network=network, schedule=schedule, method=method)


@pytest.mark.parametrize(
    "of",
    [
        small_resnet18(),
        small_resnet18(33),
        small_resnet18(16, masks={"views": 2}),
        small_resnet18(16, masks={"views": 2, "carry_from": 2}),
        small_resnet18(16, masks={"views": 2, "carry_from": 3}),
        small_resnet18(rotations=4),
        small_resnet18(classifiers=2, beta=0.5),
    ],
    ids=lambda of: f"{of.method.label} {of.dataset.input_size}",
)
def test_a_network_that_can_not_train_on_one_image_is_known(of: TrainSpec) -> None:
    model, image = build_network(of, 2).train(), torch.zeros(1, 3, of.dataset.image_size, of.dataset.image_size)
    if of.trains_single_images:
        model(image)
    else:
        with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
            model(image)


def test_a_last_batch_of_one_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    own_folder(tmp_path)  # of 8 images to train on
    for of in (small_resnet18(), small_resnet18(batch=4), small_resnet18(33)):
        run = PlannedRun(run_id(of), of, cells=(), done=False)
        if of.trains_single_images or of.schedule.batch_size == 4:
            prepare_data([run], tmp_path, tmp_path / "cache")
            continue
        said = (
            r"^schedule\.batch_size 7: the last batch would be one of the 8 training images of mine, and resnet18 can't"
        )
        with pytest.raises(UserError, match=said):
            prepare_data([run], tmp_path, tmp_path / "cache")
