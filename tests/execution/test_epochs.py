from pathlib import Path

import pytest

from benchmark.execution import epochs
from benchmark.execution.epochs import EpochFile
from tests.made import result, spec

HISTORY = result(spec(schedule={"epochs": 5, "batch_size": 128, "learning_rate": 0.1})).history


def numbers(path: Path) -> list[int]:
    return [epoch.epoch for epoch in EpochFile(path).read()]


def test_epochs_are_appended_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "epochs.jsonl"
    assert EpochFile(path).read() == []
    file = EpochFile(path)
    file.hold([])
    inode = path.stat().st_ino
    for count in range(1, 6):
        file.hold(HISTORY[:count])
        assert numbers(path) == list(range(1, count + 1))
    assert path.stat().st_ino == inode, "a follower reads the same file on"
    assert [epoch.entry() for epoch in file.read()] == HISTORY


@pytest.mark.parametrize("remembered", range(4))
@pytest.mark.parametrize("torn", [b"", b'{"epoch": 4, "learn'])
def test_a_run_that_is_taken_up_doubles_and_misses_none(tmp_path: Path, remembered: int, torn: bytes) -> None:
    """Its checkpoint remembers fewer epochs than the killed worker had written."""
    path = tmp_path / "epochs.jsonl"
    EpochFile(path).hold(HISTORY[:3])
    path.write_bytes(path.read_bytes() + torn)
    again = EpochFile(path)
    again.hold(HISTORY[:remembered])
    for count in range(remembered + 1, 6):
        again.hold(HISTORY[:count])
    assert [epoch.entry() for epoch in again.read()] == HISTORY
    assert path.read_bytes().count(b"\n") == 5


def test_a_full_disk_ends_no_run_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = EpochFile(tmp_path / "epochs.jsonl")
    file.hold(HISTORY[:1])

    def full(*_: object, **__: object) -> None:
        with file.path.open("ab") as half:
            half.write(b'{"epoch": 2')
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(epochs, "open_regular", full)
        file.hold(HISTORY[:2])
    assert capsys.readouterr().out == "epochs.jsonl was not written: No space left on device\n"
    file.hold(HISTORY[:3])
    assert [epoch.entry() for epoch in file.read()] == HISTORY[:3]
