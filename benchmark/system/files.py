"""Files that appear whole or not at all, and are read only where they are files."""

import contextlib
import errno
import glob
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Literal

from benchmark.errors import UserError
from benchmark.system.folders import make_folder, share, sync_folder
from benchmark.system.locks import waiting

#: Bytes of a file that is read here, at most; a device or a file with holes may show any number.
LARGEST = 2**30
#: The same of words that people or this project write: manifests, jobs, benches.
MOST_TEXT = 2**20
#: A file under this project's writing is never untouched for so long.
_LEFT_SECONDS = 3600.0
_FLAGS = {
    "rb": os.O_RDONLY,
    "ab": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "wb": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
}
_SPECIAL = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a named pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}

#: What systems answer where a file system (exFAT, some network mounts) knows no hard links.
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)


def write_atomic(path: Path, data: bytes, *, replace: bool = True, lasting: bool = True) -> None:
    """Write a file so that a reader, or a power cut, sees all of it or nothing.

    Args:
        path: the file; its folder is made if need be.
        data: its content.
        replace: False refuses to touch a file that is already there.
        lasting: False spares the wait for the disk, tens of milliseconds: what a power cut may take back or damage.

    Raises:
        FileExistsError: the file is there and ``replace`` is False.
        OSError: the disk is full, the folder read-only, and so on; nothing that was there is harmed.
    """
    try:
        _write_atomic(path, data, replace, lasting)
    except OSError as error:
        if error.filename is None:  # a full disk does not say which file it was
            error.filename = str(path)
        raise


def _write_atomic(path: Path, data: bytes, replace: bool, lasting: bool) -> None:
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
            share(file.fileno(), path.parent)
        if replace:
            Path(name).replace(path)
        else:
            rename_new(Path(name), path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
    if lasting:
        sync_folder(path.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file within its file system, but never over another one.

    Where there are no hard links, looking and renaming are two steps, which a lock makes one for all who come here.

    Raises:
        FileExistsError: ``target`` is there already; both files stay as they were.
        OSError: it can't be renamed.
    """
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with waiting(target.parent / ".rename.lock"):
            if target.exists() or target.is_symlink():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            source.rename(target)
    else:
        source.unlink(missing_ok=True)  # it may have been swept


def why_irregular(status: os.stat_result, largest: int = LARGEST) -> str | None:
    """Why what ``os.stat`` shows is not to be read, as the end of a sentence; None where it is a file of sane size."""
    if not stat.S_ISREG(status.st_mode):
        return f"{_SPECIAL.get(stat.S_IFMT(status.st_mode), 'is something special')}, no file"
    return f"has {status.st_size} bytes, more than the {largest} that are read" if status.st_size > largest else None


def open_regular(path: Path | str, largest: int = LARGEST, mode: Literal["rb", "ab", "wb"] = "rb") -> BinaryIO:
    """Open a file: a pipe in its place would keep its reader or writer waiting, a device would never end.

    Args:
        path: the file; a link to one will do.
        largest: more bytes are not read.
        mode: to read, to append or to write anew.

    Raises:
        OSError: it can't be opened, or is no regular file of that size.
    """
    largest = largest if mode == "rb" else sys.maxsize
    new = True
    with contextlib.suppress(FileNotFoundError):  # looked at before opening, which may wait or wake a device
        _require_regular(path, Path(path).stat(), largest)
        new = False
    handle = os.open(path, _FLAGS[mode] | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        _require_regular(path, os.fstat(handle), largest)
        if new and mode != "rb":
            share(handle, Path(path).parent)
        return open(path, mode, opener=lambda *_: handle)
    except BaseException:
        os.close(handle)
        raise


def _require_regular(path: Path | str, status: os.stat_result, largest: int) -> None:
    if reason := why_irregular(status, largest):
        raise OSError(errno.EINVAL, reason, str(path))


def read_regular(path: Path | str, largest: int = LARGEST) -> bytes:
    """The bytes of a file; raises as :func:`open_regular` does."""
    with open_regular(path, largest) as file:
        return file.read(largest)


def read_end(path: Path, most: int = MOST_TEXT) -> bytes:
    """The last bytes of a file, of whatever size; raises as :func:`open_regular` does."""
    with open_regular(path, sys.maxsize) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read(most)


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
    except FileNotFoundError:  # somebody has deleted the current folder
        return str(path)


def user_path(text: str) -> Path:
    """A path that somebody typed or that a variable holds, with ``~`` and ``~somebody`` as home folders.

    Raises:
        UserError: there is no such user.
    """
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)
    except RuntimeError:
        raise UserError(f"{text}: there is no such user; for a folder of that name write ./{text}") from None


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where there is none.

    Raises:
        OSError: it can't be read; ``glob`` would show nothing, too.
    """
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def is_there(path: Path) -> bool:
    """Whether something stands at a path; at one that no file system takes, nothing does."""
    try:
        path.stat()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False
    return True


def leftovers(folder: Path) -> list[Path]:
    """What killed processes left of their writing in a folder: named already, or not touched for an hour.

    Nothing, where it may not be read.
    """
    found: list[Path] = []
    try:
        there = [path for path in entries(folder) if path.name.startswith(".") and path.suffix == ".tmp"]
    except OSError:
        return found
    for path in there:
        with contextlib.suppress(OSError):  # it is gone
            status = path.lstat()
            old = time.time() - status.st_mtime > _LEFT_SECONDS
            found += [path] if stat.S_ISREG(status.st_mode) and (old or status.st_nlink > 1) else []
    return found


def sweep(folders: Iterable[Path]) -> None:
    """Delete the :func:`leftovers` in some folders, as far as that is allowed."""
    for folder in folders:
        for path in leftovers(folder):
            with contextlib.suppress(OSError):
                path.unlink()


def remove_leftovers(path: Path) -> None:
    """Delete what killed processes left of their writing; only where nobody else can be writing ``path``."""
    for left_over in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        left_over.unlink(missing_ok=True)
