"""``report --format json``."""

import json
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.results.store import Result, Store
from tests.reports.fakes import cell, train, under


def test_results_are_read_once_for_files_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, store = under("reduced", "table1"), Store(tmp_path / "results" / "reduced")
    train(store, cell(suite, "ResNet-110", "Baseline"), [70.0, 70.5])
    opened: list[str] = []
    load = Store.load

    def counting(self: Store, name: str) -> Result:
        opened.append(name)
        return load(self, name)

    monkeypatch.setattr(Store, "load", counting)
    folders = ("--results-dir", str(tmp_path / "results"), "--reports-dir", str(tmp_path / "reports"))
    words = ["run_suite.py", "report", "table1", "--profile", "reduced", "--format", "json", *folders]
    monkeypatch.setattr("sys.argv", words)
    main()
    first = json.loads(capsys.readouterr().out)["suites"]["table1"][0]
    assert (first["mean"], first["trials"]) == (70.25, 2)
    assert sorted(opened) == sorted(store.completed())
    assert (tmp_path / "reports" / "reduced" / "table1.csv").exists()
