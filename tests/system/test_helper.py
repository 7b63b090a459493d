"""Iterators in processes of their own. Their functions stand in this file, which the processes import."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from benchmark.errors import DeviceError, InterruptedRun, RecordingError, RunError
from benchmark.system import helper
from benchmark.system.helper import Helper, serve


def squares(first: int) -> Iterator[tuple[int, int]]:
    while True:
        yield os.getpid(), first**2
        first += 1


def sleep_long() -> Iterator[int]:
    time.sleep(300)
    yield 1


def die() -> Iterator[int]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield 1


def out_of_memory() -> Iterator[int]:
    raise MemoryError("31 GiB")


def out_of_order() -> Iterator[int]:
    raise ValueError("no such loop")


def out_of_memory_while_recording() -> Iterator[int]:
    raise RecordingError("OutOfMemoryError: 9 GiB", out_of_memory=True)


def out_of_device() -> Iterator[int]:
    raise DeviceError("no GPU that PyTorch can use")


def test_it_goes_on_by_one_in_a_process_of_its_own() -> None:
    with Helper("a square", squares, 3) as asked:
        found = [asked.ask() for _ in range(3)]
    assert [square for _, square in found] == [9, 16, 25]
    assert len({process for process, _ in found} - {os.getpid()}) == 1
    assert not multiprocessing.active_children()


def test_who_waits_may_end_it_and_no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "WAIT_SECONDS", 0.01)

    def check() -> None:
        raise InterruptedRun("signal 15")

    started = time.monotonic()
    with pytest.raises(InterruptedRun), Helper("a nap", sleep_long) as asked:
        asked.ask(check)
    assert not multiprocessing.active_children()
    assert time.monotonic() - started < 100


def test_a_process_that_died_is_said_in_a_sentence() -> None:
    words = r"a life can't be measured: its process died \(exit status -9\), as the system"
    with pytest.raises(RunError, match=words), Helper("a life", die) as asked:
        asked.ask()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("iterate", "kind", "words"),
    [
        (out_of_memory, MemoryError, "31 GiB"),
        (out_of_memory_while_recording, MemoryError, "OutOfMemoryError: 9 GiB"),
        (out_of_order, RunError, "a loop can't be measured: ValueError: no such"),
        (out_of_device, DeviceError, "^no GPU that PyTorch can use$"),
    ],
)
def test_it_says_why_it_can_not_go_on(
    iterate: object, kind: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper, "start_process", lambda _: None)
    here, there = multiprocessing.Pipe()
    here.send(None)
    serve(os.getpid(), "a loop", there, iterate)  # type: ignore[arg-type]
    with pytest.raises(kind, match=words):
        raise here.recv()


def test_it_ends_when_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "start_process", lambda _: None)
    here, there = multiprocessing.Pipe()
    here.close()
    serve(os.getpid(), "a square", there, squares, 3)


def test_it_ends_with_its_parent_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_process(parent: int) -> None:
        raise InterruptedRun(f"set up for {parent}")

    monkeypatch.setattr(helper, "start_process", start_process)
    connection: Connection = multiprocessing.Pipe()[0]
    with pytest.raises(InterruptedRun, match=f"set up for {os.getpid()}"):
        serve(os.getpid(), "a square", connection, squares, 3)
