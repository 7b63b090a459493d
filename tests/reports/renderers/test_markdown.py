from pathlib import Path
from typing import Any

import pytest

from benchmark.reports.renderers import markdown
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.metrics import PROCESS_MEMORY
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.suite import Suite
from tests.reports.fakes import cell, fill, judged, measure, own, paper, train, under


def rendered(suite: Suite, store: Store, trials: int | None = None) -> str:
    return markdown.render(suite, tabulate(judged(suite, store), trials))


def printed(suite: Suite) -> list[tuple[str, str]]:
    """Row and text of every number that the manifest says the paper prints."""
    return [(row.name, text) for row in suite.manifest.rows for text in row.published or [] if text is not None]


def line_of(text: str, row: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {row} |"))


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_every_published_number_shows_before_the_first_run(store: Store, name: str) -> None:
    suite = paper(name)
    text = rendered(suite, store)
    for row, number in printed(suite):
        assert f"paper: {number}" in line_of(text, row).replace("*", "")
    assert "—<br>paper:" in text


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_smoke_says_what_it_is_and_shows_no_published_number(store: Store, name: str) -> None:
    suite = under("smoke", name)
    text = rendered(suite, store)
    assert "Profile `smoke`" in text
    assert "Trained here: nothing yet. **Not comparable with the paper's numbers.**" in text
    assert "Trained on generated stand-in images, not on " in text
    assert "paper:" not in text
    assert not [number for _, number in printed(suite) if number in text]


def test_stand_in_notice_names_the_real_images(store: Store) -> None:
    assert "not on CIFAR-10 or tiny-ImageNet." in rendered(under("smoke", "table2"), store)
    assert "stand-in" not in rendered(under("mini", "table2"), store)


def test_the_notice_says_which_memory_was_measured(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="A CPU", kind=PROCESS_MEMORY)
    text = rendered(suite, store)
    assert "Memory is the peak of a fresh process a variant, interpreter and torch included" in text
    assert "not comparable with the paper's overhead of GPU memory" in text
    measure(store, suite, device="A GPU", scale=0.5)
    assert "Memory is the peak of torch's allocator. " in rendered(suite, store).replace("\n", " ")
    assert "interpreter" not in rendered(suite, store)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "Steps were timed while freed memory went back to the system"),
        (
            {"freed_memory": "kept", "system_share": {"baseline": 0.004, "SLA": 0.021}},
            "Steps were timed with freed memory kept, as trainings keep it; the system had at most 2% of a",
        ),
    ],
)
def test_the_notice_says_how_the_memory_of_timed_steps_was_handled(
    store: Store, how: dict[str, Any], words: str
) -> None:
    suite = paper("table3")
    measure(store, suite, device="A CPU", kind=PROCESS_MEMORY, **how)
    assert words in rendered(suite, store).replace("\n", " ")


def test_a_gpu_has_no_such_notice(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="A GPU")
    assert "Steps were timed" not in rendered(suite, store)


def test_ours_above_the_papers(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.4, 74.2, 74.2])
    line = line_of(rendered(suite, store), "ResNet-110")
    assert "| 74.20 ± 0.16 (n = 4)<br>paper: 74.21 ± 0.35<br>reproduced (R) |" in line


def test_trials_that_are_missing_show(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.4, 74.2])
    train(store, cell(suite, "ResNet-164", "Baseline"), [75.0])
    text = rendered(suite, store)
    assert "74.20 ± 0.20 (n = 3 of 4)" in text
    assert "75.00 (n = 1 of 4)" in text
    assert "(n = 3)" in rendered(suite, store, trials=2)


def test_the_best_is_bold(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), 4 * [74.0])
    train(store, cell(suite, "ResNet-110", "SFE - SD"), 4 * [76.0])
    line = line_of(rendered(suite, store), "ResNet-110")
    assert "**76.40 ± 0.00** (n = 4)<br>paper: 76.24 ± 0.05" in line
    assert "paper: **76.84 ± 0.25**" in line


def test_costs_read_as_the_paper_prints_them(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="Some <GPU>")
    text = rendered(suite, store)
    assert "| 1500 (+50.0%)<br>paper: 3455 (+21.3%) | 0.150 (+50.0%)<br>paper: 0.221 (+24.1%) |" in text
    assert "measured on: Some &lt;GPU&gt;." in text
    assert line_of(text, "SFE, pooled first").endswith("| 2500 (+150.0%) | 0.250 (+150.0%) |  |")


def test_names_can_not_become_html_or_break_the_table(store: Store, tmp_path: Path) -> None:
    name = "<script>alert(1)</script> | **x** `y`\n[z](http://w)"
    suite = own(
        tmp_path, title=name, source=name, corner=name, footnotes=[name], rows=[{"name": name}, {"name": "two"}]
    )
    text = rendered(suite, store)
    assert "<script" not in text
    escaped = r"&lt;script&gt;alert(1)&lt;/script&gt; \| \*\*x\*\* \`y\` \[z\](http\://w)"
    assert f"| {escaped} | — | — |" in text
    assert f"# {escaped}\n" in text
    assert f"- {escaped}\n" in text


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_one_table_of_even_rows(store: Store, name: str) -> None:
    suite = paper(name)
    fill(store, [suite])
    lines = [line for line in rendered(suite, store).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(suite.manifest.rows)
    assert {line.count("|") for line in lines} == {len(suite.manifest.columns) + 2}


def test_footnotes_picture_and_command(store: Store) -> None:
    text = rendered(paper("table1"), store)
    assert '- The paper\'s caption says "CIFAR-100 and tiny-ImageNet"' in text
    assert "](table1.png)" in text
    assert "`python run_suite.py report table1`" in text
    assert "report table1 --profile mini`" in rendered(under("mini", "table1"), store)
    assert "report table1 --trials 2`" in rendered(paper("table1"), store, trials=2)


def test_settings_are_named(store: Store) -> None:
    choice = rendered(paper("table1", ["beta_on=last"]), store)
    assert "Laid over it: `beta_on=last`." in choice
    assert "paper: 74.21 ± 0.35" in choice
    assert "--set beta_on=last`" in choice


def test_other_profiles_say_what_they_trained(store: Store) -> None:
    suite = under("mini", "table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [14.0])
    assert "Trained here: resnet11; 10,000 training images; 6 epochs. " in rendered(suite, store)
    train(store, cell(suite, "WRN-28-10", "Baseline"), [14.0])
    assert "Trained here: resnet11 or wrn10-2; 10,000 training images; 6 epochs. " in rendered(suite, store)
    fine_grained = under("mini", "table5")
    train(store, fine_grained.cells[0], [14.0])
    assert "resnet18; up to 2,000 training images; 64 pixels; 6 epochs" in rendered(fine_grained, store)
    assert "Trained here" not in rendered(paper("table1"), store)


def test_another_protocol_is_not_held_against_the_paper(store: Store) -> None:
    text = rendered(paper("table1", ["schedule.decay_at=[0.5, 0.8]"]), store)
    assert "Trained here: nothing yet. **Not comparable with the paper's numbers.**" in text
    assert "74.21" not in text
    assert "--set 'schedule.decay_at=[0.5, 0.8]'`" in text
