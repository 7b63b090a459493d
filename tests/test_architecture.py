import ast
import graphlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from benchmark.system.paths import PACKAGE

from .places import ROOT

FLOORS = {
    7: ("entry",),
    6: ("cli",),
    5: ("execution", "reports", "bench"),
    4: ("training",),
    3: ("methods", "planning", "audit", "verdicts"),
    2: ("suites", "results", "data", "models"),
    1: ("runs", "system"),
    0: ("errors", "seeding", "wording"),
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

TORCH = {"torch", "torchvision", "pytorchcv"}
TORCH_ROOMS = {"models", "methods", "training", "bench"}
TORCH_MODULES = {"benchmark.data.augment", "benchmark.execution.worker"}

LINES = 300


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """``benchmark.data.cifar`` -> ``data``; the package itself has none."""
    return module.split(".")[1] if "." in module else ""


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Full names of all that a module imports, at any level of it."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in MODULES and name != module}


def rooms() -> set[str]:
    return {room(module) for module in MODULES} - {""}


def test_every_room_has_a_floor_and_every_floor_its_rooms() -> None:
    assert rooms() == set(FLOOR)


def test_few_modules_stand_loose() -> None:
    loose = {name.split(".")[1] for name in MODULES if name.count(".") == 1 and MODULES[name].name != "__init__.py"}
    assert loose == {"errors", "seeding", "wording"}
    assert len({path.parent for path in MODULES.values()} - {PACKAGE}) <= 20


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    if module == "benchmark":  # its imports are within a function, for people who compute
        assert ours(module) == {"benchmark.reports.frames", "benchmark.training.weights"}
        return
    for name in ours(module) - {"benchmark"}:
        below = FLOOR[room(name)] < FLOOR[room(module)]
        assert below or room(name) == room(module), f"{module} imports {name}, which lies no floor below it"


def test_imports_make_no_cycle() -> None:
    graph = {module: ours(module) for module in MODULES if module != "benchmark"}  # it imports within a function
    graphlib.TopologicalSorter(graph).prepare()
    between: dict[str, set[str]] = {}
    for module, names in graph.items():
        between.setdefault(room(module), set()).update({room(name) for name in names} - {room(module)})
    graphlib.TopologicalSorter(between).prepare()


@pytest.mark.parametrize("module", MODULES)
def test_torch_is_imported_by_the_worker_and_what_it_calls_alone(module: str) -> None:
    if room(module) in TORCH_ROOMS or module in TORCH_MODULES:
        return
    assert not {name.split(".")[0] for name in imports(module)} & TORCH


def test_augmentation_is_for_training_alone() -> None:
    readers = {module for module in MODULES if "benchmark.data.augment" in ours(module)}
    assert readers
    assert {room(module) for module in readers} == {"training"}


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(tree(module))


def test_the_documents_put_the_rooms_on_the_same_floors() -> None:
    found = {}
    for line in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| (\d) \| ([^|]*) \|", line):
            for name in re.findall(r"`([a-z_]+)/?`", match[2]):
                found[name] = int(match[1])
    assert found == {name: FLOOR[name] for name in rooms()}


# ------------------------------------------------------------------ what a command loads


def loaded(tmp_path: Path, *commands: list[str]) -> set[str]:
    """Packages in memory after some commands, in a process of their own."""
    code = "import json, sys\nfrom benchmark.cli import cli\n"
    for command in commands:
        code += f"try: cli({command!r}, standalone_mode=False)\nexcept SystemExit as end: assert not end.code\n"
    code += "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    places = {f"SFE_{name}_DIR": str(tmp_path / name.lower()) for name in ("RESULTS", "REPORTS", "SCRATCH")}
    environment = {**os.environ, **places}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_looking_is_light(tmp_path: Path) -> None:
    packages = loaded(tmp_path, ["list"], ["plan", "all", "--format", "json"], ["status"])
    assert "pydantic" in packages
    assert not packages & (TORCH | {"numpy", "scipy", "pandas", "matplotlib", "PIL"})
    assert list(tmp_path.iterdir()) == [], "looking writes nothing"


def test_reports_need_no_torch(tmp_path: Path) -> None:
    packages = loaded(tmp_path, ["report", "table2"])
    assert "matplotlib" in packages
    assert "pandas" not in packages, "only the frames for people who compute are pandas'"
    assert not packages & TORCH
    assert (tmp_path / "reports" / "paper" / "table2.csv").exists()


def test_a_laptop_needs_what_the_readme_says_and_no_more(tmp_path: Path) -> None:
    listed = re.search(r"`pip install -c constraints.txt ([^`]*)` is enough", (ROOT / "README.md").read_text("utf-8"))
    assert listed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split("[<>=]", line)[0] for line in project["dependencies"]}
    named = {*listed[1].split(), "pillow"}  # matplotlib brings that
    assert named <= wanted
    modules = {"pillow": "PIL", "pyyaml": "yaml"}
    (tmp_path / "other" / "mini").mkdir(parents=True)
    commands = [
        ["report", "table2"],
        ["verify"],
        ["plan", "table1"],
        ["status", "table1"],
        ["merge", str(tmp_path / "other")],
    ]
    assert not loaded(tmp_path, *commands) & {modules.get(name, name) for name in wanted - named}


def test_nothing_that_git_ignores_is_tracked() -> None:
    # a checkout would replace what lies there by itself: an environment by a link to somebody else's, say
    words = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no git")
    if done.returncode:
        pytest.skip("this is no checkout")
    assert done.stdout == ""


def test_an_assertion_does_not_choose_what_it_asserts() -> None:
    """``assert a == b if c else d`` asserts ``d`` where c is false, and holds for any number d but zero."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Assert) and isinstance(node.test, ast.IfExp)), f"{path}:{node.lineno}"
