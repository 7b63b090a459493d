"""``log``, without anything trained."""

import json
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmark.execution.epochs import EpochFile
from benchmark.execution.places import run_folders
from benchmark.execution.run_folder import RunFolder
from benchmark.results.store import Store
from tests.cli.test_cli import BASELINE, Command, complete, refused
from tests.cli.test_cli import command as command
from tests.cli.test_cli import folders as folders
from tests.made import result


@pytest.fixture
def folder(folders: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(sys.modules["benchmark.cli.log"], "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(sys.modules["benchmark.cli.log"], "FAILED_SECONDS", 0.1)
    store = Store(folders / "results" / "paper")
    made = RunFolder(run_folders(folders / "scratch", store) / BASELINE)
    made.folder.mkdir(parents=True)
    return made


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize("name", ["aa55db", BASELINE, "resnet-110 / baseline", "table4: ResNet110 / Error Rate"])
def test_a_log_and_a_curve_so_far(command: Command, folder: RunFolder, name: str) -> None:
    add(folder.log, "".join(f"line {number}\n" for number in range(30)))
    EpochFile(folder.epochs).hold(result().history[:2])
    said = command("log", name, "--lines", "3")
    assert said.status == 0, said.err
    first, log, epochs, *rest = said.out.splitlines()
    assert first == f"missing {BASELINE}"
    assert log.endswith(str(folder.log))
    assert epochs.endswith("epochs.jsonl")
    assert rest[:3] == ["line 27", "line 28", "line 29"]
    assert "o single 70.00 %" in rest[-2]
    tree = json.loads(command("log", name, "--format", "json").out)
    assert (tree["run_id"], len(tree["epochs"]), len(tree["log"])) == (BASELINE, 2, 20)


def test_a_result_is_the_better_witness(command: Command, folders: Path) -> None:
    complete(folders, BASELINE)
    said = command("log", "aa55db")
    assert said.out.startswith(f"done {BASELINE}")
    assert "result " in said.out


def test_names_of_none_and_of_several_are_refused(command: Command, folder: RunFolder, folders: Path) -> None:
    refused(command("log", "nothing"), "nothing: no cell has such a name")
    refused(command("log", "DenseNet / Baseline"), "DenseNet / Baseline: there is such a cell, but no run of it here")
    (folder.folder.parent / BASELINE.replace("s0-aa", "s1-bb")).mkdir()
    refused(command("log", "resnet110"), "part of several runs' ids")
    refused(command("log", "aa55db", "--follow", "--format", "json"), "--follow")


def test_following_goes_through_retries_to_the_end(command: Command, folder: RunFolder, folders: Path) -> None:
    history = result().history

    def work() -> None:
        for attempt in (1, 2):
            time.sleep(0.1)
            add(folder.log, f"start {attempt}\n")
            EpochFile(folder.epochs).hold(history[:attempt])
            time.sleep(0.05)
            add(folder.log, "torn")
        complete(folders, BASELINE)

    worker = threading.Thread(target=work)
    add(folder.log, "before\n")
    worker.start()
    said = command("log", "aa55db", "--follow")
    worker.join()
    assert said.status == 0
    lines = said.out.splitlines()
    assert lines.count("before") == 1
    assert [line for line in lines if "start" in line] == ["start 1", "tornstart 2"]
    assert [line.split()[1] for line in lines if line.startswith("epoch ") and "/" in line] == ["1/1", "2/2"]
    assert lines[-2] == "torn"
    assert lines[-1].startswith(f"done {BASELINE}")


def test_following_a_failed_run_ends_with_1(command: Command, folder: RunFolder, folders: Path) -> None:
    complete(folders, BASELINE, status="crashed")
    said = command("log", "aa55db", "--follow")
    assert said.status == 1
    assert said.out.splitlines()[-1].startswith(f"failed {BASELINE}")
