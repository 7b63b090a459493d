"""Folders: made as those around them are, looked at before work begins."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Where a group or everybody may write in the folder above, they may in the new one: people who share results share
    what this project puts below. A sticky folder, ``/tmp`` say, shares nothing.

    Raises:
        NotADirectoryError: something else stands in its place, or a link to nowhere does.
        OSError: it can't be made.
    """
    try:
        folder.mkdir()
    except FileNotFoundError:
        if os.path.lexists(folder.parent):  # a link to nowhere
            raise _in_the_place(folder.parent) from None
        make_folder(folder.parent)
        make_folder(folder)
        return
    except FileExistsError:
        if folder.is_dir():
            return
        raise _in_the_place(folder) from None
    except NotADirectoryError:
        raise _in_the_place(next(above for above in folder.parents if os.path.lexists(above))) from None
    if shared := shared_bits(folder.parent):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | shared)


def _in_the_place(folder: Path) -> NotADirectoryError:
    return NotADirectoryError(errno.ENOTDIR, "a file or a link to nowhere stands in its place", str(folder))


def shared_bits(folder: Path) -> int:
    """What group and others may do in a folder in which they may write, as bits of a mode."""
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:
        return 0
    return sum(mode & who for who, may_write in ((0o070, 0o020), (0o007, 0o002)) if mode & may_write)


def share(file: int, folder: Path) -> None:
    """Let those write into a new, open file who may write into its folder."""
    if bits := shared_bits(folder) & 0o666:
        os.fchmod(file, stat.S_IMODE(os.fstat(file).st_mode) | bits)


def why_no_folder(path: Path) -> str | None:
    """Why nothing at a path can be a folder to read, as the end of a sentence; None where it is one or may be made."""
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            return f"is a link to {path.readlink()}, where nothing is"
        gone = not path.is_absolute() and _current_folder_is_gone()
        return "can't be found from a current folder that is deleted; give its whole path" if gone else None
    except OSError as error:  # too long a name, a link to itself, a file where a folder should be
        return f"can't be used: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return "is no folder"
    return None if os.access(path, os.R_OK | os.X_OK) else "may not be read"


def _current_folder_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def why_unusable(folder: Path) -> str | None:
    """Why nothing could be written below a folder, seen without making it; None where that may well be possible."""
    for place in (folder, *folder.parents):
        if reason := why_no_folder(place):
            return f"{place} {reason}"
        if place.exists():
            return None if os.access(place, os.W_OK) else f"{place} may not be written"
    return None


def why_unwritable(folder: Path) -> str | None:
    """Why nothing can be written in a folder, which is made if need be; None where all is well."""
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder) as probe:  # nameless: a second runner never meets it
            probe.write(bytes(2**16))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return (error.strerror or str(error)) + _whose(folder, error)
    return None


def _whose(folder: Path, error: OSError) -> str:
    if error.errno != errno.EACCES:
        return ""
    with contextlib.suppress(OSError, KeyError):  # it is not there; its owner has no name
        return f": it belongs to {folder.owner()}, who can let you write there (chmod -R a+rwX)"
    return ": its owner can let you write there (chmod -R a+rwX)"


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
