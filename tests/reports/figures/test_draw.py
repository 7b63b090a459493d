"""Every picture of every suite in every state of its results: nothing lies outside, nothing on anything else."""

import io
import random
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import matplotlib
import pytest
from PIL import Image

from benchmark.reports.figures import draw, palette, png, svg
from benchmark.reports.figures.canvas import Canvas, Shape, Text
from benchmark.reports.figures.curves import curves
from benchmark.reports.figures.differences import differences
from benchmark.reports.figures.scoreboard import scoreboard
from benchmark.reports.figures.seals import SEALS
from benchmark.reports.figures.subject import Subject
from benchmark.reports.judged import judge_suite
from benchmark.reports.paper import Paper, whole_paper
from benchmark.reports.sentences import about_claims
from benchmark.reports.table import tabulate
from benchmark.results.store import Result, Store
from benchmark.results.trials import Trials
from benchmark.runs.metrics import PROCESS_MEMORY
from benchmark.runs.spec import CostSpec, TrainSpec, with_seed, words_and_seed
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite
from benchmark.system.paths import ROOT
from benchmark.verdicts.cells import Word
from benchmark.verdicts.questions import Answer
from tests.reports.fakes import PREDICTIONS, measure, own, paper, result, train, under

SUITES = (*PAPER_SUITES, "precision")
STATES = ("none", "few", "complete", "mini")


def texts_of(canvas: Canvas) -> list[str]:
    return [mark.text for mark in canvas.marks if isinstance(mark, Text)]


def subject_of(suite: Suite, trials: Trials) -> Subject:
    one = judge_suite(suite, trials)
    return Subject(one, tabulate(one))


def plot_of(suite: Suite, trials: Trials) -> Canvas:
    subject = subject_of(suite, trials)
    return draw.canvas_of(subject.judged, subject.table)


class Made(Trials):
    """Trials that were never on disk."""

    def __init__(self, store: Store, results: Sequence[Result]) -> None:
        super().__init__(store)
        self._loaded = {result.run_id: result for result in results}
        self.names = sorted(self._loaded)
        self._known = set(self.names)
        for name in self.names:
            words, seed = words_and_seed(name)
            self._seeds[words].add(seed or 0)


def made(folder: Path, state: str) -> Trials:
    """Trials of the paper's suites: all, or of a few cells one to three each."""
    chance = random.Random(1)
    results: dict[str, Result] = {}
    for place, cell in enumerate(cell for suite in map(paper, SUITES) for cell in suite.cells):
        spec = cell.spec
        if isinstance(spec, CostSpec):
            blocks = {one.name: costs_of(index) for index, one in enumerate(spec.variants)}
            found = [result(spec, blocks, memory_kind="peak of torch's allocator")]
        else:
            count = 4 if state == "complete" else {2: 1, 4: 3, 6: 2}.get(place % 7, 0)
            mean = cell.published.mean if cell.published else 79.0
            mean = 100 - mean if mean < 50 else mean
            found = [trial(with_seed(spec, seed), mean + chance.gauss(0, 0.25)) for seed in range(count)]
        results |= {one.run_id: one for one in found}
    return Made(Store(folder), list(results.values()))


def costs_of(index: int) -> dict[str, float]:
    names = ("memory_mib", "seconds_per_step", "memory_overhead_percent", "time_overhead_percent")
    return dict(zip(names, (1000.0, 0.1, 50.0 * index, 70.0 * index), strict=True))


def trial(spec: TrainSpec | CostSpec, last: float) -> Result:
    names = [f"{name}_{epoch}_epoch" for name in PREDICTIONS for epoch in ("last", "best")]
    return result(spec, dict.fromkeys(names, last))


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trials]:
    folder = tmp_path_factory.mktemp("results")
    mini = Trials(Store(ROOT / "results" / "mini"))
    return {
        "none": Trials(Store(folder)),
        "few": made(folder, "few"),
        "complete": made(folder, "complete"),
        "mini": mini,
    }


@pytest.fixture
def nothing(store: Store) -> Trials:
    return Trials(store)


def pictures(state: str, trials: Trials) -> Iterator[tuple[str, Canvas]]:
    """Every picture of a report, before any format."""
    profile = "mini" if state == "mini" else "paper"
    for name in SUITES:
        subject = subject_of(under(profile, name), trials)
        yield name, draw.canvas_of(subject.judged, subject.table)
        yield f"{name} curves", curves(subject)
    yield "differences", differences(paper_of(state, trials))


def paper_of(state: str, trials: Trials) -> Paper:
    return whole_paper(load_variant("mini" if state == "mini" else "paper"), trials)


