"""The program as a user runs it: a command in, a finished report out."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from benchmark.data.standin import standin
from benchmark.results.store import Store
from benchmark.runs.spec import TrainSpec
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.training.loop import Training, apply_numerics

from .places import ROOT


def command(folder: Path, *arguments: str) -> list[str]:
    places = [f"--{name}-dir={folder / name}" for name in ("results", "reports", "scratch")]
    return [sys.executable, str(ROOT / "run_suite.py"), *arguments, *places, "--device=cpu"]


def run_suite(folder: Path, *arguments: str, data_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "SFE_DATA_DIR"}
    if data_dir:
        environment["SFE_DATA_DIR"] = str(data_dir)
    words = command(folder, *arguments)
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment, timeout=600)


def reported(path: Path, row: str) -> dict[str, dict[str, str]]:
    """Last-epoch records of a row by column."""
    with path.open(encoding="utf-8") as file:
        records = [record for record in csv.DictReader(file) if record["row"] == row]
    return {record["column"]: record for record in records if record["metric"].endswith("last_epoch")}


def results(folder: Path) -> Sequence[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def test_the_smoke_suite(tmp_path: Path) -> None:
    arguments = ("table1", "--profile=smoke", "--only=DenseNet", "--trials=1")
    first = run_suite(tmp_path, *arguments)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("completed") == 3
    assert "report: reports/smoke/table1.md" in first.stdout
    found = results(tmp_path / "results" / "smoke")
    assert len(found) == 3
    assert {result["status"] for result in found} == {"completed"}
    assert all(str(result["run_id"]).startswith("standin-") for result in found)
    cells = reported(tmp_path / "reports" / "smoke" / "table1.csv", "DenseNet")
    assert list(cells) == ["Baseline", "SFE - SI", "SFE - AG", "SFE - SD"]
    assert {(cell["trials"], cell["verdict"]) for cell in cells.values()} == {("1", "no verdict")}
    text = (tmp_path / "reports" / "smoke" / "table1.md").read_text()
    assert "generated stand-in images" in text
    assert (tmp_path / "reports" / "smoke" / "table1.png").stat().st_size > 10_000

    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*.json")}
    again = run_suite(tmp_path, *arguments)
    assert again.returncode == 0, again.stderr
    assert "3 of them done" in again.stdout
    assert "started" not in again.stdout
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*.json")}


MANIFEST = """
suite: mine
title: one training
source: our own
metric: accuracy
margin: 1.0
corner: Network
best: none
trials: 1
defaults:
  dataset: {name: stanford_dogs, input_size: 16}
  network: {family: resnet, depth: 11}
columns: [{name: SD, reads: distilled}]
rows:
  - name: ResNet-11
    train: {method: {classifiers: 2, beta: 0.1, masks: {views: 4}, distillation: true}}
"""


def far_enough(scratch: Path) -> bool:
    """Whether the run has replayed steps and has most of them before it."""
    said = [json.loads(path.read_text())["done"] for path in scratch.glob("runs/*/*/progress.json")]
    return any(done > 0.05 for done in said)


@pytest.mark.usefixtures("own_numerics")
def test_a_run_of_recorded_steps_stopped_and_resumed_is_an_undisturbed_one_of_eager_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    (tmp_path / "mine.yaml").write_text(MANIFEST)
    settings = ("--set=schedule.epochs=12", "--set=dataset.train_images=100")  # 12 full batches and a partial one
    words = (str(tmp_path / "mine.yaml"), "--profile=smoke", "--graphs", *settings)
    process = subprocess.Popen(command(tmp_path, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not far_enough(tmp_path / "scratch"):
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == 130
    [file] = (tmp_path / "scratch").glob("runs/*/*/checkpoint.pt")
    assert not list((tmp_path / "results").glob("*/*.json"))

    again = run_suite(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    [path] = (tmp_path / "results").glob("*/*.json")
    result = Store(path.parent).load(path.stem)
    assert "resumed at epoch" in file.with_name("log.txt").read_text()
    assert [session.graphs for session in result.provenance.sessions] == ["on", "on"]
    assert isinstance(result.spec, TrainSpec)
    apply_numerics(result.spec.numerics)
    eager = Training(result.spec, standin(result.spec.dataset), torch.device("cpu"))
    eager.run(lambda _: None)
    assert result.history == eager.history
    assert result.metrics == eager.metrics()


def test_a_tiny_part_of_the_real_cifar100(tmp_path: Path) -> None:
    if not os.environ.get("SFE_DATA_DIR"):
        pytest.skip("SFE_DATA_DIR is not set: it should hold cifar-100-python/")
    data_dir = Path(os.environ["SFE_DATA_DIR"])
    if not (data_dir / "cifar-100-python").is_dir():
        pytest.skip(f"{data_dir} has no cifar-100-python/")
    settings = [f"--set=dataset.{split}_images={count}" for split, count in (("train", 200), ("test", 100))]
    run = run_suite(
        tmp_path, "table1", "--profile=mini", "--only=ResNet-110", "--trials=2", *settings, data_dir=data_dir
    )
    assert run.returncode == 0, run.stderr
    name = "mini+dataset.test_images=100+dataset.train_images=200"
    found = results(tmp_path / "results" / name)
    assert len(found) == 6
    digests = {result["provenance"]["data_digest"] for result in found}  # type: ignore[index]
    assert len(digests) == 1
    assert str(digests.pop()).startswith("sha256:")
    cells = reported(tmp_path / "reports" / name / "table1.csv", "ResNet-110")
    assert {cell["trials"] for cell in cells.values()} == {"2"}
    assert all(0 <= float(cell["mean"]) <= 100 and float(cell["std"]) >= 0 for cell in cells.values())
    losses = [[epoch["train_loss"] for epoch in result["history"]] for result in found]  # type: ignore[attr-defined]
    assert all(run_losses[-1] < run_losses[0] for run_losses in losses)  # it learns
