"""The whole paper's verdicts in files: claims, summary, trials."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmark.reports.paper import Paper, whole_paper
from benchmark.reports.renderers import paper_csv, summary
from benchmark.reports.sentences import BEST_EPOCH, about_claims, about_numbers
from benchmark.reports.write import write_reports
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.suites.manifest import PAPER_SUITES, suite_names
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite, load_suite
from benchmark.system.paths import SUITES
from benchmark.verdicts.cells import Verdict, judge
from benchmark.verdicts.reading import Reading

from .fakes import cell, fill, judged, measure, own, paper, train, under

NEAR = {
    "Baseline": [74.1, 74.4, 73.9, 74.5],
    "SFE - SI": [76.6, 76.9, 76.8, 77.0],
    "SFE - SD": [75.8, 76.0, 75.9, 76.1],
}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def row_done(store: Store, profile: str = "paper") -> Paper:
    """Table 1's ResNet-110 row, four trials each."""
    suite = under(profile, "table1")
    for column, values in NEAR.items():
        train(store, cell(suite, "ResNet-110", column), values)
    return whole_paper(suite.variant, Trials(store))


def test_claims_csv(store: Store) -> None:
    made = row_done(store)
    found = rows_of(paper_csv.claims(made.claims, "paper"))
    assert len(found) == 99
    assert list(found[0]) == list(paper_csv.CLAIM_COLUMNS)
    first = found[0]
    assert (first["claim"], first["part"], first["suite"], first["kind"]) == ("1", "ResNet-110", "table1", "greater")
    assert (first["direction"], first["part_verdict"], first["trials"]) == ("supported", "supported", "4")
    assert float(first["difference"]) == pytest.approx(76.825 - 74.225)
    assert (first["published_difference"], first["published_direction"]) == ("2.59", "supported")
    assert (first["claim_verdict"], first["parts_supported"], first["parts"]) == ("not enough runs", "1", "11")
    assert (first["published_claim_verdict"], first["published_parts_supported"]) == ("supported", "11")
    missing = found[1]
    assert (missing["direction"], missing["part_verdict"], missing["trials"]) == (
        "not enough runs",
        "not enough runs",
        "0",
    )
    assert (missing["difference"], missing["size"], missing["published_difference"]) == ("", "", "2.23")
    shown = next(row for row in found if row["kind"] == "shown")
    assert (shown["direction"], shown["part_verdict"], shown["published_direction"]) == ("", "", "")
    assert shown["difference"] != ""
    costs = [row for row in found if row["claim"] == "4"]
    assert [row["published_difference"] for row in costs] == ["1.241", "1.213", "3.893", "3.413"]
    assert {(row["published_claim_verdict"], row["published_parts_supported"]) for row in costs} == {("", "")}
    assert {row["profile"] for row in found} == {"paper"}


def test_claims_are_answered_under_every_profile_and_labelled(store: Store) -> None:
    made = row_done(store, "mini")
    found = rows_of(paper_csv.claims(made.claims, "mini"))
    assert (found[0]["direction"], found[0]["profile"]) == ("supported", "mini")
    text = summary.render(made)
    assert "The claims are not judged (profile mini)." in text
    assert "supported" not in text


def test_a_process_peak_answers_no_claim_on_memory(store: Store) -> None:
    measure(store, paper("table3"), kind="peak resident memory of a fresh process")
    claim = next(one for one in whole_paper(load_variant("paper"), Trials(store)).claims if one.claim == "4")
    answers = {q.label: f.word for q, f in zip(claim.questions, claim.findings, strict=True)}
    assert answers["SFE memory"] == "not enough runs"
    assert answers["SLA time"] == "contradicted"


@pytest.mark.parametrize("times", [None, 3.0, ["0.1"] * 9, [0.1, None] * 5])
def test_steps_that_are_no_numbers_leave_the_ratio_without_an_interval(store: Store, times: object) -> None:
    measure(store, paper("table3"), step_seconds={"baseline": [0.1] * 9, "SFE": times, "SLA": [0.2] * 9})
    claim = next(one for one in whole_paper(load_variant("paper"), Trials(store)).claims if one.claim == "4")
    found = {q.label: f for q, f in zip(claim.questions, claim.findings, strict=True)}
    assert (found["SFE time"].difference, found["SFE time"].interval95) == (1.5, None)
    assert found["SLA time"].interval95 == (2.0, 2.0)


def test_the_summary_counts_what_can_be_judged(store: Store) -> None:
    nothing = whole_paper(load_variant("paper"), Trials(store))
    assert about_claims(nothing) == "Nothing can be judged yet. 0 of 265 runs."
    assert (about_numbers(nothing) or "").startswith("None of 95 printed scores can be judged so far.")
    made = row_done(store)
    assert about_claims(made) == "Nothing can be judged yet. 12 of 265 runs."
    numbers = about_numbers(made) or ""
    assert numbers.startswith("11 of 95 printed scores can be judged: ")
    assert numbers.endswith("What is missing is not evidence for or against the paper.")