def outside(canvas: Canvas) -> list[object]:
    boxes = [(mark, mark.box) for mark in canvas.marks]
    return [
        m
        for m, (left, top, right, bottom) in boxes
        if min(left, top) < 0 or right > canvas.width or bottom > canvas.height
    ]


def overlapping(canvas: Canvas) -> list[tuple[str, str]]:
    texts = [(mark.text, mark.box) for mark in canvas.marks if isinstance(mark, Text) and mark.text]
    return [
        (one, other)
        for index, (one, a) in enumerate(texts)
        for other, b in texts[:index]
        if a[0] < b[2] and b[0] < a[2] and a[1] + 2 < b[3] and b[1] + 2 < a[3]
    ]


@pytest.mark.parametrize("state", STATES)
def test_nothing_lies_outside_a_picture_and_no_text_on_another(states: dict[str, Trials], state: str) -> None:
    for name, canvas in pictures(state, states[state]):
        assert outside(canvas) == [], name
        assert overlapping(canvas) == [], name
        assert min(mark.size for mark in canvas.marks if isinstance(mark, Text)) >= 12, name


@pytest.mark.parametrize("state", ["few", "mini"])
def test_files_are_small_and_stand_in_a_page_as_they_are(states: dict[str, Trials], state: str) -> None:
    for name, canvas in pictures(state, states[state]):
        image, drawing = png.render(canvas), svg.render(canvas)
        assert 1_000 < len(image) < 150_000, name
        assert 500 < len(drawing) < 150_000, name
        assert Image.open(io.BytesIO(image)).size == (2 * canvas.width, 2 * canvas.height)
        tags = {
            element.tag.removeprefix("{http://www.w3.org/2000/svg}")
            for element in ElementTree.fromstring(drawing).iter()
        }
        assert tags <= {"svg", "title", "rect", "path", "circle", "text"}
        assert not re.search(rb" (?:id|style|class|href|on\w+)=|url\(", drawing)


def test_the_same_results_give_the_same_bytes(states: dict[str, Trials]) -> None:
    one = judge_suite(paper("table1"), states["few"])
    first = draw.of_suite(one, tabulate(one))
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "path.simplify": True}):  # somebody's own
        assert draw.of_suite(one, tabulate(one)) == first
    assert list(first) == ["png", "svg", "curves.png", "curves.svg"]


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_before_the_first_run_the_paper_is_drawn(nothing: Trials, name: str) -> None:
    texts = texts_of(plot_of(paper(name), nothing))
    assert "No results yet." not in texts
    assert any(text.startswith("the paper") for text in texts)


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_other_profiles_draw_nothing_of_the_paper(nothing: Trials, states: dict[str, Trials], name: str) -> None:
    assert "No results yet." in texts_of(plot_of(under("mini", name), nothing))
    assert not any("paper" in text for text in texts_of(plot_of(under("mini", name), states["mini"])))


def test_a_gain_is_said_with_its_base_and_the_rest_in_one_line(states: dict[str, Trials]) -> None:
    texts = texts_of(plot_of(under("mini", "table1"), states["mini"]))
    assert texts[0] == "Does SFE help on each network?"
    assert "Baseline, %: ours" in texts
    assert "not run: ResNet-164, SE-ResNet-110, DenseNet, WRN-28-10, PyramidNet" in texts


def test_what_lacks_trials_is_faint_and_says_how_many(store: Store) -> None:
    suite = paper("table2")
    for cell in suite.cells:
        if cell.row == "CIFAR-10":
            train(store, cell, [94.0, 94.4])
    canvas = plot_of(suite, Trials(store))
    assert texts_of(canvas).count("2 of 4") == 3
    assert "fainter: 2 of 4 trials" in texts_of(canvas)
    assert {m.opacity for m in canvas.marks if isinstance(m, Shape) and m.opacity < 1} == {0.45}


def test_errors_are_paired_and_better_to_the_left(states: dict[str, Trials]) -> None:
    texts = texts_of(plot_of(paper("table4"), states["complete"]))
    assert "← error rate (%), lower is better" in texts
    assert [text for text in texts if text.startswith("paper −")] == [
        "paper −1.90",
        "paper −1.20",
        "paper −0.18",
        "paper −0.40",
    ]
    assert sum(text.startswith("ours −") for text in texts) == 4


def test_costs_are_ratios_and_their_memory_is_named(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="A CPU", kind=PROCESS_MEMORY)
    texts = texts_of(plot_of(suite, Trials(store)))
    assert {"GPU memory, times baseline", "Training time, times baseline", "1×", "2×", "no score"} <= set(texts)
    assert "Our costs: A CPU; memory is the peak of the whole process." in texts


