"""Unpacking an archive that nobody vouches for."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from benchmark.data.bar import progress_bar
from benchmark.errors import DataError
from benchmark.system.folders import make_folder


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # "file", "folder" or what else it is
    content: IO[bytes] | None


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ``.zip`` or any tar archive; a ``.mat`` file is copied.

    Only plain files and folders are made, all below ``folder``, with this process's own rights.

    Args:
        archive: the file.
        folder: where to; it exists.

    Raises:
        DataError: the archive is damaged, or has a member with a path out of the folder, a link or a device.
        OSError: the disk is full, and so on.
    """
    try:
        with progress_bar(f"unpacking {archive.name}", None) as advance:
            for member in _members(archive):
                _make(member, folder, archive)
                advance(1)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise DataError(f"{archive} is damaged: {error}; delete it and fetch it again") from error


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix == ".mat":
        with archive.open("rb") as content:
            yield _Member(archive.name, "file", content)
    elif archive.suffix == ".zip":
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isreg():
                yield _Member(entry.name, "file", tar.extractfile(entry))
            else:
                link = entry.issym() or entry.islnk()
                yield _Member(entry.name, "folder" if entry.isdir() else "link" if link else "special file", None)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as whole:
        for entry in whole.infolist():
            mode = entry.external_attr >> 16  # Unix rights, 0 where the archive was made elsewhere
            if entry.is_dir():
                yield _Member(entry.filename, "folder", None)
            elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield _Member(entry.filename, "link" if stat.S_ISLNK(mode) else "special file", None)
            else:
                with whole.open(entry) as content:
                    yield _Member(entry.filename, "file", content)


def _make(member: _Member, folder: Path, archive: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name:
        raise DataError(f"{archive} is refused: its member {member.name!r} would lie outside the folder")
    if member.kind not in ("file", "folder"):
        raise DataError(f"{archive} is refused: its member {member.name!r} is a {member.kind}")
    target = folder / path
    if member.kind == "folder":
        make_folder(target)
        return
    make_folder(target.parent)
    assert member.content is not None
    with target.open("xb") as out:  # a name that comes twice fails
        shutil.copyfileobj(member.content, out, 1 << 20)
