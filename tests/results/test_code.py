"""Whose commit a result names: this checkout's own, or a sentence why none."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.errors import OtherCodeError
from benchmark.results import code
from benchmark.results.code import Code, agree, require_same, this_code


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *named, *words], cwd=folder, env=kept, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "c", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def written(folder: Path) -> Path:
    """A project in small."""
    files = {
        "benchmark/__init__.py": "",
        "benchmark/data/pack.py": "import os\n",
        "benchmark/commit.txt": "$Format:%H$\n",
        ".gitattributes": "benchmark/commit.txt export-subst\n",
        "run_suite.py": "",
        "results/a.json": "{}",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """``look`` at another place without leaving what was seen there behind."""
    monkeypatch.setattr(code._Own, "code", None)
    yield monkeypatch
    code._Own.code = None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(written(tmp_path / "own"), "init", "-q")
    commit(tmp_path / "own")
    return tmp_path / "own"


def look(monkeypatch: pytest.MonkeyPatch, folder: Path, *, installed: bool = False) -> Code:
    """What is known of the code in a folder."""
    monkeypatch.setattr(code, "ROOT", folder)
    monkeypatch.setattr(code, "PACKAGE", folder / "benchmark")
    monkeypatch.setattr(code, "_PACKAGED", folder / "benchmark" / "commit.txt")
    monkeypatch.setattr(code, "INSTALLED", installed)
    monkeypatch.setattr(code._Own, "code", None)
    return this_code()


def unknown(found: Code) -> str:
    """The sentence why there is no commit."""
    assert (found.commit, found.dirty) == (None, None)
    assert found.note is not None
    assert found.note.startswith("the commit of this code is not known: ")
    return found.note


def test_a_clean_checkout_is_its_commit(checkout: Path, here: pytest.MonkeyPatch) -> None:
    found = look(here, checkout)
    assert (found.commit, found.dirty, found.note) == (git(checkout, "rev-parse", "HEAD"), False, None)
    assert this_code().name == found.commit


@pytest.mark.parametrize("changed", ["benchmark/__init__.py", "run_suite.py"])
def test_changed_code_is_no_commits(checkout: Path, here: pytest.MonkeyPatch, changed: str) -> None:
    (checkout / changed).write_text("by hand")
    assert look(here, checkout).dirty
    assert str(this_code().name).endswith("+uncommitted")


def test_what_git_was_told_to_overlook_counts(checkout: Path, here: pytest.MonkeyPatch) -> None:
    for flag in ("--assume-unchanged", "--skip-worktree"):
        git(checkout, "update-index", flag, "benchmark/data/pack.py")
        (checkout / "benchmark" / "data" / "pack.py").write_text("by hand")
        assert look(here, checkout).dirty
        (checkout / "benchmark" / "data" / "pack.py").write_text("import os\n")
        assert not look(here, checkout).dirty


@pytest.mark.parametrize("name", ["own.py", "data/own.py", "ignored.py", "own.abi3.so"])
def test_a_file_that_git_does_not_know_is_no_commits(checkout: Path, here: pytest.MonkeyPatch, name: str) -> None:
    (checkout / ".gitignore").write_text("ignored.py\n")
    (checkout / "benchmark" / name).write_text("")
    assert look(here, checkout).dirty


def test_a_missing_file_and_a_linked_folder_are_no_commits(checkout: Path, here: pytest.MonkeyPatch) -> None:
    (checkout / "benchmark" / "more").symlink_to(checkout / "results")
    assert look(here, checkout).dirty
    (checkout / "benchmark" / "more").unlink()
    assert not look(here, checkout).dirty
    (checkout / "benchmark" / "data" / "pack.py").unlink()
    assert look(here, checkout).dirty


def test_what_is_no_code_changes_nothing(checkout: Path, here: pytest.MonkeyPatch) -> None:
    before = look(here, checkout)
    (checkout / "results" / "a.json").unlink()
    (checkout / "notes.txt").write_text("mine")
    for name in ("__pycache__/pack.pyc", ".pack.py.swp"):
        (checkout / "benchmark" / name).parent.mkdir(exist_ok=True)
        (checkout / "benchmark" / name).write_text("")
    assert look(here, checkout) == before


def test_line_ends_change_nothing(checkout: Path, here: pytest.MonkeyPatch) -> None:
    before = look(here, checkout)
    (checkout / "benchmark" / "data" / "pack.py").write_bytes(b"import os\r\n")
    assert look(here, checkout) == before


# ------------------------------------------------------------------ other repositories


def test_inside_another_repository(checkout: Path, here: pytest.MonkeyPatch) -> None:
    inner = written(checkout / "results" / "unpacked")
    assert "inside another git repository" in unknown(look(here, inner))
    (inner / ".git").mkdir()  # a broken one of its own
    assert "inside another git repository" in unknown(look(here, inner))


def test_in_a_repository_that_does_not_hold_it(tmp_path: Path, here: pytest.MonkeyPatch) -> None:
    git(written(tmp_path), "init", "-q")
    assert "no commit yet" in unknown(look(here, tmp_path))
    git(tmp_path, "commit", "-qm", "c", "--allow-empty")
    assert "does not hold it" in unknown(look(here, tmp_path))


def test_without_any_repository(tmp_path: Path, here: pytest.MonkeyPatch) -> None:
    assert "in no git checkout" in unknown(look(here, written(tmp_path)))


def test_without_git(checkout: Path, here: pytest.MonkeyPatch) -> None:
    here.setenv("PATH", str(checkout / "nowhere"))
    assert "git is not installed" in unknown(look(here, checkout))
    assert this_code().name is None


@pytest.mark.parametrize(
    ("program", "why"), [("exit 3", "status 3"), ("echo; echo", "another git"), ("kill -9 $$", "status -9")]
)
def test_a_git_that_says_something_else(
    checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path, program: str, why: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    here.setenv("PATH", str(tmp_path / "bin"))
    assert why in unknown(look(here, checkout))


def test_the_environment_names_another_repository(checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = look(here, checkout)
    other = tmp_path / "other"
    git(written(other), "init", "-q")
    commit(other)
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git" / "index",
        "GIT_OBJECT_DIRECTORY": other / ".git" / "objects",
        "GIT_COMMON_DIR": other / ".git",
        "GIT_CEILING_DIRECTORIES": checkout.parent,
        "GIT_NAMESPACE": "other",
        "GIT_CONFIG_COUNT": "none",
        "GIT_PREFIX": "results",
    }.items():
        here.setenv(name, str(value))
        assert look(here, checkout) == before, name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user(checkout: Path, here: pytest.MonkeyPatch) -> None:
    before = look(here, checkout)
    here.setenv("HOME", str(checkout.parent))  # whoever runs this may have safe.directory set
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 65534, 65534)
    assert look(here, checkout) == before


# ------------------------------------------------------------------ other kinds of checkout


def test_a_worktree_a_shallow_clone_and_a_submodule(checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = git(checkout, "rev-parse", "HEAD")
    git(checkout, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    (checkout / "benchmark" / "data" / "pack.py").write_text("import sys\n")
    second = commit(checkout)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{checkout}", "shallow")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(checkout), "sub")
    commit(outer)
    for folder, name in ((tmp_path / "tree", first), (tmp_path / "shallow", second), (outer / "sub", second)):
        found = look(here, folder)
        assert (found.commit, found.dirty, found.note) == (name, False, None), folder


def test_an_archive_names_its_commit_and_says_that_it_is_one(
    checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git(checkout, "archive", "--format=tar", f"--output={tmp_path / 'a.tar'}", "HEAD")
    shutil.unpack_archive(tmp_path / "a.tar", tmp_path / "unpacked")
    found = look(here, tmp_path / "unpacked")
    assert (found.commit, found.dirty, found.packaged) == (git(checkout, "rev-parse", "HEAD"), None, True)
    assert "packed from" in str(found.note)
    assert found.digest == look(here, checkout).digest


def test_a_copy_without_git_beside_a_clone(checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path) -> None:
    git(checkout, "bundle", "create", "-q", str(tmp_path / "all.bundle"), "HEAD")
    git(tmp_path, "clone", "-q", str(tmp_path / "all.bundle"), "clone")
    copy = shutil.copytree(checkout, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    assert look(here, tmp_path / "clone").commit == git(checkout, "rev-parse", "HEAD")
    unknown(look(here, copy))
    (copy / "benchmark" / "commit.txt").write_text("c0ffee" * 6 + "c0ff\n")
    assert look(here, copy).commit == "c0ffee" * 6 + "c0ff"


def test_an_installed_copy_has_its_version_and_no_commit(checkout: Path, here: pytest.MonkeyPatch) -> None:
    assert "installed package, of version" in unknown(look(here, checkout, installed=True))


# ------------------------------------------------------------------ one code in all processes


def test_processes_agree_on_their_code(checkout: Path, here: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runners = look(here, checkout)
    copy = shutil.copytree(checkout, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    assert look(here, copy).commit is None
    agree(runners)
    assert this_code() == runners  # a machine without git names what its runner knows
    agree(None)
    (copy / "benchmark" / "data" / "pack.py").write_text("import sys\n")
    for hold in (agree, require_same):
        with pytest.raises(OtherCodeError, match="has changed since this command was started; start it again"):
            hold(runners)
    assert this_code() == runners
