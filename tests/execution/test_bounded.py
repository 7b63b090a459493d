"""Runs with a time limit."""

import time
from pathlib import Path
from typing import Any

import pytest

from benchmark.execution.run_folder import EXIT_FAILED
from benchmark.results.store import Result
from benchmark.training import checkpoint, evaluation, loop
from tests.execution.place import Place, cost_place, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def test_a_bounded_run_times_out_and_can_go_on(tmp_path: Path, undisturbed: Result) -> None:
    place = Place(tmp_path, spec_of(), timeout_min=1e-9)
    assert place.run() == EXIT_FAILED
    assert place.failure().status == "timed_out"
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (0, 1)
    again = Place(tmp_path, spec_of(), timeout_min=60.0)
    assert again.run() == 0
    assert again.result().history == undisturbed.history


def test_the_time_of_an_attempt_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluation and loading are no training steps, and last all the same."""
    place, slept = Place(tmp_path, spec_of(), timeout_min=10.0), [0.0]
    monotonic, evaluate = time.monotonic, evaluation.evaluate

    def slow(*arguments: Any, **options: Any) -> Any:
        slept[0] += 3600
        return evaluate(*arguments, **options)

    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + slept[0])
    monkeypatch.setattr(loop, "evaluate", slow)
    assert place.run() == EXIT_FAILED
    failure = place.failure()
    assert failure.status == "timed_out"
    assert failure.failure is not None
    assert "this attempt took more than 10 minutes" in failure.failure.reason
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)  # the epoch that was evaluated is not lost


def test_a_cost_run_is_bounded(tmp_path: Path) -> None:
    place = cost_place(tmp_path, timeout_min=1e-9)
    assert place.run() == EXIT_FAILED
    assert place.failure().status == "timed_out"
