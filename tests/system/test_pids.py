import os
import subprocess
import sys

from benchmark.system.pids import is_alive, letter, life, machine


def test_a_process_is_alive_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    since = life(child.pid)
    assert is_alive(child.pid, since)
    assert not is_alive(child.pid, "another")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(child.pid, since), "nobody has buried it yet"
    child.communicate()
    assert not is_alive(child.pid, since)


def test_of_what_is_not_there_nothing_is_known() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert life(gone.pid) is None
    assert letter(gone.pid) == ""
    assert not is_alive(10**30, None), "no pid at all"
    assert is_alive(os.getpid(), life(os.getpid()))
    assert machine() == machine() != ""
