"""The program as a user runs it: a command in, a finished report out."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .places import ROOT


def run_suite(folder: Path, *arguments: str, data_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
    places = [f"--{name}-dir={folder / name}" for name in ("results", "reports", "scratch")]
    environment = {key: value for key, value in os.environ.items() if key != "SFE_DATA_DIR"}
    if data_dir:
        environment["SFE_DATA_DIR"] = str(data_dir)
    command = [sys.executable, str(ROOT / "run_suite.py"), *arguments, *places, "--device=cpu"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=600)


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
