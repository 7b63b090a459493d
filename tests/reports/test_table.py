import re
import statistics
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmark.reports.table import Table, tabulate
from benchmark.reports.write import write_reports
from benchmark.results.store import Store
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.suite import Suite

from .fakes import cell, collect, judged, measure, own, paper, result, train, under

CONTRACT = ["suite", "row", "column", "metric", "published_mean", "published_std", "mean", "std", "trials", "verdict"]


def at(frame: pd.DataFrame, row: str, column: str, metric: str) -> dict[str, Any]:
    found = frame[(frame["row"] == row) & (frame["column"] == column) & (frame["metric"] == metric)]
    assert len(found) == 1
    return {str(key): value for key, value in found.iloc[0].items()}


def table_of(suite: Suite, store: Store) -> Table:
    return tabulate(judged(suite, store))


def flagged(table: Table, which: str) -> set[tuple[str, str]]:
    return {place for place, cell in table.cells.items() if getattr(cell, which)}


@pytest.mark.parametrize("name", PAPER_SUITES)
def test_columns_and_rows_are_the_contracts(store: Store, name: str) -> None:
    suite = paper(name)
    frame = collect(suite, store)
    assert list(frame.columns[:10]) == CONTRACT
    assert len(frame) == 2 * len(suite.cells)
    assert set(frame["verdict"]) == {"no verdict"}
    assert set(frame["trials"]) == {0}
    assert frame["mean"].isna().all()


def test_mean_and_sample_deviation(store: Store) -> None:
    suite, values = paper("table1"), [74.0, 74.5, 73.9, 74.2]
    train(store, cell(suite, "ResNet-110", "Baseline"), values)
    found = at(collect(suite, store), "ResNet-110", "Baseline", "accuracy_last_epoch")
    assert found["mean"] == pytest.approx(statistics.mean(values))
    assert found["std"] == pytest.approx(statistics.stdev(values))
    assert found["trials"] == 4
    best = at(collect(suite, store), "ResNet-110", "Baseline", "accuracy_best_epoch")
    assert best["mean"] == pytest.approx(statistics.mean(values) + 0.5)


def test_one_trial_has_no_deviation(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0])
    found = at(collect(suite, store), "ResNet-110", "Baseline", "accuracy_last_epoch")
    assert found["mean"] == 74.0
    assert pd.isna(found["std"])
    assert found["trials"] == 1


def test_an_error_rate_is_what_accuracy_leaves(store: Store) -> None:
    suite = paper("table4")
    train(store, cell(suite, "+ SLA", "Error Rate"), [80.0, 81.0])  # the final head's aggregate is 0.3 better
    frame = collect(suite, store)
    last = at(frame, "+ SLA", "Error Rate", "error_last_epoch")
    best = at(frame, "+ SLA", "Error Rate", "error_best_epoch")
    assert last["mean"] == pytest.approx(100 - 80.8)
    assert best["mean"] == pytest.approx(100 - 81.3)
    assert last["std"] == pytest.approx(statistics.stdev([80.0, 81.0]))


def test_published_numbers_stand_only_on_the_last_epochs_row(store: Store) -> None:
    frame = collect(paper("table1"), store)
    best = frame[frame["metric"] == "accuracy_best_epoch"]
    assert best["published_mean"].isna().all()
    assert best["published_std"].isna().all()
    last = at(frame, "ResNet-110", "SFE - AG", "accuracy_last_epoch")
    assert (last["published_mean"], last["published_std"]) == (76.84, 0.25)


def test_costs_with_their_overheads(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="Some GPU")
    frame = collect(suite, store)
    memory = at(frame, "SFE", "GPU memory (MiB)", "memory_mib")
    assert (memory["published_mean"], memory["mean"], memory["trials"]) == (3455, 1500, 1)
    assert pd.isna(memory["std"])
    assert memory["measured_on"] == "Some GPU"
    assert memory["memory_kind"] == "peak of torch's allocator"
    overhead = at(frame, "SLA", "Training time (sec/iter)", "time_overhead_percent")
    assert (overhead["published_mean"], overhead["mean"]) == (289.3, 100)
    added = at(frame, "SFE, pooled first", "GPU memory (MiB)", "memory_overhead_percent")
    assert pd.isna(added["published_mean"])
    assert added["mean"] == 150


def test_memory_that_no_one_can_measure_stays_empty(store: Store) -> None:
    suite = paper("table3")
    spec = cell(suite, "SFE", "GPU memory (MiB)").spec
    blank = dict.fromkeys(("memory_mib", "memory_overhead_percent", "seconds_per_step", "time_overhead_percent"), None)
    store.put(result(spec, dict.fromkeys(("baseline", "SFE", "SLA", "SFE, pooled first"), blank)))
    found = at(collect(suite, store), "SFE", "GPU memory (MiB)", "memory_mib")
    assert pd.isna(found["mean"])
    assert found["trials"] == 0


