"""Commands in the background, and what becomes of their workers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.execution.held import Drivers, all_held
from benchmark.execution.places import run_folders
from benchmark.results.store import Store

from .places import ROOT
from .test_disk import TINY

ONE = TINY.replace(", {name: two, train: {mixing: {cutout_size: 4}}}", "")
PATIENCE_S = 240.0


class Place:
    """A manifest of one short run, with folders of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, Store(root / "results" / "smoke")
        self.manifest = root / "tiny.yaml"
        self.manifest.write_text(ONE)
        self.runs = run_folders(root / "scratch", self.store)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        folders = [f"--{kind}-dir={self.root / kind}" for kind in ("results", "scratch")]
        return subprocess.run(
            [sys.executable, "run_suite.py", *words, "--profile", "smoke", *folders],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        fixed = ("--trials", "1", "--jobs", "2", "--device", "cpu", f"--reports-dir={self.root / 'reports'}")
        return self.command("run", str(self.manifest), *fixed, *words)

    def said(self) -> str:
        return "".join(path.read_text() for path in sorted((self.runs / "drivers").glob("*.log")))

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.runs.glob("*/log.txt"))


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_workers_of_a_killed_driver_are_gone_on_with(place: Place) -> None:
    begun = place.run("--detach")
    assert begun.returncode == 0, begun.stdout
    assert "goes on in the background as process " in begun.stdout
    pid = int(begun.stdout.split("as process ")[1].split(":")[0])
    wait_for(lambda: len(all_held(place.runs)) == 1)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: place.logs().count(" UTC start ") == 1)  # they go on without it
    again = place.run()
    assert again.returncode == 0, again.stdout
    assert len(place.store.completed()) == 1
    assert place.logs().count(" UTC start ") == 1, "nothing was started twice"
    assert all_held(place.runs) == {}


def test_stop_ends_what_is_in_the_background(place: Place) -> None:
    assert place.run("--detach").returncode == 0
    wait_for(lambda: Drivers(place.runs).at_work())
    stopped = place.command("stop")
    assert stopped.returncode == 0, stopped.stdout
    assert "1 command stopped" in stopped.stdout
    assert Drivers(place.runs).at_work() == []
    assert all_held(place.runs) == {}
    assert place.store.failed() == set()
    wait_for(lambda: "goes on from here" in place.said() or place.store.completed())


def test_bad_input_is_said_before_anything_goes_to_the_background(place: Place) -> None:
    place.manifest.write_text(ONE.replace("resnet", "no network"))
    refused = place.run("--detach")
    assert refused.returncode == 2
    assert not (place.root / "scratch").exists()
