"""Real trainings through real engines, their driver killed on the way: the same digits as here."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engines import labs
from tests.places import ROOT

MANIFEST = """
suite: mine
title: two trainings
source: our own
metric: accuracy
margin: 1.0
corner: Method
best: none
trials: 1
defaults:
  dataset: {name: cifar10, source: standin}
  network: {family: resnet, depth: 11}
columns:
  - {name: SI, reads: single}
rows:
  - name: Baseline
  - name: SFE
    train: {method: {classifiers: 2, beta: 0.5, masks: {views: 4}}}
"""


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    (folder / "mine.yaml").write_text(MANIFEST)
    places = [f"--{name}-dir={folder / name}" for name in ("results", "reports", "scratch")]
    command = [sys.executable, str(ROOT / "run_suite.py"), "run", "mine.yaml", "--profile=smoke", "--device=cpu"]
    return subprocess.Popen([*command, *places, *words], cwd=folder, text=True, stdout=-1, stderr=-2)


def done(process: "subprocess.Popen[str]", status: int = 0) -> str:
    said, _ = process.communicate(timeout=400)
    assert process.returncode == status, said
    return said


def digits(folder: Path) -> dict[str, Any]:
    found = [json.loads(path.read_text()) for path in (folder / "results" / "smoke").glob("*.json")]
    return {result["run_id"]: (result["metrics"], result["history"]) for result in found}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the two runs come to on this machine."""
    folder = tmp_path_factory.mktemp("here")
    done(start(folder))
    found = digits(folder)
    assert len(found) == 2
    return found


def same_digits_though_the_driver_dies(folder: Path, here: dict[str, Any], words: Sequence[str]) -> None:
    killed = start(folder, *words)
    time.sleep(random.uniform(2, 10))
    killed.kill()
    killed.communicate()
    done(start(folder, *words))
    assert digits(folder) == here
    attempts = [path.read_text().split() for path in folder.glob("scratch/runs/*/*/attempts.txt")]
    assert [words.count('"completed"') for words in attempts] == [1, 1], "nothing is trained twice"


def test_through_slurm(slurm_lab: Path, here: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "slurm.yaml").write_text("poll_s: 0.5\nsettle_s: 2\nslurm_comment: of a test\n")
    words = ("--executor=slurm", "--executor-config=slurm.yaml")
    same_digits_though_the_driver_dies(tmp_path, here, words)


def test_through_ray(ray_lab: labs.Ray, here: dict[str, Any], tmp_path: Path) -> None:
    words = ("--executor=ray", f"--executor-set=address={ray_lab.address}", "--executor-set=settle_s=2")
    same_digits_though_the_driver_dies(tmp_path, here, words)
