"""scripts/gpu_day: a kit here, a day there, results back here; on a processor, with stand-in images."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.cli import cli
from scripts.gpu_day import FILES, MIB, day
from scripts.gpu_day.__main__ import parser

from .made import fake_nvidia_smi
from .places import ROOT

#: In a word of its own: whoever looks for tests marked so is not to find this file.
GPU = "gpu"
Step = Callable[..., subprocess.CompletedProcess[str]]

MANIFEST = """
suite: tiny
title: one small network
source: our own
metric: accuracy
margin: 1.0
corner: Network
best: none
defaults: {dataset: cifar10, network: {family: wrn, depth: 10, width: 1}}
columns: [{name: SI, reads: single}]
rows: [{name: WRN-10-1}]
"""


def program(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SFE_", "GPU_DAY_"))}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, timeout=300, check=False
    )


def not_done(said: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.removeprefix("gpu-day: NOT ") for line in said.stdout.splitlines() if line.startswith("gpu-day: NOT ")]


def run_here(folder: Path, *steps: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return program(folder, "-m", "scripts.gpu_day", *steps, **variables)


# ------------------------------------------------------------------ a whole day


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of the files as they are here, but for tests, results and documents."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    here = tmp_path / "project"
    for name in ("benchmark", "scripts", "suites"):
        shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run_suite.py", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, here)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "c"]):
        subprocess.run(["git", "-C", str(here), *words], check=True)
    return here


def printed(said: subprocess.CompletedProcess[str]) -> list[tuple[list[str], list[str]]]:
    """What each command that prepare-here prints carries, and its steps."""
    found = re.findall(r"command \d+: carry (.*) \(\d+ MiB .*:\n +(.*)", said.stdout)
    return [(carried.split(), re.split("; | && ", todo)) for carried, todo in found]


def travel(project: Path, machine: Path, carried: list[str]) -> None:
    """Files without the git folder, and of the kit just what is carried."""
    shutil.rmtree(machine, ignore_errors=True)
    shutil.copytree(project, machine, ignore=shutil.ignore_patterns(".git", ".gpu-day"))
    for name in carried:
        shutil.copytree(project / name, machine / name)


def test_a_day_from_the_kit_to_merged_results(project: Path, tmp_path: Path) -> None:
    own, machine, work, out = (tmp_path / name for name in ("own.yaml", "machine", "work", "out"))
    own.write_text(MANIFEST)
    (tmp_path / "packed").write_bytes(os.urandom(2 * MIB))
    (tmp_path / "unpack.py").write_text(
        "import shutil, sys\nshutil.copy(sys.path[0] + '/packed', sys.argv[1] + '/all')"
    )
    there = {"GPU_DAY_WORK": str(work), "OUT": str(out)}
    images = [str(tmp_path / name) for name in ("packed", "unpack.py")]
    said = run_here(project, "prepare-here", *images, "--wheels", GPU_DAY_LIMIT_MIB="1")
    assert not_done(said) == [line for line in not_done(said) if line.startswith("small enough: command ")]
    *loads, last = printed(said)
    assert [carried for carried, _ in loads] == [[".gpu-day/common", f".gpu-day/piece.{n:02}"] for n in (1, 2, 3)]
    step = "python3 -m scripts.gpu_day "
    assert loads[0][1] == [step + name for name in ("setup", "check", "bench 330", "collect")]
    assert loads[1][1] == [step + "setup"]
    assert loads[2][1] == last[1] == [step + "setup", step + "train 545"]
    assert last[0] == [".gpu-day/common"]

    for carried, steps in loads:
        assert not (work / "data" / "all").exists()
        travel(project, machine, carried)
        done = run_here(machine, *steps[0].split()[3:], **there)
        assert (done.returncode, not_done(done)) == (0, []), done.stderr
    assert (work / "data" / "all").read_bytes() == (tmp_path / "packed").read_bytes()
    what = [str(own), "--profile", "smoke", "--device", "cpu", "--trials", "1"]
    early = run_here(machine, "train", "--unchecked", "41", *what, **there)  # a second for the runs
    assert early.returncode == 0, early.stderr
    assert "the time is over; the same step goes on from here" in early.stdout
    done = run_here(machine, "train", "--unchecked", "240", *what, **there)
    assert done.returncode == 0, done.stderr
    assert "1 results, 0 failures, 0 checkpoints" in done.stdout

    with tarfile.open(out / "results.tar.gz") as archive:
        archive.extractall(tmp_path / "back", filter="data")
    merged = program(project, "run_suite.py", "merge", str(tmp_path / "back" / "results"))
    assert merged.stdout.startswith("1 result brought in"), merged.stderr
    (result,) = (project / "results" / "smoke").glob("*.json")
    head = subprocess.run(["git", "-C", str(project), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    code = json.loads(result.read_text())["provenance"]["code"]
    assert (code["commit"], code["dirty"]) == (head.stdout.strip(), False)
    assert (tmp_path / "back" / "reports" / "smoke" / "tiny.md").exists()


def test_without_git_results_name_the_packaged_commit(project: Path, tmp_path: Path) -> None:
    run_here(project, "prepare-here", str(project / "suites"), "--wheels")
    travel(project, tmp_path / "machine", [".gpu-day/common", ".gpu-day/piece.01"])
    there = {"GPU_DAY_WORK": str(tmp_path / "work"), "PATH": str(tmp_path / "nowhere")}
    done = run_here(tmp_path / "machine", "setup", **there)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "work" / "data" / "suites" / "table1.yaml").exists()
    code = "from benchmark.results.code import this_code; print(this_code())"
    said = program(tmp_path / "work" / "code", "-c", code).stdout
    assert (project / ".gpu-day" / "common" / "commit").read_text() in said
    assert "packaged=True" in said


def test_a_piece_that_came_damaged_is_asked_for_again(project: Path, tmp_path: Path) -> None:
    run_here(project, "prepare-here", str(project / "suites"), "--wheels")
    piece = project / ".gpu-day" / "piece.01" / "piece.01"
    whole = piece.read_bytes()
    for content, words in ((whole[:-1], ["unpacked: images; carry piece.01 again, damaged on the way"]), (whole, [])):
        piece.write_bytes(content)
        travel(project, tmp_path / "machine", [".gpu-day/common", ".gpu-day/piece.01"])
        assert not_done(run_here(tmp_path / "machine", "setup", GPU_DAY_WORK=str(tmp_path / "work"))) == words


def test_uncommitted_changes_do_not_travel(project: Path) -> None:
    (project / "run_suite.py").write_text("by hand")
    said = run_here(project, "prepare-here", "--wheels")
    assert said.returncode == 1
    assert not_done(said) == ["prepared: uncommitted changes would not travel; commit first"]
    assert not (project / ".gpu-day").exists()


def test_what_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    said = run_here(project, "prepare-here", "nowhere", "--wheels", "--state", str(tmp_path))
    assert not_done(said) == [f"prepared: there is no nowhere, no {tmp_path / 'results.tar.gz'}"]
    said = run_here(project, "setup", GPU_DAY_WORK=str(tmp_path / "work"))
    assert said.returncode == 1
    assert not_done(said)[0].startswith("set up: there is no kit in ")
    assert said.stderr == ""


# ------------------------------------------------------------------ there, with a suite that only says what it got


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """A step on a machine that is set up with a fake of the suite, which ends with the status in ``SUITE_ENDS``."""
    code = tmp_path / "code"
    (code / "tests").mkdir(parents=True)
    (code / "run_suite.py").write_text(
        "import os, sys, time\nprint(sys.argv[1:], flush=True)\n"
        "time.sleep(float(os.environ.get('SUITE_TAKES', 0)))\nsys.exit(int(os.environ.get('SUITE_ENDS', 0)))\n"
    )
    (code / "tests" / "conftest.py").write_text(
        "def pytest_configure(config): config.addinivalue_line('markers', 'gpu: needs one')\n"
    )
    (tmp_path / "commit").write_text("c0ffee")

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return run_here(ROOT, *words, GPU_DAY_WORK=str(tmp_path), OUT=str(tmp_path / "out"), **variables)

    return run


def marked(tmp_path: Path, body: str, name: str = "test_step") -> None:
    """A file with one test marked gpu; test_step.py decides on graphs."""
    text = f"import pytest\n@pytest.mark.{GPU}\ndef test_one():\n    {body}\n"
    (tmp_path / "code" / "tests" / f"{name}.py").write_text(text)


def asked(said: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """What the suite was called with."""
    return [list(ast.literal_eval(line)) for line in said.stdout.splitlines() if line.startswith("['")]


def test_nothing_is_done_before_setup(tmp_path: Path) -> None:
    said = run_here(ROOT, "bench", "60", GPU_DAY_WORK=str(tmp_path))
    assert (said.returncode, not_done(said)) == (1, ["set up yet: run setup first"])


def test_a_check_that_passed_turns_graphs_on(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "pass")
    assert step("check").returncode == 0
    (call,) = asked(step("train", "100", "table1", "--profile", "short"))
    assert call[:4] == ["run", "--device", "cuda", "--graphs"]
    assert call[-3:] == ["table1", "--profile", "short"]
    for options in (["--no-graphs"], ["--device", "cpu"], ["--device=cpu"], ["--set", "numerics.compiled=true"]):
        (call,) = asked(step("train", "100", "table1", *options))  # with these `run` takes no --graphs
        assert "--graphs" not in call
        assert call[-len(options) - 1 :] == ["table1", *options]
        assert (call[1:3] == ["--device", "cuda"]) is not ("--device" in options[0])
    (tmp_path / "commit").write_text("another")  # what was seen of one commit says nothing of another
    assert not day_graphs(step("train", "--unchecked", "100", "table1"))


def day_graphs(said: subprocess.CompletedProcess[str]) -> bool:
    return any("--graphs" in call for call in asked(said))


def test_a_failing_test_keeps_from_training_and_one_of_graphs_from_graphs(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "raise ValueError('not the same bits')")
    said = step("train", "100", "table1")
    assert "not the same bits" in said.stdout
    assert not_done(said) == ["passed: the tests marked gpu in test_step.py (exit status 1)"]
    assert (len(asked(said)), day_graphs(said)) == (1, False)
    marked(tmp_path, "raise ValueError('other losses')", "test_loop")
    (tmp_path / "commit").write_text("another")
    said = step("train", "100", "table1")
    assert (said.returncode, asked(said)) == (1, [])
    assert [line.split(":")[0] for line in not_done(said)] == ["passed", "passed", "trained"]
    assert not_done(step("train", "100", "table1"))[0].startswith("trained: ")  # and is not tested again
    assert len(asked(step("train", "--unchecked", "100", "table1"))) == 1


def test_tests_that_are_skipped_prove_nothing(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "pytest.skip('there is no GPU')")
    said = step("train", "100", "table1")
    assert not_done(said) == ["tested: all tests marked gpu in test_step.py were skipped"]
    assert not day_graphs(said)
    assert len(asked(said)) == 1


def test_what_had_no_time_is_not_known_and_tried_again(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "pass")
    marked(tmp_path, "import os; os.kill(os.getpid(), 15)", "test_loop")  # as a check does whose time is over
    said = step("check", GPU_DAY_CHECK_S="100")
    assert not_done(said) == ["finished: the tests marked gpu in test_loop.py, within 100 s together"]
    noted = json.loads((tmp_path / "check.json").read_text())
    assert (noted["graphs"], noted["others"]) == (True, None)
    marked(tmp_path, "raise ValueError('known to pass')")
    marked(tmp_path, "raise ValueError('other losses')", "test_loop")
    said = step("train", "100", "table1")
    assert [line.split(" (")[0] for line in not_done(said)] == [
        "passed: the tests marked gpu in test_loop.py",
        "trained: anything, since tests marked gpu fail; --unchecked trains all the same",
    ]
    assert json.loads((tmp_path / "check.json").read_text())["graphs"] is True


def test_tests_that_crash_have_failed(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "pass")
    marked(tmp_path, "import os; os.abort()", "test_loop")  # as libraries do that lose a device
    said = step("train", "100", "table1")
    assert not_done(said)[0] == "passed: the tests marked gpu in test_loop.py (exit status -6)"
    assert asked(said) == []


def test_an_option_of_train_is_not_handed_on(step: Step) -> None:
    said = step("train", "100", "--unchecked", "table1")
    assert said.returncode == 2
    assert "--unchecked stands before the seconds" in said.stderr
    assert asked(said) == []


def test_the_driver_is_asked_once(step: Step, tmp_path: Path) -> None:
    marked(tmp_path, "pass")
    path = fake_nvidia_smi(tmp_path / "bin", "NVIDIA A, 550.54.15\n")
    step("train", "100", "table1", PATH=f"{path}{os.pathsep}{os.environ['PATH']}")
    assert (path / "asked").read_text() == "--query-gpu=name,driver_version --format=csv,noheader\n"


def test_a_days_plan_and_its_budget(step: Step) -> None:
    said = step("train", "--unchecked", "100")
    assert said.returncode == 0
    assert [call[call.index("--budget-min") + 2 :] for call in asked(said)] == [list(words) for words in day.PLAN]
    for call in asked(said):
        assert 0 < float(call[call.index("--budget-min") + 1]) <= (100 - day.STOP_S) / 60


@pytest.mark.parametrize(("status", "calls", "words"), [("130", 1, []), ("1", 2, ["trained"]), ("2", 2, ["trained"])])
def test_how_the_suite_ended_is_said(step: Step, status: str, calls: int, words: list[str]) -> None:
    said = step("train", "--unchecked", "100", SUITE_ENDS=status)
    assert len(asked(said)) == calls
    assert [line.split(":")[0] for line in not_done(said)] == words * calls


def test_a_bench_is_the_matrix_within_its_time_unless_asked_otherwise(step: Step) -> None:
    (call,) = asked(step("bench", "330"))
    assert call[:5] == ["bench", "--device", "cuda", "--matrix", "--budget-min"]
    assert float(call[5]) * 60 == pytest.approx(330 - day.STOP_S, abs=1)
    (call,) = asked(step("bench", "330", "--device", "cpu", "--steps", "1"))
    assert call == ["bench", "--device", "cpu", "--steps", "1"]


def test_what_does_not_end_is_ended(step: Step) -> None:
    said = step("bench", "1", "--network", "resnet110", SUITE_TAKES="1000")
    assert said.returncode == 1
    assert asked(said) == [["bench", "--device", "cuda", "--network", "resnet110"]]
    assert not_done(said) == ["measured: all (exit status -15)"]


def test_an_interruption_ends_the_suite_and_collects(step: Step, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.gpu_day", "train", "--unchecked", "1000"]
    places = {"GPU_DAY_WORK": str(tmp_path), "OUT": str(tmp_path / "out"), "SUITE_TAKES": "1000"}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | places, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("['run', '--device', 'cuda'")
        process.terminate()
        rest = process.stdout.read().splitlines()
    assert process.returncode == 130
    assert rest[-1] == "gpu-day: NOT finished: interrupted"
    assert not any(line.startswith("['") for line in rest)  # nothing else was begun
    assert (tmp_path / "out" / "results.tar.gz").exists()


def test_the_rehearsal_of_the_documents_is_understood() -> None:
    """Its steps by this script, and what they hand on by the suite's commands."""
    text = (ROOT / "docs" / "gpu.md").read_text()
    block = text[text.index("A rehearsal on a processor") :]
    lines = [
        line.partition("#")[0].split()[3:] for line in block.splitlines() if line.startswith("python -m scripts.g")
    ]
    assert [words[0] for words in lines] == ["prepare-here", "setup", "check", "bench", "train", "collect"]
    chosen = [parser().parse_args(words) for words in lines]
    assert cli.commands["bench"].make_context("bench", [*chosen[3].arguments])
    assert cli.commands["run"].make_context("run", [*chosen[4].arguments])
    options = " ".join(word for word in chosen[3].arguments if word not in ("--device", "cpu"))
    for told in (cli.commands["bench"].help, (ROOT / "docs" / "performance.md").read_text()):
        assert options in " ".join(str(told).split()), "one rehearsal, wherever it is told"