def test_runs_that_tables_share_count_in_each(store: Store) -> None:
    train(store, cell(paper("table1"), "ResNet-110", "SFE - SI"), [76.0, 77.0, 78.0])
    table1, table7 = collect(paper("table1"), store), collect(paper("table7"), store)
    assert at(table1, "ResNet-110", "SFE - SI", "accuracy_last_epoch")["trials"] == 3
    assert at(table7, "2 Classifiers", "ResNet110 + SFE SI", "accuracy_last_epoch")["mean"] == 77.0
    aggregated = at(table1, "ResNet-110", "SFE - AG", "accuracy_last_epoch")
    assert aggregated["mean"] == pytest.approx(77.1)


@pytest.mark.parametrize("value", [None, "76", True])
def test_a_result_without_the_number_is_named(store: Store, value: object) -> None:
    suite = paper("table1")
    baseline = cell(suite, "ResNet-110", "Baseline")
    lacking = result(baseline.spec, {"single_last_epoch": value, "single_best_epoch": 76.0})
    store.put(lacking)
    found = at(collect(suite, store), "ResNet-110", "Baseline", "accuracy_last_epoch")
    assert (found["trials"], found["not_counted"]) == (0, f"{lacking.run_id}.json")


def test_the_table_carries_trials_and_what_was_wanted(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.2, 74.4])
    found = table_of(suite, store).cells["ResNet-110", "Baseline"]
    assert found.summary is not None
    assert (found.summary.trials, found.trials_wanted) == (3, 4)
    asked = tabulate(judged(suite, store), trials_wanted=2).cells["ResNet-110", "Baseline"]
    assert asked.trials_wanted == 2
    assert under("smoke", "table1").trials == 2


def test_best_of_each_row_ours_and_published_apart(store: Store) -> None:
    suite = paper("table1")
    for column, value in (("Baseline", 74.0), ("SFE - SI", 76.0), ("SFE - SD", 80.0)):
        train(store, cell(suite, "ResNet-110", column), 4 * [value])
    table = table_of(suite, store)
    assert flagged(table, "best_ours") == {("ResNet-110", "SFE - SD")}
    published = flagged(table, "best_published")
    assert ("ResNet-110", "SFE - AG") in published
    assert len(published) == 6


def test_the_best_of_every_format_is_among_complete_cells(store: Store, tmp_path: Path) -> None:
    suite = under("mini", "table1")
    for column, values in (("Baseline", 4 * [74.0]), ("SFE - SI", 4 * [73.0]), ("SFE - SD", 3 * [80.0])):
        train(store, cell(suite, "ResNet-110", column), values)
    write_reports([suite], store, tmp_path)
    found = {ending: (tmp_path / "mini" / f"table1.{ending}").read_text(encoding="utf-8") for ending in ("md", "tex")}
    page = (tmp_path / "mini" / "index.html").read_text(encoding="utf-8")
    section = page[page.index('<h2 id="table1">') : page.index('<h2 id="table2">')]
    assert re.findall(r"\*\*(\d[^*]+)\*\*", found["md"]) == ["74.00 ± 0.00"]
    assert re.findall(r"\\textbf{([^}]*)}", found["tex"]) == ["74.00\\,$\\pm$\\,0.00"]
    assert re.findall(r"<b>(\d[^<]+)</b>", section) == ["74.00 ± 0.00"]


def test_what_prints_the_same_ties(store: Store, tmp_path: Path) -> None:
    suite = own(tmp_path)
    train(store, cell(suite, "one", "SI"), 4 * [76.001])
    train(store, cell(suite, "one", "Plain"), 4 * [76.004])
    assert flagged(table_of(suite, store), "best_ours") == {("one", "SI"), ("one", "Plain")}


def test_a_lone_mean_is_no_best(store: Store, tmp_path: Path) -> None:
    suite = own(tmp_path)
    train(store, cell(suite, "one", "SI"), 4 * [76.0])
    assert flagged(table_of(suite, store), "best_ours") == set()


def test_best_of_the_table_is_the_lowest_error(store: Store) -> None:
    suite = paper("table4")
    for row, accuracy in (("ResNet110", 74.0), ("+ SLA", 80.0), ("+ Cutout", 76.0)):
        train(store, cell(suite, row, "Error Rate"), 4 * [accuracy])
    table = table_of(suite, store)
    assert flagged(table, "best_ours") == {("+ SLA", "Error Rate")}
    assert flagged(table, "best_published") == {("+ Cutout + SLA + SFE (ours)", "Error Rate")}


@pytest.mark.parametrize("name", ["table3", "table6"])
def test_no_best_where_the_manifest_wants_none(store: Store, name: str) -> None:
    suite = paper(name)
    assert flagged(table_of(suite, store), "best_published") == set()


def test_costs_are_never_best(store: Store, tmp_path: Path) -> None:
    columns = [
        {"name": "SI", "reads": "single"},
        {"name": "Memory", "reads": "memory_mib"},
        {"name": "AG", "reads": "aggregated"},
    ]
    rows = [{"name": "one", "published": ["70.00", "2846", "71.00"]}]
    suite = own(tmp_path, best="table", columns=columns, rows=rows)
    assert flagged(table_of(suite, store), "best_published") == {("one", "AG")}
