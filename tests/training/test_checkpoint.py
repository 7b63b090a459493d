import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.training import checkpoint

STATE: dict[str, Any] = {
    "run_id": "this-run",
    "model": {"weight": torch.arange(1000.0), "masks": torch.ones(9, 64)},
    "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
    "epoch": 3,
    "history": [{"epoch": 1, "train_loss": 0.1}],
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "checkpoint.pt"
    checkpoint.save(path, STATE)
    return path


def test_what_is_saved_comes_back(saved: Path) -> None:
    state = checkpoint.load(saved, "this-run")
    assert state is not None
    assert set(state) == set(STATE)
    assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])
    assert torch.equal(state["optimizer"]["state"][0]["momentum_buffer"], torch.ones(3))
    assert state["optimizer"]["param_groups"] == STATE["optimizer"]["param_groups"]
    assert state["history"] == STATE["history"]
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint.pt"]


def test_the_latest_one_counts(saved: Path) -> None:
    checkpoint.save(saved, {**STATE, "epoch": 4})
    state = checkpoint.load(saved, "this-run")
    assert state is not None
    assert state["epoch"] == 4


def test_no_checkpoint_means_the_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoint.load(tmp_path / "checkpoint.pt", "this-run") is None
    assert capsys.readouterr().out == ""


def test_another_runs_checkpoint_is_no_checkpoint(saved: Path) -> None:
    assert checkpoint.load(saved, "another-run") is None


def assert_unusable(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoint.load(path, "this-run") is None
    out = capsys.readouterr().out
    assert "checkpoint.pt can't be read" in out
    assert "starting from the beginning" in out


@pytest.mark.parametrize("part", [0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999])
def test_a_truncated_one_is_no_checkpoint(saved: Path, part: float, capsys: pytest.CaptureFixture[str]) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(part * len(data))])
    assert_unusable(saved, capsys)


@pytest.mark.parametrize("data", [b"", b"{}", b"\0" * 4096, b"PK\3\4" + b"\0" * 100, bytes(range(256)) * 20])
def test_what_is_no_checkpoint_at_all(saved: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    saved.write_bytes(data)
    assert_unusable(saved, capsys)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_checkpoint_runs_no_code(
    saved: Path, legacy: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(saved.parent)
    if legacy:
        saved.write_bytes(pickle.dumps({"run_id": "this-run", "model": Evil()}, protocol=2))
    else:
        torch.save({"run_id": "this-run", "model": Evil()}, saved)
    assert_unusable(saved, capsys)
    assert not Path("executed").exists()


def test_a_pickle_of_something_else_is_no_checkpoint(saved: Path) -> None:
    torch.save([1, 2, 3], saved)
    assert checkpoint.load(saved, "this-run") is None


def test_a_failed_write_harms_nothing(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(saved, {**STATE, "epoch": 4})
    monkeypatch.undo()
    state = checkpoint.load(saved, "this-run")
    assert state is not None
    assert state["epoch"] == 3
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint.pt"]
