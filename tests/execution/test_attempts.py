"""What the end of a worker means, once for each way in which it may come."""

from pathlib import Path
from typing import Any

import pytest

from benchmark.execution.attempts import IN_VAIN_LIMIT, Attempt
from benchmark.execution.executors.contract import Need, State
from benchmark.execution.run_folder import EXIT_INTERRUPTED, RunFolder
from benchmark.results.store import Store
from benchmark.system.files import write_atomic
from tests.execution.test_scheduler import Bench, FakeExecutor, bench, complete, in_vain, quick, runs_of, vanish

__all__ = ["bench", "quick"]
NEED = Need(memory_gib=1.0, gpus=0.0, threads=1)


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    [run] = runs_of(1)
    folder = RunFolder(tmp_path / "runs" / run.run_id)
    folder.folder.mkdir(parents=True)
    return Attempt(run, folder, Store(tmp_path / "results"), "cpu", NEED)


def ended(attempt: Attempt, status: int | None, *words: str, note: str = "", stopping: bool = False) -> str:
    """The outcome of another worker of it."""
    attempt.begin()
    for word in words:
        attempt.folder.note_attempt(word)
    attempt.see(State(phase="ended", exit_status=status, note=note), 0.0)
    return attempt.outcome(status, stopping=stopping, timeout_min=None)


def interrupted(attempt: Attempt, **more: Any) -> str:
    return ended(attempt, EXIT_INTERRUPTED, "start", "interrupted", **more)


def reason(attempt: Attempt) -> str:
    failure = attempt.store.load_failure(attempt.name).failure
    assert failure
    return failure.reason


def test_what_is_ended_before_it_saves_anything_is_not_started_for_ever(bench: Bench) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(in_vain)
    assert bench.run(executor, [run]).failed == {run.run_id: "crashed"}
    assert len(executor.started) == IN_VAIN_LIMIT
    again = FakeExecutor(in_vain, in_vain, complete)
    assert bench.run(again, [run], retry_failed=True).completed == 1


def test_the_record_says_how_often_and_what_its_engine_says(attempt: Attempt) -> None:
    assert [interrupted(attempt, note="TIMEOUT") for _ in range(IN_VAIN_LIMIT)][-1] == "crashed"
    assert reason(attempt).startswith("was ended 3 times before it could save a step (TIMEOUT); give it more time")


def test_a_moved_checkpoint_is_progress(attempt: Attempt) -> None:
    for number in range(4 * IN_VAIN_LIMIT):
        attempt.begin()
        if number % IN_VAIN_LIMIT == 0:
            write_atomic(attempt.folder.checkpoint, b"the same bytes")
        attempt.folder.note_attempt("start")
        assert attempt.outcome(EXIT_INTERRUPTED, stopping=False, timeout_min=None) == "interrupted"


def test_who_asks_for_an_end_here_blames_no_run(attempt: Attempt) -> None:
    assert {interrupted(attempt, stopping=True) for _ in range(5)} == {"interrupted"}


def test_what_never_began_was_not_ended(attempt: Attempt) -> None:
    """Ray gives up what has waited for a quarter of an hour."""
    assert {ended(attempt, EXIT_INTERRUPTED) for _ in range(5)} == {"interrupted"}


def test_vanishing_in_between_hides_nothing(bench: Bench) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(*[vanish, in_vain] * 5)
    assert bench.run(executor, [run]).failed == {run.run_id: "crashed"}
    assert len(executor.started) == 4


def test_what_an_engine_says_of_a_vanished_worker_is_kept(attempt: Attempt) -> None:
    assert [ended(attempt, None, "start", note="NODE_FAIL") for _ in range(3)][-1] == "crashed"
    assert reason(attempt) == "its process ended 3 times without a word (NODE_FAIL)"


def test_and_its_status_beside_that(attempt: Attempt) -> None:
    assert [ended(attempt, -9, "start", note="OUT_OF_MEMORY") for _ in range(3)][-1] == "crashed"
    assert reason(attempt) == "its process ended 3 times without a word (status -9, OUT_OF_MEMORY)"
