"""The code that runs is that beside the file which was started, whatever lies around."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.execution.run_folder import worker_command
from tests.places import ROOT

#: Modules of Python's library, of packages, and this project's own name.
NAMES = ("random", "numbers", "statistics", "tempfile", "selectors", "click", "yaml", "pydantic")
#: A helper process, started as decoding and measuring start theirs.
HELPER = """
import sys
sys.path.insert(0, sys.argv[1])
import benchmark.entry.start
del sys.path[0]

if __name__ == "__main__":
    benchmark.entry.start.seal()
    import multiprocessing
    from benchmark.system.processes import death
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(death, [3]), pool.apply(eval, ("__import__('random').__file__",)))
"""


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A folder of modules that leave a mark when they are imported, and are none."""
    folder = tmp_path / "traps"
    (folder / "benchmark").mkdir(parents=True)
    for name in (*NAMES, "benchmark/__init__"):
        mark = f"open({str(folder / (Path(name).parts[0] + '.imported'))!r}, 'w').close()"
        (folder / f"{name}.py").write_text(f"{mark}\nraise ImportError('not the one you want')\n")
    return folder


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another checkout, which gives another version."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "benchmark", folder / "benchmark", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "suites", folder / "suites")
    shutil.copy(ROOT / "run_suite.py", folder)
    (folder / "benchmark" / "__init__.py").write_text('__version__ = "of the copy"\n')
    return folder


def call(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**kept, **variables}
    return subprocess.run([*words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


def imported(traps: Path) -> list[str]:
    return sorted(path.stem for path in traps.glob("*.imported"))


PATHS = ["", ":", ".", "{traps}", "{root}", "nowhere:{traps}:{root}"]


@pytest.mark.parametrize(
    ("path", "flag"), [*((path, []) for path in PATHS), *((PATHS[-1], [flag]) for flag in ("-P", "-I", "-E"))], ids=str
)
def test_the_command_is_the_code_beside_it(traps: Path, copy: Path, path: str, flag: list[str]) -> None:
    variables = {"PYTHONPATH": path.format(traps=traps, root=ROOT)} if path else {}
    done = call(sys.executable, *flag, str(copy / "run_suite.py"), "--version", cwd=traps, **variables)
    assert "of the copy" in done.stdout, done.stderr
    assert imported(traps) == []


def test_safe_path_and_a_link_to_the_command(traps: Path, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "linked.py").symlink_to(copy / "run_suite.py")
    for variables in ({}, {"PYTHONSAFEPATH": "1"}, {"PYTHONSTARTUP": str(traps / "random.py")}):
        done = call(sys.executable, str(tmp_path / "linked.py"), "list", cwd=traps, **variables)
        assert (done.returncode, done.stderr) == (0, "")
    assert imported(traps) == []


def test_files_beside_the_command_are_no_modules(traps: Path, copy: Path) -> None:
    own = shutil.copytree(copy, traps.parent / "own")
    for name in NAMES:
        shutil.copy(traps / f"{name}.py", own)
    for variables in ({}, {"PYTHONPATH": "."}, {"PYTHONPATH": str(own)}):
        done = call(sys.executable, str(own / "run_suite.py"), "list", cwd=own, **variables)
        assert (done.returncode, done.stderr) == (0, "")
    assert imported(traps) == []


def test_another_package_that_was_imported_before(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport benchmark.cli\n")
    done = call(sys.executable, str(copy / "run_suite.py"), "--version", cwd=ROOT, PYTHONPATH=str(tmp_path))
    assert "of the copy" in done.stdout, done.stderr


@pytest.mark.parametrize("path", ["", ":", PATHS[-1]])
def test_a_worker_is_the_code_that_started_it(traps: Path, copy: Path, path: str) -> None:
    _, flag, start, folder = worker_command(traps)
    beside = str(copy / Path(start).relative_to(ROOT))
    variables = {"PYTHONPATH": path.format(traps=traps, root=ROOT)} if path else {}
    done = call(sys.executable, flag, beside, folder, cwd=traps, **variables)
    assert (done.returncode, imported(traps)) == (2, []), done.stderr
    assert "no usable job" in done.stderr


@pytest.mark.parametrize("variables", [{}, {"PYTHONPATH": ":"}, {"PYTHONPATH": "."}], ids=str)
def test_helpers_import_nothing_from_where_they_are(traps: Path, copy: Path, variables: dict[str, str]) -> None:
    program = copy / "helper.py"
    program.write_text(HELPER)
    done = call(sys.executable, "-P", str(program), str(copy), cwd=traps, **variables)
    assert done.returncode == 0, done.stderr
    assert "its process died (exit status 3)" in done.stdout
    assert imported(traps) == []


@pytest.mark.parametrize("flags", [[], ["-P"], ["-E"], ["-E", "-B"], ["-I"]], ids=str)
def test_helpers_look_in_no_current_folder_whatever_python_was_told(tmp_path: Path, flags: list[str]) -> None:
    (tmp_path / "benchmark" / "entry").mkdir(parents=True)
    shutil.copy(ROOT / "run_suite.py", tmp_path)
    shutil.copy(ROOT / "benchmark" / "entry" / "start.py", tmp_path / "benchmark" / "entry")
    shown = "import os, sys\ndef main(): print(sys.flags.safe_path or os.environ['PYTHONSAFEPATH'], sys.argv[1:])\n"
    for package in ("benchmark", "benchmark/entry"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "benchmark" / "entry" / "command.py").write_text(shown)
    done = call(sys.executable, *flags, str(tmp_path / "run_suite.py"), "a word", cwd=tmp_path)
    assert done.stdout == f"{'1' if not flags else 'True'} ['a word']\n", done.stderr


def test_a_deleted_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    line = f"rmdir ../gone; exec {sys.executable} {ROOT / 'run_suite.py'} list"
    done = call("bash", "-c", line, cwd=tmp_path / "gone")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the current folder is not there (No such file or directory); go to another one\n"
