"""Full and read-only disks, and two runners on one results folder."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import benchmark.execution.worker
from benchmark.cli import main
from benchmark.execution.run_folder import EXIT_BUSY, EXIT_FAILED, Job, RunFolder
from benchmark.execution.summary import Summary
from benchmark.results.store import Store
from benchmark.runs.spec import run_id
from benchmark.system.folders import why_unwritable
from benchmark.system.locks import Lock
from benchmark.training import checkpoint

from .made import result, spec
from .places import ROOT

#: Two tiny runs of a manifest of somebody's own.
TINY = """
suite: tiny
title: Tiny
source: nowhere
metric: accuracy
margin: 1.0
corner: Network
best: none
defaults: {dataset: cifar10, network: {family: resnet, depth: 11}, method: {}}
columns: [{name: Plain, reads: single}]
rows: [{name: one}, {name: two, train: {mixing: {cutout_size: 4}}}]
"""

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().err

    return call


def no_space(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["results", "scratch", "reports"])
def test_a_place_that_can_not_be_written_is_said_before_anything_runs(
    name: str, tmp_path: Path, manifest: Path, command: Command
) -> None:
    (tmp_path / "file").write_text("a file, no folder")  # nobody can write below it, the superuser neither
    places = {kind: tmp_path / kind for kind in ("results", "scratch", "reports")} | {name: tmp_path / "file" / name}
    options = [word for kind, path in places.items() for word in (f"--{kind}-dir", path)]
    status, said = command("run", manifest, "--profile", "smoke", *options)
    assert status == 2
    assert said.startswith("error: ")
    assert str(tmp_path / "file" / name) in said
    assert "can't be used: Not a directory" in said
    assert said.count("\n") == 1
    assert not list((tmp_path / "results").glob("**/*.json"))


def test_a_disk_that_fills_up_under_the_runner(
    tmp_path: Path, manifest: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the checks made first: the job can't be written."""
    monkeypatch.setattr("benchmark.system.files._write_atomic", no_space)
    options = [word for kind in ("results", "scratch", "reports") for word in (f"--{kind}-dir", tmp_path / kind)]
    status, said = command("run", manifest, "--profile", "smoke", *options)
    assert status == 1
    assert said.startswith("error: ")
    assert "job.json: No space left on device; nothing that was there is harmed" in said
    assert said.count("\n") == 1


def test_a_full_disk_is_told_by_writing(tmp_path: Path) -> None:
    if Path("/dev/full").exists():
        assert why_unwritable(Path("/dev/full")) is not None
    assert why_unwritable(tmp_path) is None


def ordered(tmp_path: Path) -> RunFolder:
    of = spec(
        dataset={"name": "cifar10", "source": "standin", "train_images": 8, "test_images": 4},
        network={"family": "resnet", "depth": 11},
        schedule={"epochs": 1, "batch_size": 4, "learning_rate": 0.01},
    )
    folder = RunFolder(tmp_path / "run")
    job = Job(
        run_id=run_id(of),
        spec=of,
        results_folder=str(tmp_path / "results"),
        data_dir=None,
        cache_dir=str(tmp_path / "cache"),
        device="cpu",
        checkpoint_minutes=0,
    )
    folder.order(job)
    return folder


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker without its signal handlers and without its changes to torch."""
    monkeypatch.setattr("benchmark.execution.watch.ENDING", ())
    monkeypatch.setattr("benchmark.training.loop.apply_numerics", lambda numerics: None)


@pytest.mark.usefixtures("in_this_process")
def test_a_run_outlives_checkpoints_that_find_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ordered(tmp_path)
    monkeypatch.setattr(checkpoint, "write_atomic", no_space)
    assert benchmark.execution.worker.main([str(folder.folder)]) == 0
    assert capsys.readouterr().out.count("no checkpoint was written: ") == 2
    assert Store(tmp_path / "results").completed() == {folder.job().run_id}


def test_reports_that_find_no_room_are_no_bad_input(
    tmp_path: Path, manifest: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "p/tiny.csv")

    monkeypatch.setattr("benchmark.execution.scheduler.Scheduler.run", lambda *_, **__: Summary())
    monkeypatch.setattr("benchmark.reports.write.write_atomic", no_room)
    options = [word for kind in ("results", "scratch", "reports") for word in (f"--{kind}-dir", tmp_path / kind)]
    status, said = command("run", manifest, "--profile", "smoke", *options)
    assert status == 1
    assert "the reports can't be written, `report` makes them of the results: p/tiny.csv: No space left" in said


def test_a_failure_without_a_record_points_to_none(
    tmp_path: Path, manifest: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = Summary(failed={"some-run": "failed without a record: No space left on device"})
    monkeypatch.setattr("benchmark.execution.scheduler.Scheduler.run", lambda *_, **__: summary)
    options = [word for kind in ("results", "scratch", "reports") for word in (f"--{kind}-dir", tmp_path / kind)]
    status, said = command("run", manifest, "--profile", "smoke", *options)
    assert (status, said) == (1, "failed: some-run: failed without a record: No space left on device\n")


@pytest.mark.usefixtures("in_this_process")
def test_a_result_that_finds_no_room_leaves_all_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = ordered(tmp_path), Store(tmp_path / "results")
    store.put(result())
    monkeypatch.setattr("benchmark.results.store.write_atomic", no_space)
    assert benchmark.execution.worker.main([str(folder.folder)]) == EXIT_FAILED
    assert "(which can't be recorded: No space left on device)" in capsys.readouterr().out
    assert store.load(result().run_id) == result()
    assert store.completed() == {result().run_id}
    assert checkpoint.load(folder.checkpoint, folder.job().run_id) is not None, "the work is not lost"


def test_a_run_under_way_from_another_scratch_folder_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ordered(tmp_path)
    with Lock(Store(tmp_path / "results").lock(folder.job().run_id)):
        assert benchmark.execution.worker.main([str(folder.folder)]) == EXIT_BUSY
    assert f"process {os.getpid()} on " in capsys.readouterr().out
    assert not folder.attempts.exists(), "this is no attempt that vanished"


def test_two_runners_train_every_run_once(tmp_path: Path, manifest: Path) -> None:
    words = [sys.executable, "run_suite.py", "run", str(manifest), "--profile", "smoke", "--trials", "1", "--jobs", "1"]
    places = [f"--{kind}-dir={tmp_path / kind}" for kind in ("results", "reports")]
    runners = [
        subprocess.Popen(
            [*words, *places, f"--scratch-dir={tmp_path / scratch}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for scratch in ("one", "two")  # not even their scratch folders are shared
    ]
    said = [runner.communicate(timeout=240)[0] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], said
    names = Store(tmp_path / "results" / "smoke").completed()
    assert len(names) == 2
    assert all("Traceback" not in text for text in said)
    logs = "".join(path.read_text() for path in tmp_path.glob("*/runs/*/*/log.txt"))
    assert logs.count(" UTC start ") - logs.count("another worker has completed it") == 2, logs
    assert not list(tmp_path.glob("*/runs/*/*/checkpoint.pt"))
