import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.errors import UserError
from benchmark.execution.run_folder import Job, Progress, RunFolder
from benchmark.runs.spec import RUN_SPEC, run_id
from tests.runs.test_spec import COST, SD, SMOKE


def job(tree: dict[str, Any], device: str = "cpu") -> Job:
    spec = RUN_SPEC.validate_python({"kind": "train", **tree})
    return Job(
        run_id=run_id(spec),
        spec=spec,
        results_folder="/somewhere/results/paper",
        data_dir=None,
        cache_dir="/somewhere/scratch/data",
        device=device,
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.mark.parametrize("tree", [SD, SMOKE, COST], ids=["training", "smoke", "cost"])
def test_a_worker_reads_the_job_that_was_left(tmp_path: Path, tree: dict[str, Any]) -> None:
    folder = RunFolder(tmp_path / "not" / "there" / "yet")
    folder.order(job(tree))
    assert folder.job() == job(tree)
    assert run_id(folder.job().spec) == folder.job().run_id


def test_a_second_order_replaces_the_first(folder: RunFolder) -> None:
    folder.order(job(SD))
    folder.order(job(SD, device="cuda"))
    assert folder.job().device == "cuda"


def test_an_order_forgets_how_far_a_run_was_that_left_no_state(folder: RunFolder) -> None:
    folder.report(Progress(done=0.5, text="epoch 2/4", seconds=60.0))
    folder.checkpoint.write_bytes(b"a state")
    folder.order(job(SD))
    assert folder.progress() is not None
    folder.checkpoint.unlink()
    folder.order(job(SD))
    assert folder.progress() is None


def test_a_device_is_the_processor_or_a_gpu() -> None:
    with pytest.raises(ValidationError):
        job(SD, device="tpu")


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"run_id": 3}'])
def test_no_usable_job(folder: RunFolder, content: str | None) -> None:
    if content is not None:
        (folder.folder / "job.json").write_text(content)
    with pytest.raises(UserError, match=r"job\.json: no usable job"):
        folder.job()


def test_progress_is_the_last_word(folder: RunFolder) -> None:
    assert folder.progress() is None
    folder.report(Progress(done=0.25, text="epoch 1 of 4"))
    folder.report(Progress(done=0.5, text="epoch 2 of 4"))
    assert folder.progress() == Progress(done=0.5, text="epoch 2 of 4")
    assert [path.name for path in folder.folder.iterdir()] == ["progress.json"]


def test_a_damaged_progress_is_none(folder: RunFolder) -> None:
    (folder.folder / "progress.json").write_text('{"done": 0.')
    assert folder.progress() is None


def test_log_tail(folder: RunFolder) -> None:
    assert folder.log_tail() == []
    folder.log.write_bytes("".join(f"line {number}\n" for number in range(30)).encode() + b"\xff torn")
    assert folder.log_tail(3) == ["line 28", "line 29", "\ufffd torn"]
    assert len(folder.log_tail()) == 20
    assert len(folder.log_tail(100)) == 31


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ([], 0),
        (["start"], 1),
        (["start", "start"], 2),
        (["start", "start", "start"], 3),
        (["start", "interrupted"], 0),
        (["start", "interrupted", "start"], 1),
        (["start", "start", "interrupted"], 0),
        (["start", "start", "interrupted", "start", "start"], 2),
        (["start", "failed"], 0),
        (["start", "completed", "start"], 1),
    ],
)
def test_vanished_counts_starts_without_an_end_since_the_last_end(
    folder: RunFolder, words: list[str], count: int
) -> None:
    for word in words:
        folder.note_attempt(word)
    assert folder.vanished() == count


def test_the_most_runs_beside_an_attempt_are_kept(folder: RunFolder) -> None:
    assert folder.beside() == 0
    for runs in (1, 3, 2):
        folder.note_beside(runs)
    assert folder.beside() == 3
    folder.order(job(SD))  # another attempt
    assert folder.beside() == 0
    (folder.folder / "beside.txt").write_text("some")
    assert folder.beside() == 0


def test_a_torn_attempt_hides_no_others(folder: RunFolder) -> None:
    """A power cut in the middle of a line: the starts before it still count."""
    for _ in range(3):
        folder.note_attempt("start")
    with folder.attempts.open("a") as file:
        file.write('"sta')
    assert folder.vanished() >= 3


def test_why_steps_can_not_be_recorded_is_kept_until_the_run_is_done(folder: RunFolder) -> None:
    assert folder.graphs_refused() is None
    folder.refuse_graphs("RuntimeError: it reads a number")
    assert folder.graphs_refused() == "RuntimeError: it reads a number"
    folder.clear()
    assert folder.graphs_refused() is None


def test_a_recording_that_its_process_did_not_survive_is_not_tried_again(folder: RunFolder) -> None:
    with folder.recording():
        found = folder.graphs_refused()  # as a later attempt would, after a kill here
    assert found == "a process ended while it recorded a step"
    assert folder.graphs_refused() is None
    with pytest.raises(ValueError, match="no"), folder.recording():
        raise ValueError("no")
    assert folder.graphs_refused() is None, "whoever lives to tell says why"
    folder.recording().__enter__()
    folder.clear()
    assert folder.graphs_refused() is None


def test_clearing_forgets_the_state_and_keeps_the_log(folder: RunFolder) -> None:
    folder.order(job(SD))
    folder.report(Progress(done=1.0, text="done"))
    folder.note_attempt("start")
    folder.log.write_text("a line\n")
    folder.checkpoint.write_bytes(b"state")
    folder.clear()
    assert not folder.checkpoint.exists()
    assert folder.progress() is None
    assert folder.log_tail() == ["a line"]
    folder.clear()  # and again


def test_folders_of_a_job_may_have_any_bytes(folder: RunFolder) -> None:
    odd = os.fsdecode(b"/somewhere/folder-\xff")
    given = job(SD).model_copy(update={"results_folder": odd, "data_dir": odd, "cache_dir": odd})
    folder.order(given)
    assert folder.job() == given
