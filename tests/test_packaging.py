"""What `pip install .` takes along, and what the installed command does away from any checkout."""

import importlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmark.results.code import this_code
from benchmark.suites.manifest import suite_names
from benchmark.system.paths import SUITES

from .places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMAND = "import sys; sys.argv[0] = 'sfe-benchmark'; from benchmark.entry.start import main; main()"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as its wheel would hold it."""
    pytest.importorskip("setuptools")
    place = tmp_path_factory.mktemp("wheel")
    for name in ("benchmark", "suites"):
        shutil.copytree(ROOT / name, place / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / "source")
    build = "from setuptools import setup; setup()"
    words = [sys.executable, "-c", build, "-q", "build_py", "--build-lib", str(place / "site")]
    subprocess.run(words, cwd=place / "source", check=True, capture_output=True, timeout=120)
    return place / "site"


def call(site: Path, folder: Path, code: str, *words: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SFE_", "GIT_"))}
    command = [sys.executable, "-P", "-c", code, *words]
    environment = {**kept, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_and_manifest_is_listed() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "benchmark").rglob("__init__.py")}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    shipped = {"benchmark.shipped": "suites", "benchmark.shipped.profiles": "suites/profiles"}
    assert sorted(listed) == sorted(found | shipped.keys())
    assert PROJECT["tool"]["setuptools"]["package-dir"] == shipped


def test_all_files_come_along(site: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    suites = {f"shipped/{name}": content for name, content in files(SUITES).items()}
    assert files(site / "benchmark") == files(ROOT / "benchmark") | suites
    assert [path.name for path in site.iterdir()] == ["benchmark"]


def test_the_installed_command_works_in_the_current_folder(site: Path, tmp_path: Path) -> None:
    module, _, name = PROJECT["project"]["scripts"]["sfe-benchmark"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    said = call(site, tmp_path, COMMAND, "list")
    assert [line.split()[0] for line in said.splitlines()] == suite_names()
    assert call(site, tmp_path, COMMAND, "report", "table2").startswith("report: reports/paper/table2.md\n")
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]


def test_the_installed_code_has_no_commit_but_the_checkouts_digest(site: Path, tmp_path: Path) -> None:
    shown = "from benchmark.results.code import *; c = this_code(); print(c.commit, c.digest, c.note, sep='\\n')"
    commit, digest, note = call(site, tmp_path, shown).splitlines()
    assert (commit, note) == (
        "None",
        "the commit of this code is not known: it is an installed package, of version 0.1.0",
    )
    assert digest == this_code().digest
