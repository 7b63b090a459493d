from pathlib import Path

import pytest

from benchmark.execution.held import all_held
from benchmark.execution.places import run_folders
from tests.execution.simulation import PHASES, simulate


def test_thousands_of_runs_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measurement of docs/performance.md: every run once, through the driver's own doors, in each of its parts."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    outcome, measured, whole = simulate(tmp_path, trials=1, slots=16, seconds=60.0)
    assert (outcome.summary.completed, outcome.untried) == (67, 0)
    assert sorted(measured.engine.submitted) == sorted(outcome.store.completed())
    assert all_held(run_folders(tmp_path / "scratch", outcome.store)) == {}
    assert len(measured.mib) == 67 // 16
    assert all(measured.seconds[phase] >= 0 for phase in PHASES)
    assert sum(measured.seconds.values()) <= whole
