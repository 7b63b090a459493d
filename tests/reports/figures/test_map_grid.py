"""A suite that plots maps, from its results to its picture."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmark.data.standin import standin
from benchmark.reports.figures import draw, map_grid
from benchmark.reports.figures.gallery import collect_maps
from benchmark.reports.table import tabulate
from benchmark.reports.write import stale_reports, write_reports
from benchmark.results.record import ActivationMap
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import TrainSpec, with_seed
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite, load_suite
from benchmark.system.paths import SUITES
from tests.made import MACHINE, result
from tests.reports.fakes import judged

SMALL = ["dataset.input_size=32", "activation_maps=2"]


@pytest.fixture
def smoke(tmp_path: Path) -> tuple[Suite, Store]:
    return load_suite(SUITES / "figure1.yaml", load_variant("smoke", SMALL)), Store(tmp_path / "results")


def map_of(image: int, label: int, predicted: int = 0) -> ActivationMap:
    return ActivationMap(image=image, label=label, predicted=predicted, map=[[0.0, 1.0], [2.0, image]])


def put(store: Store, suite: Suite, rows: list[str], seed: int = 0, digest: str | None = None) -> None:
    for cell in suite.cells:
        if cell.row in rows:
            assert isinstance(cell.spec, TrainSpec)
            spec = with_seed(cell.spec, seed)
            assert isinstance(spec, TrainSpec)
            images = {"data_digest": digest or standin(cell.spec.dataset).digest}
            maps = [map_of(3, 0), map_of(1, 7, predicted=len(cell.row))]
            store.put(result(spec, provenance=MACHINE | images, activation_maps=maps))


def rows_of(suite: Suite) -> list[str]:
    return [row.name for row in suite.manifest.rows]


def figure_of(suite: Suite, store: Store) -> Figure:
    table = tabulate(judged(suite, store))
    return map_grid._figure(suite, table, collect_maps(suite, Trials(store), None))


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


# ------------------------------------------------------------------ what is collected


def test_images_stand_in_the_order_of_the_maps_with_their_pixels(smoke: tuple[Suite, Store]) -> None:
    suite, store = smoke
    put(store, suite, rows_of(suite))
    gallery = collect_maps(suite, Trials(store), None)
    assert [(sample.image, sample.label) for sample in gallery.samples] == [(3, 0), (1, 7)]
    assert len(gallery.maps) == 10
    wanted = standin(suite.cells[0].spec.dataset).test.images[3]
    assert gallery.samples[0].pixels is not None
    np.testing.assert_array_equal(gallery.samples[0].pixels, wanted[2:34, 2:34])


def test_only_seed_zero_is_shown(smoke: tuple[Suite, Store]) -> None:
    suite, store = smoke
    put(store, suite, rows_of(suite), seed=1)
    assert collect_maps(suite, Trials(store), None).samples == ()


# ------------------------------------------------------------------ what is drawn


def test_a_line_an_image_and_a_column_a_network(smoke: tuple[Suite, Store]) -> None:
    suite, store = smoke
    put(store, suite, rows_of(suite))
    figure = figure_of(suite, store)
    assert [axis.get_title() for axis in figure.axes[:6]] == ["Image", *rows_of(suite)]
    below = [axis.get_xlabel() for axis in figure.axes]
    assert below[:6] == ["class 0, image 3", *["right"] * 5]
    assert below[6:] == ["class 7, image 1", "wrong: 8", *["wrong: 15"] * 4]
    assert all(len(axis.images) == 1 for axis in figure.axes)


def test_what_is_not_there_is_said(smoke: tuple[Suite, Store]) -> None:
    suite, store = smoke
    put(store, suite, rows_of(suite)[:3], digest="of images that are not here")
    texts = texts_of(figure_of(suite, store))
    assert texts.count("the image is not\non this machine") == 2
    assert texts.count("no result yet") == 4


def test_before_the_first_map_accuracies_are_drawn(smoke: tuple[Suite, Store]) -> None:
    suite, store = smoke
    one = judged(suite, store)
    assert b"No results yet." in draw.of_suite(one, tabulate(one), collect_maps(suite, Trials(store), None))["svg"]


def test_heat_runs_from_the_least_to_the_greatest_value() -> None:
    heat = map_grid.heat(ActivationMap(image=0, label=0, predicted=0, map=[[-3.0, -3.0], [5.0, 5.0]]))
    assert heat.shape[0] == heat.shape[1]
    assert (heat.min(), heat.max()) == (0.0, 1.0)
    assert (np.diff(heat[:, 0]) >= 0).all()  # enlarged upright and without ringing at its ends
    flat = map_grid.heat(ActivationMap(image=0, label=0, predicted=0, map=[[4.0, 4.0]]))
    assert not flat.any()


def test_the_same_results_give_the_same_bytes(smoke: tuple[Suite, Store], tmp_path: Path) -> None:
    suite, store = smoke
    put(store, suite, rows_of(suite)[:4])
    written = write_reports([suite], store, tmp_path / "reports", cache_dir=tmp_path / "cache")
    assert [path.suffix for path in written][:4] == [".csv", ".md", ".png", ".svg"]
    assert stale_reports([suite], store, tmp_path / "reports", cache_dir=tmp_path / "cache") == []
    assert b"<dc:date>" not in written[3].read_bytes()
