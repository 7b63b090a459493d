from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from benchmark.reports.figures import layout as plots
from benchmark.reports.figures.marks import row_number
from benchmark.reports.table import tabulate
from benchmark.results.plausible import PROCESS_MEMORY
from benchmark.results.store import Store
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.suite import Suite
from tests.reports.fakes import fill, judged, measure, own, paper, under


def figure_of(suite: Suite, store: Store) -> Figure:
    return plots._figure(suite, tabulate(judged(suite, store)))


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.mark.parametrize("name", ["table3", "figure4"])
def test_the_same_results_give_the_same_bytes(store: Store, name: str) -> None:
    suite = paper(name)
    fill(store, [suite])
    table = tabulate(judged(suite, store))
    first = plots.images(suite, table)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):  # somebody's own matplotlibrc
        assert plots.images(suite, table) == first
    assert first[0].startswith(b"\x89PNG")
    assert b"<dc:date>" not in first[1]


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_before_the_first_run_the_paper_is_drawn(store: Store, name: str) -> None:
    figure = figure_of(paper(name), store)
    assert "no results yet" not in texts_of(figure)
    assert any(label.startswith("paper") for label in legend_of(figure))


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_other_profiles_draw_nothing_of_the_paper(store: Store, name: str) -> None:
    figure = figure_of(under("mini", name), store)
    assert texts_of(figure) == ["no results yet"] * len(figure.axes)
    assert not any("paper" in label for label in legend_of(figure))


def test_costs_have_panels_of_their_own(store: Store) -> None:
    suite = paper("table3")
    fill(store, [suite])
    scores, memory, time = figure_of(suite, store).axes
    assert scores.get_xlabel() == "Accuracy (%)"
    assert [memory.get_title(), time.get_title()] == ["GPU memory (MiB)", "Training time (sec/iter)"]
    assert {"+241.3%", "+50.0%", "+0.0%"} <= {text.get_text() for text in memory.texts}


def test_the_memory_of_a_whole_process_is_called_so(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="A CPU", kind=PROCESS_MEMORY)
    _, memory, time = figure_of(suite, store).axes
    assert memory.get_xlabel() == "Overhead (%) of the whole process on a CPU"
    assert time.get_xlabel() == "Overhead (%)"


def test_the_sweep_is_drawn_over_its_number(store: Store) -> None:
    suite = paper("figure4")
    fill(store, [suite])
    figure = figure_of(suite, store)
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("β", "Accuracy (%)")
    assert legend_of(figure)[-2:] == ["Baseline (ours)", "Baseline (paper)"]
    assert len(axis.get_xticks()) == 11


def test_rows_on_different_images_have_scales_of_their_own(store: Store) -> None:
    assert len(figure_of(paper("table5"), store).axes) == 3
    assert len(figure_of(paper("table1"), store).axes) == 1


def test_lines_without_numbered_rows_fall_back_to_dots(store: Store, tmp_path: Path) -> None:
    (axis,) = figure_of(own(tmp_path, plot="lines"), store).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]


def test_dollars_and_long_names_are_drawn_as_they_are(store: Store, tmp_path: Path) -> None:
    rows = [{"name": "costs $5 and $\\frac{1}$ " + "very " * 20 + "long"}, {"name": "two"}]
    suite = own(tmp_path, title="$x_{$ " * 30, rows=rows)
    png, svg = plots.images(suite, tabulate(judged(suite, store)))
    assert png
    assert svg


def test_legends_stay_inside_the_figure() -> None:
    assert plots._legend_columns(["SI", "AG", "ours (± std)"], 7.5) == 3
    assert plots._legend_columns(["ResNet110 + SFE SI"] * 6, 7.5) == 3
    assert plots._legend_columns(["x" * 200] * 3, 7.5) == 1


@pytest.mark.parametrize(
    ("row", "number"), [("beta = 0.3", 0.3), ("lr = -1", -1.0), ("K = 1 + 8", None), ("ResNet-110", None)]
)
def test_numbers_of_rows(row: str, number: float | None) -> None:
    assert row_number(row) == number
