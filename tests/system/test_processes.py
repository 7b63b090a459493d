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
