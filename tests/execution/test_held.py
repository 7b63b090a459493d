from pathlib import Path

import pytest

from benchmark.execution.executors.contract import Handle, Need
from benchmark.execution.held import Drivers, Held, all_held, forget, held, keep
from benchmark.execution.run_folder import RunFolder

ONE = Held(
    handle=Handle(engine="local", place="here", job="1 2 cpu"),
    need=Need(memory_gib=1.5, gpus=0.0, threads=2, minutes=None, alone=True),
    driver="me",
    offset=8,
    silent_starts=1,
    recorded=(17, 4),
)


def test_what_is_held_is_found_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a run")
    assert held(folder) is None
    keep(folder, ONE)
    assert held(folder) == ONE
    assert all_held(tmp_path) == {folder.folder: ONE}
    forget(folder)
    forget(folder)
    assert held(folder) is None
    assert all_held(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"handle": 3}', "\x00" * 100])
def test_a_torn_handle_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "handle.json").write_text(text)
    assert held(RunFolder(tmp_path)) is None


def test_who_drives_is_known_while_it_does(tmp_path: Path) -> None:
    one, other = Drivers(tmp_path), Drivers(tmp_path)
    assert one.alive(other.me) is None
    with one.named(), other.named():
        assert one.alive(one.me) is None, "oneself is no other"
        assert "is at work on it" in (one.alive(other.me) or "")
        assert one.at_work() == sorted([one.me, other.me])
    assert one.alive(other.me) is None
    assert one.at_work() == []


def test_those_who_drive_are_told_to_stop_once(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    one, other = Drivers(tmp_path), Drivers(tmp_path)
    assert not one.told_to_stop()
    other.stop()
    assert one.told_to_stop()
    later = Drivers(tmp_path)
    assert not later.told_to_stop()
    one.stop()
    assert later.told_to_stop()