def test_with_everything_run_nothing_is_said_of_what_is_missing(store: Store) -> None:
    fill(store, [paper(name) for name in PAPER_SUITES])
    made = whole_paper(load_variant("paper"), Trials(store))
    assert made.runs["all"] == (265, 265)
    assert "of 13 claims are supported" in about_claims(made)
    numbers = about_numbers(made) or ""
    assert numbers.startswith("95 of 95 printed scores")
    assert "missing" not in numbers


def test_claims_in_small_carry_the_profiles_name(store: Store) -> None:
    suite = under("reduced", "table3")
    for row in ("SFE", "SLA"):
        train(store, cell(suite, row, "Single Accuracy (%)"), NEAR["SFE - SI"])
    made = whole_paper(suite.variant, Trials(store))
    assert about_claims(made) == (
        "1 of 13 claims can be judged so far at profile reduced: 1 supported, 0 contradicted, 0 undecided."
    )
    assert about_numbers(made) is None
    assert made.overalls == ()
    assert "Every printed number" not in summary.render(made)


def test_a_protocol_of_its_own_answers_no_claim(store: Store) -> None:
    assert not whole_paper(load_variant("paper", ["schedule.epochs=6"]), Trials(store)).variant.judges_claims


def test_trials_csv(store: Store) -> None:
    row_done(store)
    found = rows_of(paper_csv.trials([judged(paper("table1"), store), judged(paper("table4"), store)]))
    assert list(found[0]) == list(paper_csv.TRIAL_COLUMNS)
    base = [
        row
        for row in found
        if (row["suite"], row["column"], row["metric"]) == ("table1", "Baseline", "accuracy_last_epoch")
    ]
    assert [(row["seed"], row["value"]) for row in base] == list(
        zip("0123", ["74.1", "74.4", "73.9", "74.5"], strict=True)
    )
    error = [row for row in found if row["suite"] == "table4" and row["metric"] == "error_last_epoch"]
    assert [row["value"] for row in error] == ["25.6", "25.3", "25.8", "25.2"]
    assert error[0]["run_id"] == base[0]["run_id"], "shared runs stand in every table that reads them"
    assert all(row["device"] and row["commit"] for row in found)


def test_the_best_epoch_may_be_the_one_reported(store: Store) -> None:
    row_done(store)
    best = paper("table1", ["epoch_reported=best"])
    assert best.variant.results_name == "paper"
    made = whole_paper(best.variant, Trials(store))
    place = ("ResNet-110", "SFE - SI")
    assert made.verdicts["table1"][place].difference == pytest.approx(77.325 - 76.80)
    first = made.claims[0].findings[0]
    assert first.difference == pytest.approx(76.825 - 74.225)


def test_whichever_suites_are_asked_for_the_paper_is_whole(store: Store, tmp_path: Path) -> None:
    row_done(store)
    written = write_reports([paper("table2")], store, tmp_path / "one")
    assert {path.name for path in written} == {
        "table2.csv", "table2.md", "table2.png", "table2.svg", "table2.curves.png", "table2.curves.svg", "table2.tex",
        "claims.csv", "claims.tex", "trials.csv", "summary.md", "summary.csv", "differences.png", "differences.svg",
        "scoreboard.png", "index.html",
    }  # fmt: skip
    write_reports([paper("table1"), paper("table2")], store, tmp_path / "other")
    for name in ("claims.csv", "claims.tex", "trials.csv", "summary.md", "summary.csv", "index.html"):
        assert (tmp_path / "one" / "paper" / name).read_bytes() == (tmp_path / "other" / "paper" / name).read_bytes()


def test_a_measurement_counts_as_done_on_whatever_device_and_named_or_not(store: Store, tmp_path: Path) -> None:
    measure(store, paper("table3"), device="Some GPU")
    here, anywhere = paper("table3"), load_suite(SUITES / "table3.yaml", load_variant("paper"), "any")
    made = [whole_paper(here.variant, Trials(store), [judged(suite, store)]) for suite in (here, anywhere)]
    made.append(whole_paper(here.variant, Trials(store)))
    assert [one.runs for one in made] == [made[0].runs] * 3
    assert (made[0].runs["table3"], made[0].runs["all"]) == ((1, 13), (1, 265))
    assert len({summary.render(one) for one in made}) == 1


def test_a_file_that_tables_do_not_count_is_not_done(store: Store) -> None:
    made = row_done(store)
    damaged = next(iter(made.suites[0].cells["ResNet-110", "Baseline"].results)).run_id
    store.path(damaged).write_text("{")
    again = whole_paper(made.variant, Trials(store))
    assert (made.runs["all"], again.runs["all"]) == ((12, 265), (11, 265))