# ------------------------------------------------------------------ what comes back


def checkpoint(work: Path, name: str, size: int, age: int) -> None:
    folder = work / "scratch" / "runs" / "paper-0" / name
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(os.urandom(size))
    os.utime(folder / "checkpoint.pt", (10**9 - age, 10**9 - age))


def test_what_comes_back_keeps_its_limits_and_is_restored(step: Step, tmp_path: Path) -> None:
    for age, name in enumerate(("newest", "newer", "old", "oldest")):
        checkpoint(tmp_path, name, 2 * MIB // 5, age)  # two fit one file
    checkpoint(tmp_path, "large", 2 * MIB, 0)
    for name in ("old", "new", "failures/one"):
        for place in (tmp_path, tmp_path / "code") if name == "old" else (tmp_path,):
            (place / "results" / "paper" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "results" / "paper" / f"{name}.json").write_text(name)
    (tmp_path / "reports").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs.7.tar").write_text("of before")
    said = step("collect", GPU_DAY_FILE_MIB="1", GPU_DAY_FILES="4")
    room = "brought back, for want of room: the checkpoint of "
    assert sorted(not_done(said)) == [room + "large", room + "old", room + "oldest"]
    assert "1 results, 1 failures, 2 checkpoints" in said.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["results.tar.gz", "runs.1.tar"]
    assert all(path.stat().st_size <= MIB for path in (tmp_path / "out").iterdir())

    again = tmp_path / "again"
    for name in ("common", "state"):
        (again / ".gpu-day" / name).mkdir(parents=True)
    for path in (tmp_path / "out").iterdir():
        shutil.copy(path, again / ".gpu-day" / "state")
    shutil.copytree(ROOT / "scripts", again / "scripts")
    (again / ".gpu-day" / "common" / "commit").write_text("c0ffee")
    work = tmp_path / "work"
    (work / "results" / "paper").mkdir(parents=True)
    (work / "results" / "paper" / "new.json").write_text("newer still")
    (again / ".gpu-day" / "state" / "runs.2.tar").write_text("half a")
    done = run_here(again, "setup", GPU_DAY_WORK=str(work))
    assert [line.split(":")[1] for line in not_done(done)] == [" all of the earlier runs.2.tar"]
    runs = work / "scratch" / "runs" / "paper-0"
    assert sorted(path.name for path in runs.iterdir()) == ["newer", "newest"]
    assert (work / "results" / "paper" / "new.json").read_text() == "newer still"
    assert (work / "results" / "paper" / "failures" / "one.json").read_text() == "failures/one"


def test_files_are_no_more_than_may_come_back(tmp_path: Path) -> None:
    tars, left_out = day.share_out({tmp_path / str(n): 15 * MIB for n in range(9)})
    assert (len(tars), len(left_out)) == (FILES - 3, 9 - (FILES - 3))
