import ast
import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from benchmark.data.meta import read_meta
from benchmark.errors import UserError
from benchmark.execution.run_folder import RunFolder
from benchmark.planning.measured import bench_paces
from benchmark.reports.write import _is_current
from benchmark.results.store import read_result
from benchmark.suites.manifest import load_manifest
from benchmark.system.files import leftovers, open_regular, read_end, read_regular, sweep, write_atomic
from benchmark.training import checkpoint
from tests.test_architecture import MODULES


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made_and_no_temporary_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "result.json"
    write_atomic(path, b"content")
    assert path.read_bytes() == b"content"
    assert names(path.parent) == ["result.json"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_replacing_is_the_default(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"first")
    write_atomic(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert names(tmp_path) == ["file"]


def test_without_replacing_the_first_stays(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_full_disk_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomic(tmp_path / "old", b"first")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomic(tmp_path / ("old" if replace else "new"), b"second", replace=replace)
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"first"


def no_links(*names: object, **options: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    write_atomic(tmp_path / "file", b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_of_many_writers_one_wins_and_its_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "file"
    contents = [bytes([65 + index]) * 100_000 for index in range(8)]

    def attempt(content: bytes) -> bool:
        try:
            write_atomic(path, content, replace=False)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, contents))
    assert won.count(True) == 1
    assert path.read_bytes() == contents[won.index(True)]
    assert names(tmp_path) == ["file"]


# ------------------------------------------------------------------ what is read


def special(path: Path, kind: str) -> None:
    """Something that is no file, where one should be."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link to a device":
            path.symlink_to("/dev/zero")
        case "link to itself":
            path.symlink_to(path.name)
        case "link to nothing":
            path.symlink_to("nowhere")
        case "socket":
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(os.path.relpath(path))  # such names are short
        case "huge":
            with path.open("wb") as file:
                file.truncate(2**40)  # takes no room: it is a hole


SPECIAL = ("pipe", "folder", "link to a device", "link to itself", "link to nothing", "socket", "huge")


@pytest.mark.parametrize("kind", SPECIAL)
def test_only_files_of_sane_size_are_read(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    special(tmp_path / "file", kind)
    words = "no file|more than the|No such file|Too many levels"
    with pytest.raises(OSError, match=words):
        read_regular(tmp_path / "file")


def test_links_to_files_are_followed_and_the_bound_is_exact(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345678")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 8) == b"12345678"
    with pytest.raises(OSError, match="8 bytes, more than the 7"):
        read_regular(tmp_path / "link", 7)
    assert read_end(tmp_path / "link", 3) == b"678"


@pytest.mark.parametrize("mode", ["ab", "wb"])
def test_nothing_is_written_into_a_pipe(tmp_path: Path, mode: Literal["ab", "wb"]) -> None:
    special(tmp_path / "pipe", "pipe")
    with pytest.raises(OSError, match="is a named pipe, no file"):
        open_regular(tmp_path / "pipe", mode=mode)
    with open_regular(tmp_path / "file", mode=mode) as file:
        file.write(b"x")
    assert (tmp_path / "file").read_bytes() == b"x"
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0o666 & ~_umask() & 0o077


def _umask() -> int:
    os.umask(found := os.umask(0))
    return found


READERS: dict[str, Callable[[Path], object]] = {
    "result": lambda path: read_result(path, completed=True),
    "manifest": load_manifest,
    "job": lambda path: RunFolder(path.parent).job(),
    "bench": lambda path: bench_paces(path, "a CPU"),
    "checkpoint": lambda path: checkpoint.load(path, "x"),
    "progress": lambda path: RunFolder(path.parent).progress(),
    "log": lambda path: RunFolder(path.parent).log_tail(),
    "attempts": lambda path: RunFolder(path.parent).vanished(),
    "no-graph": lambda path: RunFolder(path.parent).graphs_refused(),
    "packed": lambda path: read_meta(path.parent),
    "report": lambda path: _is_current(path, b""),
}


@pytest.mark.parametrize("kind", [kind for kind in SPECIAL if kind != "socket"])
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_files_goes_on_or_names_the_file(tmp_path: Path, reader: str, kind: str) -> None:
    name = {"job": "job.json", "progress": "progress.json", "log": "log.txt", "attempts": "attempts.txt"}
    path = tmp_path / {**name, "no-graph": "no-graph", "packed": "meta.json"}.get(reader, "file")
    special(path, kind)
    if reader in ("result", "manifest", "job"):
        with pytest.raises(UserError, match=f"^{path}: "):
            READERS[reader](path)
    elif reader == "no-graph" and kind not in ("huge", "link to nothing"):
        assert str(READERS[reader](path)).startswith("no-graph can't be read: ")
    else:
        found = READERS[reader](path)
        assert not found or kind == "huge"


LOWEST = ("benchmark.system.files", "benchmark.system.folders", "benchmark.system.locks", "benchmark.system.hardware")


#: Who opens files in another way, how, and why that is safe.
OPENERS = {
    "benchmark.bench.matrix": {"self.open"},  # no file
    "benchmark.cli.report": {"webbrowser.open"},  # no file
    "benchmark.data.cache": {"file.open", "(folder / FILE).open", "np.load"},  # what it wrote; sizes are compared first
    "benchmark.data.decode": {"Image.open"},  # of an open file
    "benchmark.data.download": {"part.open"},  # written, once it was looked at
    "benchmark.data.layouts": {"loadmat"},  # of bytes
    "benchmark.data.pack": {"self.file.open"},  # written, in a folder of its own
    "benchmark.data.unpack": {"archive.open", "tarfile.open", "zipfile.ZipFile", "whole.open", "target.open"},
    "benchmark.execution.executors.placing": {"os.open"},  # a worker's log, to write
    "benchmark.reports.renderers.html.render": {"(files(_PACKAGE) / name).read_text"},  # of the package's own
    "benchmark.reports.write": {"Image.open"},  # of bytes
    "benchmark.suites.yaml_files": {"yaml.load"},  # of text
    "benchmark.system.processes": {"os.open"},  # of /dev/null
    "benchmark.system.terminal": {"os.open"},  # of /dev/null
    "benchmark.training.checkpoint": {"torch.load"},  # of bytes
}
LOADERS = {"open", "loadmat", "zipfile.ZipFile"} | {
    f"{module}.{name}" for module in ("np", "torch", "yaml", "pickle", "pd") for name in ("load", "memmap", "read_csv")
}


def opened_by(tree: ast.AST) -> Iterator[str]:
    """Whatever opens a file by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("open", "read_text", "read_bytes"):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in LOADERS:
            yield ast.unparse(node.func)


def test_nothing_else_opens_files_to_read_them() -> None:
    """A new reader comes through :func:`read_regular` too; what is read below /proc and /sys is the system's."""
    found = {
        module: {text for text in opened_by(ast.parse(path.read_text(encoding="utf-8"))) if "/proc/" not in text}
        for module, path in MODULES.items()
        if module not in LOWEST
    }
    assert {module: new for module, opened in found.items() if (new := opened - OPENERS.get(module, set()))} == {}


def test_leftovers_of_killed_writers_are_swept_and_no_others(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.json", b"whole")
    (tmp_path / ".a.json.linked00.tmp").hardlink_to(tmp_path / "a.json")  # killed before the second name went
    (tmp_path / ".b.json.halfway0.tmp").write_bytes(b"ha")
    os.utime(tmp_path / ".b.json.halfway0.tmp", (0, 0))
    (tmp_path / ".c.json.beingput.tmp").write_bytes(b"just now, by somebody")
    assert [path.name for path in leftovers(tmp_path)] == [".a.json.linked00.tmp", ".b.json.halfway0.tmp"]
    sweep([tmp_path, tmp_path / "nowhere"])
    assert names(tmp_path) == [".c.json.beingput.tmp", "a.json"]
