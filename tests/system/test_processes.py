import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.system import processes

FAULTS = """
import resource
from benchmark.system.processes import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(64 << 20)  # written to and freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
given_back = faults()
keep_freed_memory()
faults()
print(given_back, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep freed memory")
def test_freed_memory_is_kept_for_the_next_allocation() -> None:
    out = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True).stdout
    given_back, kept = map(int, out.split())
    assert given_back > 20  # pages of 4 KiB or, where the system hands out huge ones, of 2 MiB
    assert kept < given_back / 10


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.system.processes.ctypes.CDLL", lambda _: object())
    processes.keep_freed_memory()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system keeps no /proc")
def test_a_stopped_process_is_told_from_one_that_sleeps() -> None:
    assert not processes.is_stopped(os.getpid())
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            assert not processes.is_stopped(process.pid)
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            assert processes.is_stopped(process.pid)
        finally:
            process.kill()
    assert not processes.is_stopped(process.pid)


def test_a_child_is_born_on_the_cores_it_is_kept_to() -> None:
    mine = processes.usable_cores()
    if len(mine) < 2:
        pytest.skip("needs two cores")
    say = [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
    with processes.kept_to(mine[:1]):
        kept = subprocess.run(say, check=True, capture_output=True, text=True).stdout
    free = subprocess.run(say, check=True, capture_output=True, text=True).stdout
    assert (kept.strip(), free.strip()) == (str([mine[0]]), str([*mine]))
    with processes.kept_to([10**4]):  # there is no such core
        assert processes.usable_cores() == mine


def test_cores_that_other_processes_are_kept_to_are_seen() -> None:
    mine = processes.usable_cores()
    if len(mine) < 2:
        pytest.skip("needs two cores")
    with processes.kept_to(mine[-1:]):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert processes.cores_of(child.pid) == {mine[-1]}
        assert mine[-1] in processes.cores_of_others()
    finally:
        child.communicate(b"\n")
    assert processes.cores_of(child.pid) == frozenset()
    assert processes.cores_of(os.getpid()) == frozenset(), "all that there are is no choice"


HELPER = """
import os, signal
from benchmark.system.processes import start_process
start_process(os.getppid())
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    os.kill(os.getpid(), number)
print("alive", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_what_asks_for_an_end_is_not_for_helpers() -> None:
    helper = subprocess.run([sys.executable, "-c", HELPER], capture_output=True, text=True)
    assert (helper.stdout, helper.returncode) == ("alive\n", -signal.SIGTERM), helper.stderr
