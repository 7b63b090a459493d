"""Fetching one file over HTTP: resumed where the server can, checked before it gets its name."""

import errno
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmark.data.archives import Archive
from benchmark.data.bar import progress_bar
from benchmark.errors import DataError
from benchmark.system.files import open_regular
from benchmark.system.folders import make_folder

#: Attempts in a row that bring not one byte before the download gives up; what came is kept for the next call.
ATTEMPTS = 5
#: Pause before each further attempt, seconds.
PAUSE_S = 2.0
TIMEOUT_S = 30.0
_BLOCK = 1 << 18  # bytes read at once
_LARGEST = 1 << 36  # bytes of an archive


class _ForGoodError(Exception):
    """The server's answer will be the same next time."""


def download(archive: Archive, folder: Path) -> Path:
    """The archive in ``folder``, fetched unless it is there; only a file of the right size and md5 has its name.

    What a broken download brought stays beside it as ``<file>.part`` and is taken up again, now or by the next
    call. The caller keeps two of them apart.

    Args:
        archive: what to fetch, and how to recognise it.
        folder: where it shall lie.

    Raises:
        DataError: no way to the server, or it sends something else; the message says where to put the file by hand.
    """
    target = folder / archive.file
    if os.path.lexists(target):
        if wrong := what_is_wrong(target, archive):
            raise DataError(f"{target} is not the publisher's file: {wrong}; replace it, or delete it to fetch it anew")
        return target
    by_hand = f"put the publisher's {archive.file} (md5 {archive.md5}) at {target} and run the command again"
    if not archive.url:
        raise DataError(f"the publisher's address of {archive.file} is dead: {by_hand}")
    make_folder(folder)
    part = folder / f"{archive.file}.part"
    if os.path.lexists(part) and not part.is_file():
        raise DataError(f"{part} is no file; take it away")
    with progress_bar(archive.file, archive.size, in_bytes=True) as advance:
        for resumed in (part.exists(), False):
            _fetch(archive, part, advance, by_hand)
            wrong = what_is_wrong(part, archive)
            if not wrong:
                part.replace(target)
                return target
            part.unlink()
            advance(-(archive.size or 0))
            if not resumed:  # not a question of an old beginning and a new end
                break
    raise DataError(f"{archive.url} is not the expected file: {wrong}; {by_hand}")


def what_is_wrong(file: Path, archive: Archive) -> str:
    """Why the file isn't the archive, in words; empty where it is."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open_regular(file, _LARGEST) as blocks:
            size = file.stat().st_size
            if archive.size is not None and size != archive.size:
                return f"{size} bytes, expected {archive.size}"
            while block := blocks.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        return f"it {error.strerror}" if error.errno == errno.EINVAL else f"it can't be read: {error.strerror}"
    return "" if digest.hexdigest() == archive.md5 else f"md5 {digest.hexdigest()}, expected {archive.md5}"


def _fetch(archive: Archive, part: Path, advance: Callable[[int], None], by_hand: str) -> None:
    """Bring ``part`` to its full length, over several connections if need be."""
    failures, told, reason = 0, 0, ""
    while failures < ATTEMPTS:
        before = part.stat().st_size if part.exists() else 0
        advance(before - told)
        try:
            if _one_connection(archive, part, before, advance):
                return
            reason = "the connection was cut"
        except _ForGoodError as error:
            raise DataError(f"{archive.url} cannot be fetched: {error}; {by_hand}") from None
        except (OSError, http.client.HTTPException) as error:  # URLError, time-outs and resets are OSErrors
            reason = str(error)
            if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
                reason = str(error.reason)  # without the "<urlopen error …>" around it
        told = part.stat().st_size if part.exists() else 0
        failures = 0 if told > before else failures + 1
        if failures < ATTEMPTS:
            time.sleep(PAUSE_S if failures else 0)
    raise DataError(f"{archive.url} cannot be fetched: {reason}; try again later, or {by_hand}")


def _one_connection(archive: Archive, part: Path, have: int, advance: Callable[[int], None]) -> bool:
    """Append what one connection brings to the ``have`` bytes there; whether that was all."""
    if have and have == archive.size:
        return True
    headers = {"User-Agent": "sfe-benchmark", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(archive.url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # our beginning is longer than the file
                part.unlink()
                return False
            if error.code < 500 and error.code not in (408, 429):
                raise _ForGoodError(f"the server answers {error.code} {error.reason}") from None
            raise
    with response:
        start, total = _place(response, have)
        if archive.size is not None and total not in (None, archive.size):
            raise _ForGoodError(f"the server's file has {total} bytes, expected {archive.size}")
        if start == 0 < have:  # it ignores ranges
            advance(-have)
        return _append(response, part, start, total or archive.size, advance)


def _place(response: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where in the file the answer begins, and how long the file is (None where the server doesn't say)."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != have:
            raise _ForGoodError("the server answers with another range than it was asked for")
        return have, None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _append(
    response: http.client.HTTPResponse, part: Path, start: int, total: int | None, advance: Callable[[int], None]
) -> bool:
    with part.open("r+b" if start else "wb") as out:
        out.seek(start)
        done = start
        while block := response.read(_BLOCK):
            out.write(block)
            done += len(block)
            advance(len(block))
            if total is not None and done > total:
                raise _ForGoodError(f"the server sends more than {total} bytes")
    return total is None or done == total
