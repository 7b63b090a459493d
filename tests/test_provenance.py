import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import provenance
from benchmark.provenance import code_name, code_version


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small repository in the place of this one."""
    for name in ("benchmark/provenance.py", "results/mini/a.json", "run_suite.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as committed")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "c"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    code_version.cache_clear()
    yield tmp_path
    code_version.cache_clear()


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    head = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert code_name() == head.strip()


@pytest.mark.parametrize("changed", ["benchmark/provenance.py", "run_suite.py"])
def test_changed_code_is_no_commits(checkout: Path, changed: str) -> None:
    (checkout / changed).write_text("by hand")
    assert str(code_name()).endswith("+uncommitted")


def test_results_and_new_files_are_no_code(checkout: Path) -> None:
    (checkout / "results" / "mini" / "a.json").unlink()
    (checkout / "notes.txt").write_text("mine")
    assert code_version()["dirty"] is False


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert code_version() == {"release": code_version()["release"], "commit": None, "dirty": None}
    assert code_name() is None


def test_a_repository_around_a_copy_of_the_code_says_nothing_of_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = checkout / "unpacked"
    shutil.copytree(checkout / "benchmark", copy / "benchmark")
    shutil.copy(checkout / "run_suite.py", copy)
    monkeypatch.setattr(provenance, "ROOT", copy)
    assert (code_version()["commit"], code_version()["dirty"]) == (None, None)


def test_a_packaged_tree_names_its_commit_and_that_it_was_packaged(checkout: Path) -> None:
    (checkout / "packaged-commit.txt").write_text("c0ffee\n")
    assert code_version() == {"release": code_version()["release"], "commit": "c0ffee", "dirty": None, "packaged": True}
    assert code_name() == "c0ffee"