def test_a_sweep_of_few_settings_is_a_strip(nothing: Trials, states: dict[str, Trials]) -> None:
    suite = paper("figure4")
    strip, whole = plot_of(suite, nothing), plot_of(suite, states["complete"])
    assert "0 of 11 settings run." in texts_of(strip)
    assert strip.height < whole.height
    assert any(text.startswith("Spearman’s ρ") for text in texts_of(whole))


def test_lines_without_numbered_rows_fall_back_to_dots(nothing: Trials, tmp_path: Path) -> None:
    texts = texts_of(plot_of(own(tmp_path, plot="lines"), nothing))
    assert {"one", "accuracy (%)"} <= set(texts)


def test_dollars_long_names_and_large_tables_are_drawn(nothing: Trials, tmp_path: Path) -> None:
    names = ["costs $5 and $\\frac{1}$ " + "very " * 20 + "long", *(f"row {number}" for number in range(120))]
    rows = [{"name": name, "published": ["76.80 ± 0.22"] * 13} for name in names]
    columns = [{"name": f"column {number} " + "wide " * 20, "reads": "single"} for number in range(13)]
    suite = own(tmp_path, title="$x_{$ " * 30, rows=rows, columns=columns)
    canvas = plot_of(suite, nothing)
    assert outside(canvas) == []
    assert any("100 of 121 rows are drawn" in text for text in texts_of(canvas))
    assert canvas.height < 6000
    assert svg.render(canvas)


def test_a_claims_own_bound_is_drawn_and_what_has_none_counted(states: dict[str, Trials]) -> None:
    texts = texts_of(differences(paper_of("few", states["few"])))
    assert "2. Aggregated inference is not better than single inference" in texts
    assert "what a claim allows" in texts
    assert any(re.fullmatch(r"\d+ parts have no difference yet\.", text) for text in texts)


# ------------------------------------------------------------------ the scoreboard


@pytest.mark.parametrize("state", STATES)
def test_a_scoreboard_is_a_card_of_one_size(states: dict[str, Trials], state: str) -> None:
    canvas = scoreboard(replace(paper_of(state, states[state]), failed={"all": 1}))
    image = png.render(canvas)
    assert Image.open(io.BytesIO(image)).size == (1280, 640)
    assert len(image) < 200_000
    assert outside(canvas) == []
    assert overlapping(canvas) == []
    assert min(2 * mark.size for mark in canvas.marks if isinstance(mark, Text)) >= 12
    assert not any("…" in text for text in texts_of(canvas)), "every claim's words fit"
    assert sum(text.endswith("runs, 1 failed") for text in texts_of(canvas)) == 1


def test_a_scoreboard_says_what_the_sheet_says(states: dict[str, Trials]) -> None:
    paper = paper_of("few", states["few"])
    texts = texts_of(scoreboard(paper))
    assert about_claims(paper) in texts
    counts = [int(text.rsplit(" ", 1)[1]) for text in texts if text.rsplit(" ", 1)[0] in {*SEALS, "runs, no verdict"}]
    assert sum(counts) == sum(paper.words.values())
    assert f"reproduced {paper.words['reproduced']}" in texts


def test_without_a_verdict_nothing_looks_like_one(states: dict[str, Trials]) -> None:
    canvas = scoreboard(paper_of("mini", states["mini"]))
    texts = texts_of(canvas)
    assert texts.count("not judged") == 13
    assert "This shows that the machinery runs; nothing is judged." in texts
    colours = {mark.fill for mark in canvas.marks if isinstance(mark, Shape)}
    assert not colours & {palette.GOOD, palette.HIGH, palette.LOW, palette.OPEN}


def test_every_word_has_a_mark_of_its_own() -> None:
    assert {*get_args(Word), *get_args(Answer)} <= SEALS.keys()
    decided = [one for word, one in SEALS.items() if word not in ("undecided", "inconclusive", "outside", "absent")]
    assert len({(one.outline, one.sign, one.how) for one in decided}) == len(decided)


def test_the_readme_leads_with_the_largest_profile_that_has_results() -> None:
    done = (name for name in ("paper", "short", "reduced", "mini") if Store(ROOT / "results" / name).completed())
    profile = next(done)
    paper = whole_paper(load_variant(profile), Trials(Store(ROOT / "results" / profile)))
    wanted = f"![{about_claims(paper)}](reports/{profile}/scoreboard.png)"
    assert wanted in (ROOT / "README.md").read_text(encoding="utf-8"), "its picture says what is known by now"
