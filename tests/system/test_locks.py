"""Locks where the file system has some, where it has none, and where it keeps those of the dead."""

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmark.system import locks
from benchmark.system.locks import HeldError, Lock, holder, waiting
from benchmark.system.pids import life
from tests.places import ROOT
from tests.system.test_files import SPECIAL, special

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


@pytest.fixture(params=["flock", *NO_LOCKS], ids=lambda code: errno.errorcode.get(code, code))
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    """Every file system there is: with locks of its own, and without for various reasons."""
    if request.param != "flock":
        answer(monkeypatch, request.param)
    return request.param


def answer(monkeypatch: pytest.MonkeyPatch, code: int | None) -> None:
    """Have every request for the system's lock answered so; None is yes."""

    def flock(file: int, operation: int) -> None:
        if code is not None:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "run.lock"


def left_behind(path: Path, *, silent_s: float = 0, **card: Any) -> None:
    """A lock whose holder did not release it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**locks._card(), **card}))
    os.utime(path, (time.time() - silent_s,) * 2)


ELSEWHERE: dict[str, Any] = {"host": "node7", "machine": "node7 another start of another system", "pid": 1}


def test_of_two_one_has_it_and_the_other_hears_who(path: Path, system: object) -> None:
    with Lock(path, run="some run"):
        with pytest.raises(HeldError) as held, Lock(path):
            pass
        assert str(held.value) == holder(path)
        assert f"process {os.getpid()} on " in str(held.value)
        assert f"the lock is {path}, to be deleted if that is not so" in str(held.value)
        assert json.loads(path.read_text())["run"] == "some run"
    assert holder(path) is None
    assert not path.exists()
    with Lock(path):
        pass


def test_many_take_turns(path: Path, system: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.001)
    inside: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            with waiting(path):
                inside.append(number)
                assert len(inside) == 1
                time.sleep(0.0005)
                inside.pop()

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, number) for number in range(6)]:
            done.result()


def test_a_killed_holder_is_gone_at_once(path: Path, system: object) -> None:
    code = "import sys, time; from pathlib import Path; from benchmark.system.locks import Lock\n"
    code += "with Lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert f"process {process.pid} " in str(holder(path))
        with pytest.raises(HeldError), Lock(path):
            pass
        process.send_signal(signal.SIGKILL)
    assert path.exists()
    assert holder(path) is None
    with Lock(path):
        pass


def test_a_pid_that_is_used_again_is_another_process(path: Path, system: object) -> None:
    left_behind(path, pid=os.getppid(), life="long ago")
    assert holder(path) is None
    with Lock(path):
        pass


def test_a_holder_that_nobody_has_buried_is_gone(path: Path, system: object) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        born = life(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        left_behind(path, pid=process.pid, life=born)
        assert holder(path) is None


def test_a_holder_on_another_machine_counts_until_it_is_silent(path: Path, system: object) -> None:
    """Also where the system gives its lock: some shared disks keep those of one machine from another."""
    left_behind(path, **ELSEWHERE)
    with pytest.raises(HeldError, match="process 1 on node7"), Lock(path):
        pass
    assert "node7" in str(holder(path))
    left_behind(path, silent_s=locks.SILENT_SECONDS + 10, **ELSEWHERE)
    assert holder(path) is None
    with Lock(path):
        assert str(os.getpid()) in str(holder(path))


def test_the_systems_lock_of_a_dead_machine_is_not_waited_for(path: Path) -> None:
    left_behind(path, **ELSEWHERE)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # which the server keeps for ever
        with pytest.raises(HeldError), Lock(path):
            pass
        os.utime(path, (time.time() - locks.SILENT_SECONDS - 10,) * 2)
        with Lock(path):
            assert str(os.getpid()) in str(holder(path))


def test_what_can_not_be_taken_over_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_behind(path, silent_s=locks.SILENT_SECONDS + 10, **ELSEWHERE)
    answer(monkeypatch, errno.EAGAIN)

    def unlink(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", unlink)
    with (
        pytest.raises(HeldError, match=f"{path}, to be deleted.*5 minutes, and it can't be removed: Permission"),
        Lock(path),
    ):
        pass


def test_whoever_was_taken_over_leaves_the_new_one_alone(path: Path, system: object) -> None:
    """A machine slept for an hour, and goes on."""
    with Lock(path):
        os.utime(path, (time.time() - 3600,) * 2)
        path.write_text(json.dumps({**locks._card(), **ELSEWHERE}))
        os.utime(path, (time.time() - 3600,) * 2)
        path.rename(path.with_name("old"))
        second = Lock(path)
        second.__enter__()
    assert path.exists()
    assert holder(path)
    second.__exit__()
    assert not path.exists()


def test_a_holder_is_never_silent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.02)
    with Lock(path):
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 30
        while holder(path) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": "x", "machine": null}', "\x00\xff"])
def test_a_lock_may_hold_anything(path: Path, content: str, system: object) -> None:
    path.parent.mkdir()
    path.write_text(content)
    assert "is at work on it" in str(holder(path))
    os.utime(path, (0, 0))
    assert holder(path) is None
    with Lock(path):
        pass


def test_where_nothing_can_be_made_the_reason_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NotADirectoryError), Lock(tmp_path / "file" / "a.lock"):
        pass
    assert holder(tmp_path / "file" / "a.lock") is None


@pytest.mark.parametrize("kind", [kind for kind in SPECIAL if kind != "huge"])
def test_what_is_no_file_in_a_locks_place_is_named(
    path: Path, kind: str, system: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    monkeypatch.chdir(path.parent)
    special(path, kind)
    assert holder(path) is None
    for work in (lambda: Lock(path).__enter__(), lambda: waiting(path).__enter__()):
        with pytest.raises(OSError, match=re.escape(f"is no file, as a lock is; move it away: '{path}'")):
            work()


def test_what_waits_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "_SAY_SECONDS", -1)
    path = tmp_path / "a\nb" / "run.lock"
    lock = Lock(path)
    lock.__enter__()
    monkeypatch.setattr(time, "sleep", lambda _: lock.__exit__())
    with waiting(path):
        pass
    said = capsys.readouterr().err
    assert said.count("waiting: process ") == said.count("\n") == 1