def test_everything_is_judged_and_read_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judgements: list[str] = []

    def counting(cells: Sequence[Reading], epoch: str) -> list[Verdict]:
        judgements.append(cells[0].suite)
        return judge(cells, epoch)

    monkeypatch.setattr("benchmark.reports.judged.judge", counting)
    write_reports([paper("table1"), paper("table3"), own(tmp_path)], store, tmp_path / "reports")
    assert len(set(judgements)) == len(judgements)
    assert {*PAPER_SUITES, "mine"} <= set(judgements) <= {*suite_names(), "mine"}


def test_a_cell_comes_with_the_results_behind_it(store: Store) -> None:
    made = row_done(store)
    found = made.suites[0].cells["ResNet-110", "SFE - SI"]
    assert found.reading is not None
    assert found.reading.last_epoch == dict(enumerate(NEAR["SFE - SI"]))
    assert {seed: result.metrics["single_last_epoch"] for seed, result in found.by_seed.items()} == (
        found.reading.last_epoch
    )
    assert found.verdict.word == "reproduced"
    cost = made.suites[2].cells["SFE", "GPU memory (MiB)"]
    assert (cost.reading, cost.results, cost.verdict.reason) == (None, (), "cost: see claim 4")


def with_a_claim(store: Store, tmp_path: Path, **part: object) -> Suite:
    """A manifest of one's own with one claim, of its first row, four trials each."""
    asked = {"kind": "greater", "label": "one", "a": ["one", "SI"], "b": ["one", "Plain"]} | part
    suite = own(tmp_path, claims=[{"claim": "mine", "statement": "Masks help", "parts": [asked]}])
    for column, values in (("SI", NEAR["SFE - SI"]), ("Plain", NEAR["Baseline"])):
        train(store, cell(suite, "one", column), values)
    return suite


def test_claims_of_ones_own_stand_beside_their_report(store: Store, tmp_path: Path) -> None:
    write_reports([with_a_claim(store, tmp_path)], store, tmp_path / "reports")
    text = (tmp_path / "reports" / "paper" / "mine.md").read_text()
    assert "| mine | Masks help | **supported** (S) | 1 of 1 parts | supported, 1 of 1 parts |" in text
    assert "| one | supported (S) | +2.60 [" in text
    assert "[mine.claims.csv](mine.claims.csv)" in text
    (row,) = rows_of((tmp_path / "reports" / "paper" / "mine.claims.csv").read_text())
    assert (row["claim"], row["part"], row["direction"], row["size"]) == ("mine", "one", "supported", "agrees")
    assert len(rows_of((tmp_path / "reports" / "paper" / "mine.trials.csv").read_text())) == 16


def test_no_part_of_a_claim_is_a_formula(store: Store, tmp_path: Path) -> None:
    cells = {"a": ["table1", "ResNet-110", "SFE - SI"], "b": ["table1", "ResNet-110", "Baseline"]}
    suite = with_a_claim(store, tmp_path, label="=HYPERLINK(1)", **cells)
    write_reports([suite], store, tmp_path / "reports")
    (row,) = rows_of((tmp_path / "reports" / "paper" / "mine.claims.csv").read_text())
    assert (row["suite"], row["part"]) == ("table1", "'=HYPERLINK(1)")


def test_which_epoch_was_chosen_by_the_test_set_is_said(store: Store, tmp_path: Path) -> None:
    for settings, said in (([], False), (["epoch_reported=best"], True)):
        suite = paper("table1", settings)
        write_reports([suite], store, tmp_path)
        for name in ("table1.md", "summary.md"):
            text = (tmp_path / suite.variant.reports_name / name).read_text()
            assert (BEST_EPOCH in text) == said


def test_parts_with_too_few_runs_are_counted_as_that(store: Store) -> None:
    suite = under("reduced", "table1")
    for row, values in (("ResNet-110", [70.0, 70.5]), ("ResNet-164", [70.0])):
        train(store, cell(suite, row, "Baseline"), values)
        train(store, cell(suite, row, "SFE - SI"), values)
    flat = under("reduced", "table6")
    for one in flat.manifest.rows:
        train(store, cell(flat, one.name, "Layer2 SI"), [70.0, 70.0])
    text = summary.render(whole_paper(suite.variant, Trials(store)))
    assert "**1. SFE's single inference beats the baseline** (10 parts more: not enough runs)" in text
    assert "| Layer2 SI | undecided (U) |  | 2 | ρ = +0.97 |" in text, "a trend that is flat has runs"
    assert "(2 parts more: not enough runs)" in text


def test_printed_gains_stand_in_claims_of_ones_own_without_any_spread(store: Store, tmp_path: Path) -> None:
    part = {"kind": "shown", "label": "one", "a": ["one", "SI"], "b": ["one", "Plain"]}
    rows = [{"name": "one", "published": ["76.80", "74.21"]}]
    suite = own(tmp_path, claims=[{"claim": "mine", "statement": "Masks help", "parts": [part]}], rows=rows)
    write_reports([suite], store, tmp_path / "reports")
    (row,) = rows_of((tmp_path / "reports" / "paper" / "mine.claims.csv").read_text())
    assert (row["published_difference"], row["published_direction"], row["trials"]) == ("2.59", "", "0")
