from pathlib import Path

from benchmark.reports.changes import changes
from benchmark.reports.renderers import tidy_csv
from benchmark.reports.write import stale_reports, write_reports
from benchmark.results.store import Store

from .fakes import cell, judged, paper, train


def test_a_changed_cell_has_one_line(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "SFE - SI"), [76.6])
    before = tidy_csv.render(judged(suite, store))
    train(store, cell(suite, "ResNet-110", "SFE - SI"), [76.9, 76.8, 77.0], seeds=[1, 2, 3])
    after = tidy_csv.render(judged(suite, store))
    assert changes("table1", before, before) == []
    first, *rest = changes("table1", before, after)
    assert first == "table1 ResNet-110 / SFE - SI: no verdict → reproduced, n 1 → 4"
    assert [line.split(":")[0] for line in rest] == ["table1 ResNet-110 / SFE - AG"]


def test_a_mean_alone_is_a_change_too() -> None:
    head = "suite,row,column,metric,published_mean,mean,trials,verdict\n"
    one = "mine,a,b,accuracy_last_epoch,,{},2,no verdict\nmine,a,b,accuracy_best_epoch,,9,2,no verdict\n"
    assert changes("mine", head + one.format("70.1"), head + one.format("70.2")) == ["mine a / b: mean 70.1 → 70.2"]


def test_a_changed_claim_has_one_line() -> None:
    head = "claim,part,claim_verdict,parts_supported,parts\n"
    before, after = head + "1,a,undecided,0,2\n1,b,undecided,0,2\n", head + "1,a,supported,2,2\n1,b,supported,2,2\n"
    assert changes("claims", before, after) == [
        "claims claim 1: undecided → supported, parts supported 0 of 2 → 2 of 2"
    ]
    assert changes("trials", "suite,row\n1,2\n", "suite,row\n3,4\n") == []


def test_reports_say_what_changed_before_they_write(store: Store, tmp_path: Path) -> None:
    suite, reports = paper("table2"), tmp_path / "reports"
    told: list[str] = []
    write_reports([suite], store, reports, told=told.append)
    assert told == []
    train(store, cell(suite, "CIFAR-10", "Baseline"), [94.0])
    stale_reports([suite], store, reports, told=told.append)
    assert told == ["table2 CIFAR-10 / Baseline: n 0 → 1"]
    write_reports([suite], store, reports, told=told.append)
    assert told[1:] == told[:1]
