import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.system.terminal import Shown, guard_streams, live_console
from tests.places import ROOT

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b1m\x85\u202ey\x00\r\u2028"


def shown(text: str, encoding: str = "utf-8") -> bytes:
    below = io.BytesIO()
    stream = Shown(io.TextIOWrapper(below, encoding=encoding, newline="\n"))
    assert stream.write(text) == len(text)
    stream.flush()
    return below.getvalue()


def test_what_moves_a_cursor_is_shown_as_what_it_is() -> None:
    assert shown("a\tb\nc") == b"a\tb\nc"
    escapes = rb"\x1b]0;owned\x07\x1b[2J\x9b1m\x85\u202ey\x00\r\u2028"
    assert shown(HOSTILE) == escapes


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [("utf-8", "76.8 ± 0.1 …".encode()), ("latin-1", b"76.8 \xb1 0.1 ?"), ("ascii", b"76.8 ? 0.1 ?")],
)
def test_what_an_encoding_lacks_is_replaced(encoding: str, wanted: bytes) -> None:
    assert shown("76.8 ± 0.1 …", encoding) == wanted


def test_a_file_name_of_any_bytes_can_be_shown() -> None:
    assert shown(os.fsdecode(b"folder-\xff")) == rb"folder-\xff"


def test_without_a_reader_everything_goes_nowhere() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as below:
        stream = Shown(below)
        for _ in range(3):
            stream.write("x" * 100_000)
            stream.flush()
        assert Path(f"/proc/self/fd/{write}").samefile(os.devnull)


def test_streams_that_are_none_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # closed before the start
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    guard_streams()
    assert sys.stdout is None
    assert isinstance(sys.stderr, io.StringIO)


def _program(words: list[str], encoding: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "FORCE_COLOR": "1"}
    command = [sys.executable, str(ROOT / "run_suite.py"), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])  # click would open ASCII streams anew
def test_every_word_of_the_program_goes_that_way(encoding: str, tmp_path: Path) -> None:
    done = _program(["plan", f"a{HOSTILE.replace(chr(0), '')}b"], encoding, tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert rb"a\\x1b]0;owned\\x07" in done.stderr or rb"a\x1b]0;owned\x07" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not any(byte < 32 and byte != 10 for byte in done.stderr)


def test_a_finding_is_one_though_nobody_reads_it(tmp_path: Path) -> None:
    (tmp_path / "results" / "paper").mkdir(parents=True)
    (tmp_path / "results" / "paper" / "notes.txt").touch()
    command = f"{sys.executable} {ROOT / 'run_suite.py'} verify --results-dir results; echo $? > status"
    done = subprocess.run(f"({command}) | true", shell=True, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.stderr, (tmp_path / "status").read_text()) == (b"", "1\n")


def test_a_terminal_that_is_closed_ends_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(slave, "w") as stream:
        monkeypatch.setattr(sys, "stdout", Shown(stream))
        console = live_console()
        assert console is not None
        console.print("there")
        os.close(master)
        console.print("gone")
        print("gone", flush=True)
