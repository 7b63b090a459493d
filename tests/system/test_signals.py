"""Signals at any moment: an exit status of 130, one sentence, no traceback."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.system.paths import ROOT
from tests.test_architecture import MODULES

SENTENCE = "Interrupted; the same command goes on from here."
#: Sends the process a signal at an audit event of Python's: where it imports or opens something.
HOOK = """
import os, signal, sys
def hook(event, arguments, left=[1]):
    wanted, name = os.environ["WHERE"].split(":")
    if left and event == wanted and str(arguments[0]).endswith(name):
        left.clear()
        for _ in range(int(os.environ["TIMES"])):
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
if any(word.endswith("run_suite.py") for word in sys.orig_argv):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, around the tests, ignores it
    sys.addaudithook(hook)
"""


def run_suite(tmp_path: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    places = {f"SFE_{name}_DIR": str(tmp_path / name.lower()) for name in ("RESULTS", "REPORTS", "SCRATCH")}
    return subprocess.run(
        [sys.executable, str(ROOT / "run_suite.py"), *words],
        env={**os.environ, **places, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("where", "words", "number", "times"),
    [
        ("import:pydantic", "plan table1", signal.SIGINT, 1),
        ("import:benchmark.cli.data", "plan table1", signal.SIGTERM, 5),
        ("open:table1.yaml", "status table1", signal.SIGHUP, 1),
        ("open:paper.yaml", "verify", signal.SIGTERM, 1),
        ("import:_multiarray_umath", "report table2", signal.SIGINT, 3),  # in C code, which swallows exceptions
        ("open:table2.csv", "report table2 --check", signal.SIGUSR1, 1),
        ("import:rich.console", "table2 --profile smoke", signal.SIGTERM, 1),
    ],
)
def test_at_any_moment(tmp_path: Path, where: str, words: str, number: signal.Signals, times: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    hook = {"PYTHONPATH": str(tmp_path), "WHERE": where, "SIGNAL": str(int(number)), "TIMES": str(times)}
    done = run_suite(tmp_path, *words.split(), **hook)
    assert done.returncode == 130, done.stderr
    assert done.stderr.split("\n")[-2].startswith("Interrupted")
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr
    assert not list(tmp_path.rglob("*.tmp"))


def test_who_wants_signals_ignored_has_them_ignored(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK.replace("default_int_handler", "SIG_IGN"))
    hook = {"PYTHONPATH": str(tmp_path), "WHERE": "open:table1.yaml", "SIGNAL": "2", "TIMES": "1"}
    assert run_suite(tmp_path, "plan", "table1", **hook).returncode == 0


# ------------------------------------------------------------------ one by one, each in a process of its own

BEGIN = "import os, signal, sys, time\nfrom benchmark.system import signals\nsignals.TOGETHER_S = 5\nsignals.listen()\n"


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", BEGIN + code], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("signal.raise_signal(15); print('noted', signals.asked())", 0, "noted 1\n"),
        ("signal.raise_signal(15)\ntry: signals.heed()\nexcept KeyboardInterrupt: print('raised')", 0, "raised\n"),
        (  # those that come together ask once, and whoever cleans up is left in peace
            "signals.heed()\n"
            "try: signal.raise_signal(15)\n"
            "except KeyboardInterrupt: signal.raise_signal(2); signal.raise_signal(15); print(signals.asked())",
            0,
            "1\n",
        ),
        (  # who asks again, a while later, is heard: a cleaning that hangs
            "signals.heed()\n"
            "try: signal.raise_signal(15)\n"
            "except KeyboardInterrupt:\n"
            "    signals.TOGETHER_S = 0.2; time.sleep(0.3); signal.raise_signal(15); print('goes on')",
            130,
            "",
        ),
        (  # whoever holds signals back looks himself
            "signals.heed()\n"
            "with signals.held():\n"
            "    signals.TOGETHER_S = 0.2; signal.raise_signal(15); time.sleep(0.3); signal.raise_signal(15)\n"
            "print(signals.asked())",
            0,
            "2\n",
        ),
        (  # a destructor can raise nothing
            "signals.heed()\n"
            "class Last:\n"
            "    def __del__(self): signal.raise_signal(15)\n"
            "try: Last(); time.sleep(5)\n"
            "except KeyboardInterrupt: print('raised')",
            0,
            "raised\n",
        ),
        ("signals.ignore(); signal.raise_signal(15); signal.raise_signal(2); print('ends')", 0, "ends\n"),
    ],
)
def test_what_a_signal_does(code: str, status: int, said: str) -> None:
    began = time.monotonic()
    done = python(code)
    assert (done.returncode, done.stdout, done.stderr) == (status, said, "")
    assert time.monotonic() - began < 20


# ------------------------------------------------------------------ nobody reads


@pytest.mark.parametrize("words", ["plan all --format json", "--help", "status", "verify"])
def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path, words: str) -> None:
    """Buffered output meets the closed pipe at the very end, too."""
    line = f"(sleep 0.3; exec {sys.executable} {ROOT}/run_suite.py {words}) | true; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "SFE_RESULTS_DIR": str(tmp_path)}
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_finds_no_room_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_suite.py"), "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device; not all that was to be said is there\n"


def test_nothing_else_sets_handlers() -> None:
    """Whoever sets one of his own undoes what is promised here of the second signal, and of ignored ones."""
    own = {"benchmark.system.signals", "benchmark.system.processes", "benchmark.execution.watch"}
    own.add("benchmark.execution.executors.placing")  # in the place of a job: a process that is never this program's
    for module, path in MODULES.items():
        setting = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("signal.signal", "signal.sigaction")
        ]
        assert not setting or module in own, module
