"""Folders that people name: unusable ones are refused in a sentence before anything is made, all others work."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import benchmark.cli
from benchmark.cli.options import FOLDER
from benchmark.errors import UserError
from benchmark.execution.places import run_folders
from benchmark.results.store import Failure, Store
from benchmark.system.paths import SUITES
from tests.cli.test_cli import Command, command, folders, refused

__all__ = ["command", "folders"]  # fixtures


def places(tmp_path: Path) -> Iterator[Path]:
    """What can be no folder."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "far").symlink_to("nowhere/at/all")
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in ("loop", "loop/below", "dangling", "far", "file", "file/below", "pipe", "x" * 300, "x" * 5000):
        yield tmp_path / name


def test_what_can_be_no_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    for place in places(tmp_path):
        with pytest.raises(click.BadParameter, match=r"no folder|can't be used|where nothing is"):
            FOLDER.convert(str(place), None, None)
    with pytest.raises(click.BadParameter, match="is empty"):
        FOLDER.convert("", None, None)
    assert FOLDER.convert(str(tmp_path / "may" / "be" / "made"), None, None) == tmp_path / "may" / "be" / "made"


def commands(group: click.Group) -> Iterator[click.Command]:
    for one in group.commands.values():
        yield from commands(one) if isinstance(one, click.Group) else [one]


def test_every_command_takes_folders_in_this_way() -> None:
    found = [
        parameter
        for one in commands(benchmark.cli.cli)
        for parameter in one.params
        if str(parameter.name).endswith("_dir") or isinstance(parameter.type, click.Path)
    ]
    assert len(found) > 10
    assert all(parameter.type is FOLDER for parameter in found)


def test_a_tilde_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, folders: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SFE_DATA_DIR", "~/images")  # where no shell replaces it
    assert f"missing: {tmp_path}/images/cifar-100-python" in command("data", "list").out
    assert FOLDER.convert("~", None, None) == tmp_path
    assert FOLDER.convert("./~", None, None) == Path("~")
    with pytest.raises(UserError, match="no such user"):
        FOLDER.convert("~nobody-of-that-name/x", None, None)
    (tmp_path / "own.yaml").write_bytes((SUITES / "table7.yaml").read_bytes())
    refused(command("plan", "~/none.yaml"), "~/none.yaml: there is no such manifest")
    assert command("plan", "~/own.yaml").status in (0, 2)  # read, whatever its name is good for


def test_in_a_deleted_folder_only_whole_paths_mean_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(click.BadParameter, match="current folder that is deleted; give its whole path"):
        FOLDER.convert("r", None, None)
    assert FOLDER.convert(str(tmp_path), None, None) == tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "results/smoke",
        "results/smoke/failures",
        "results/smoke/.locks",
        "reports/smoke",
        "scratch/runs",
        "scratch/data",
    ],
)
@pytest.mark.parametrize("kind", ["file", "loop", "dangling"])
def test_a_run_is_refused_before_anything_is_made(folders: Path, command: Command, place: str, kind: str) -> None:
    path = folders / place
    path.parent.mkdir(parents=True)
    path.touch() if kind == "file" else path.symlink_to(path.name if kind == "loop" else "nowhere")
    before = sorted(folders.rglob("*"))
    refused(command("run", "table1", "--profile", "smoke"), str(path))
    assert sorted(folders.rglob("*")) == before


def test_reports_need_their_own_folder(folders: Path, command: Command) -> None:
    (folders / "reports").mkdir()
    (folders / "reports" / "smoke").touch()
    refused(command("report", "table2", "--profile", "smoke"), str(folders / "reports" / "smoke"))


def test_a_folder_may_have_any_bytes(tmp_path: Path) -> None:
    odd = FOLDER.convert(os.fsdecode(os.fsencode(tmp_path) + b"/folder-\xff"), None, None)
    odd.mkdir()
    store = Store(odd / "smoke")
    assert run_folders(tmp_path, store).name.startswith("smoke-")
    failure = Failure(reason=f"FileNotFoundError: {odd}", log_tail=[str(odd)], log_file=str(odd))
    for text in (failure.reason, *failure.log_tail, failure.log_file):
        assert text.encode()
        assert text.endswith(r"folder-\udcff")
