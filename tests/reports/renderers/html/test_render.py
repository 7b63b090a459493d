"""The page without a browser: what stands in its source."""

import csv
import html
import io
import re
from pathlib import Path

import pytest

from benchmark.reports.judged import judge_suite
from benchmark.reports.renderers import tidy_csv
from benchmark.reports.renderers.html.render import MOST_BYTES
from benchmark.results.trials import Trials
from tests.reports import fakes, pages


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> pages.Memory:
    store = pages.Memory(tmp_path_factory.mktemp("partial") / "results" / "paper")
    pages.partial(store)
    return store


@pytest.fixture(scope="module")
def source(partial: pages.Memory) -> str:
    return pages.page_of(partial)


def ids(source: str) -> list[str]:
    return re.findall(r'\sid="([^"]*)"', source)


def test_an_empty_page_counts_what_can_be_judged_and_not_what_could_be(tmp_path: Path) -> None:
    source = pages.page_of(pages.Memory(tmp_path / "results" / "paper"))
    assert "<h1><b>Nothing can be judged yet.</b> 0 of 265 runs.</h1>" in source
    assert "0 of 13" not in source
    assert "not evidence for or against the paper" in source
    assert "Left to run: 265 runs; status estimates how long." in source
    assert source.count('class="panel"') == 123


def test_the_first_clause_of_the_heading_is_bold(source: str) -> None:
    assert re.search(r"<h1><b>\d of 13 claims can be judged so far</b>: \d supported, ", source)
    assert "60 of 265 runs, 1 failed, 204 to do" in source


def test_counts_of_heading_buttons_grid_and_csv_agree(partial: pages.Memory, source: str) -> None:
    trials = Trials(partial)
    words = []
    for suite in pages.suites():
        rows = list(csv.DictReader(io.StringIO(tidy_csv.render(judge_suite(suite, trials)))))
        places = {}
        for row in rows:  # of a cell's rows the one of the reported epoch, or the cost itself
            if row["metric"].endswith("_last_epoch") or row["metric"] in ("memory_mib", "seconds_per_step"):
                places[row["row"], row["column"]] = row["verdict"]
        words += list(places.values())
    buttons = dict(re.findall(r'<button class="f" data-k="([a-z-]+)".*?<b>(\d+)</b>', source))
    for word in ("reproduced", "higher", "lower", "inconclusive", "outside", "no verdict"):
        assert int(buttons[word.replace(" ", "-")]) == words.count(word), word
        told = re.search(rf"(\d+) {word}[,.]", source.split("</header>")[0])
        assert word == "no verdict" or (told and int(told[1]) == words.count(word)), word
    assert source.split('<div class="grids">')[1].split("<h3>How far")[0].count("aria-label=") == len(words) == 123


def test_every_mean_in_the_tables_is_the_csvs(partial: pages.Memory, source: str) -> None:
    trials, found, plain = Trials(partial), 0, source.replace("<b>", "")
    for suite in pages.suites():
        for row in csv.DictReader(io.StringIO(tidy_csv.render(judge_suite(suite, trials)))):
            if row["metric"].endswith("_last_epoch") and row["mean"]:
                near = [float(row["mean"]) + nudge for nudge in (-1e-4, 1e-4)]  # the CSV has four decimals
                assert any(f'<span class="n">{mean:.2f}' in plain for mean in near), row
                found += 1
    assert found > 40


def test_ids_are_unique_and_every_inner_link_has_one(source: str) -> None:
    found = ids(source)
    assert len(set(found)) == len(found)
    links = {html.unescape(link) for link in re.findall(r'href="#([^"]*)"', source)}
    assert links <= set(found)
    assert {"claim-8a", "runs", "method", "table6/K=1-4/Layer1-SI"} <= set(found)


def test_nothing_is_loaded_and_nothing_inline_escapes_the_policy(source: str) -> None:
    assert not re.search(r"<[^>]*\s(?:style|on[a-z]+)=", source)
    assert not re.search(r'(?:src|href)="(?!#|\.\./|[a-z0-9]+\.(?:csv|md|tex|png|svg|curves.svg)")', source)
    assert source.count("<style>") == source.count("<script>") == 1
    first, second = re.findall(r"<meta [^>]*>", source)[:2]
    assert "utf-8" in first
    assert "default-src 'none'" in second


def test_what_people_write_appears_as_text(partial: pages.Memory, tmp_path: Path) -> None:
    rows = [{"name": pages.HOSTILE, "published": ["76.80 ± 0.22", None]}]
    suite = fakes.own(tmp_path, title=pages.HOSTILE, source=pages.HOSTILE, corner=pages.HOSTILE, rows=rows)
    source = pages.page_of(partial, others=[suite])
    body = source[: source.rindex("<script>")]
    assert "<img" not in body
    assert "</script" not in body
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in body
    assert "\u202e" not in body
    assert "\u2066" not in body


def test_logs_are_short_and_name_no_folder_of_a_machine(source: str) -> None:
    runs = source[source.index('id="runs"') :]
    assert "line 39 of run.log" in runs
    assert "line 19 of" not in runs
    assert not re.search(r"/home|/opt|Users", runs)


def test_a_measurement_that_failed_on_some_device_shows_wherever_it_is_waited_for(tmp_path: Path) -> None:
    store, suite = pages.Memory(tmp_path / "results" / "paper"), fakes.paper("table3")
    cell = fakes.cell(suite, "SFE", "GPU memory (MiB)")
    pages.fail(store, fakes.result(cell.spec.model_copy(update={"device": "Some GPU"}), {}))
    source = pages.page_of(store)
    assert "0 of 265 runs, 1 failed, 264 to do" in source
    assert source.count(">failed 1<") == sum(one.is_cost for one in suite.cells)
    row = source[source.index('<th scope="row"><a href="#table3">') :].split("</tr>")[0]
    assert re.findall(r"<td>(\d+)</td>", row) == ["13", "0", "1", "12"]
    fakes.measure(store, suite, device="Another GPU")
    source = pages.page_of(store)
    assert "1 of 265 runs, 264 to do" in source
    assert "No run waits as failed." in source


def test_results_are_linked_only_where_they_lie_beside_the_page(partial: pages.Memory, tmp_path: Path) -> None:
    assert 'href="../../results/paper/cifar100-' in pages.page_of(partial)
    away = pages.Memory(tmp_path / "elsewhere" / "deep" / "paper")
    away.results = partial.results
    assert 'href="../../' in pages.page_of(away)


def test_where_nothing_is_judged_no_published_number_stands_in_a_table(tmp_path: Path) -> None:
    source = pages.page_of(pages.Memory(tmp_path / "results" / "smoke"), "smoke")
    assert source.count("(profile smoke)") >= 13
    assert 'class="banner"' in source
    tables = "".join(re.findall(r'<table class="big">.*?</table>', source, re.DOTALL))
    assert "74.21" not in tables
    assert "The paper prints 74.21 ± 0.35" in source


def test_the_same_results_give_the_same_bytes(partial: pages.Memory, source: str) -> None:
    assert pages.page_of(partial) == source


def test_a_whole_paper_stays_within_its_size(tmp_path: Path) -> None:
    store = pages.Memory(tmp_path / "results" / "paper")
    pages.complete(store)
    source = pages.page_of(store, plots=True)
    assert len(source.encode()) < MOST_BYTES
    assert source.count('class="plot"') >= 8
    assert len(re.findall(r"<[a-z]", source)) <= 15_000
    assert "nothing" in source
    assert source.count('class="curve"') > 100
