"""What a Slurm job does on its node: it becomes a worker, or looks after several.

It knows Python's library alone: submitit gets these functions by value, so that nothing of this project has to be
found before a worker starts its own code.

Slurm sends its signals to every process of a job. A worker that stands beside submitit would be left behind by it, as
submitit answers a signal at once; so the worker takes its place, and the job's exit status is the worker's. Signals are
ignored until a worker listens itself: one that comes in the first moments is lost rather than deadly.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TypedDict

#: What asks a worker to save and end.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
#: How often several workers are looked at, and how often one that was asked to end is asked again.
LOOK_SECONDS, AGAIN_SECONDS = 0.5, 10.0


class Start(TypedDict):
    """How a worker is started: its folder, command, log, and variables to set."""

    folder: str
    command: list[str]
    log: str
    environment: dict[str, str]


def place(starts: list[Start], ends: str) -> None:
    """Run one worker in this process's place, or several side by side; does not return.

    Args:
        starts: the workers.
        ends: where an exit status is left of each of several, as ``<ends><number>.end``; who wants one of them to end
            makes ``<ends><number>.cancel``, or ``.kill``.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if len(starts) == 1:
        log = _open(starts[0]["log"])
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(starts[0]["folder"])
        os.execve(starts[0]["command"][0], starts[0]["command"], _environment(starts[0]))
    _look_after(starts, ends)
    os._exit(0)  # what became of each stands in its own file


def _look_after(starts: list[Start], ends: str) -> None:
    running = _all_started(starts, ends)
    asked: list[int] = []
    for signal_number in SIGNALS:
        signal.signal(signal_number, lambda signal_number, frame: asked.append(signal_number))
    told = dict.fromkeys(running, 0.0)
    while running:
        for number, worker in list(running.items()):
            wanted = _wanted(ends, number)
            if (status := worker.poll()) is not None:
                _note(ends, number, str(status))
                del running[number]
            elif wanted == "kill":
                worker.kill()
            elif (asked or wanted == "cancel") and time.monotonic() > told[number]:
                told[number] = time.monotonic() + AGAIN_SECONDS
                worker.send_signal(signal.SIGTERM)
        time.sleep(LOOK_SECONDS)


def _all_started(starts: list[Start], ends: str) -> "dict[int, subprocess.Popen[bytes]]":
    running = {}
    for number, start in enumerate(starts):
        if Path(f"{ends}{number}.end").exists():  # before the job was queued once more
            continue
        if _wanted(ends, number) != "run":
            _note(ends, number, "cancelled")
            continue
        try:
            running[number] = _started(start)
        except OSError as error:  # of one, which takes no other along
            _note(ends, number, f"{error}")
    return running


def _wanted(ends: str, number: int) -> str:
    """What is wanted of a worker: ``run``, ``cancel``, ``kill``."""
    return next((what for what in ("kill", "cancel") if Path(f"{ends}{number}.{what}").exists()), "run")


def _started(start: Start) -> "subprocess.Popen[bytes]":
    log = _open(start["log"])
    try:
        return subprocess.Popen(
            start["command"],
            cwd=start["folder"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(start),
            restore_signals=False,
        )
    finally:
        os.close(log)


def _open(log: str) -> int:
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


def _environment(start: Start) -> dict[str, str]:
    return {**os.environ, **start["environment"]}


def _note(ends: str, number: int, word: str) -> None:
    with contextlib.suppress(OSError):
        path = Path(f"{ends}{number}.end")
        path.with_suffix(".new").write_text(word)
        path.with_suffix(".new").replace(path)
