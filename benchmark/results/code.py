"""Which code this is: its files, and their commit or a sentence why that isn't known."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

from benchmark import __version__
from benchmark.errors import OtherCodeError
from benchmark.runs.schema import Recorded
from benchmark.system.files import read_regular
from benchmark.system.paths import INSTALLED, PACKAGE, ROOT

#: What lies in the package and is no code of its own: what Python makes of it, manifests of an installed copy.
_NO_CODE = {"__pycache__", "shipped", "commit.txt"}
#: Git writes the commit into it when it makes an archive, by ``export-subst``; so may whoever packs a copy.
_PACKAGED = PACKAGE / "commit.txt"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_SECONDS = 20
#: Stands behind a commit from which the code differed.
UNCOMMITTED = "+uncommitted"


class Code(Recorded):
    """Code as it was when a process started.

    Attributes:
        release: the version that it names itself.
        commit: the commit of its own repository; None where nobody knows it.
        dirty: whether files differ from that commit, or are none of its; None where nobody knows.
        digest: of its files; None in results of before it was recorded.
        packaged: whether the commit is the one that whoever packed these files wrote down.
        note: one sentence on what is not known, and why; None where all is.
    """

    release: str
    commit: str | None = None
    dirty: bool | None = None
    digest: str | None = None
    packaged: bool = False
    note: str | None = None

    @property
    def name(self) -> str | None:
        """In one word: the commit, ``<commit>+uncommitted`` where files differed from it; None where nobody knows."""
        return self.commit + UNCOMMITTED if self.commit and self.dirty else self.commit


class _Own:
    """The code of this process, once somebody has asked for it."""

    code: Code | None = None


def this_code() -> Code:
    """The code of this process, as it was at the first call: a process asks when it starts."""
    if _Own.code is None:
        files = code_files()
        commit, dirty, note = _in_git(files)
        if packaged := commit is None and (commit := _packaged_commit()) is not None:
            note = "the commit of this code is the one it was packed from; what was changed since is not known"
        digest = _digest(files)
        _Own.code = Code(release=__version__, commit=commit, dirty=dirty, digest=digest, packaged=packaged, note=note)
    return _Own.code


def agree(code: Code | None) -> None:
    """Make code that another process names this one's, if its files are the same; None names none.

    Raises:
        OtherCodeError: the files here are others.
    """
    if code is None:
        this_code()
    else:
        require_same(code)
        _Own.code = code


def require_same(code: Code) -> None:
    """Hold the files as they are now against those that code was made of.

    Raises:
        OtherCodeError: they differ.
    """
    if _digest(code_files()) != code.digest:
        raise OtherCodeError(f"the code in {PACKAGE} has changed since this command was started; start it again")


def code_files() -> dict[str, bytes]:
    """What Python may import of this project: content by path, as git names it and with its line ends."""
    found = {}
    for path in PACKAGE.rglob("*"):
        inside = path.relative_to(PACKAGE)
        if _NO_CODE.isdisjoint(inside.parts) and not any(part.startswith(".") for part in inside.parts):
            if path.is_file():
                found[f"{PACKAGE.name}/{inside.as_posix()}"] = _content(path)
            elif path.is_symlink():  # to a folder, whose files are not listed
                found[f"{PACKAGE.name}/{inside.as_posix()}"] = os.fsencode(path.readlink())
    return found


def _content(path: Path) -> bytes:
    try:
        return read_regular(path).replace(b"\r\n", b"\n")
    except OSError:  # nobody can read it, so it is no commit's
        return b""


def _digest(files: dict[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{len(name)} {name} {len(files[name])} ".encode("utf-8", "surrogateescape") + files[name])
    return f"sha256:{whole.hexdigest()}"


class _UnknownError(Exception):
    """Why git does not tell the commit."""


def _in_git(files: dict[str, bytes]) -> tuple[str | None, bool | None, str | None]:
    """Commit, whether files differ from it, and why neither is known."""
    try:
        if INSTALLED:
            raise _UnknownError(f"it is an installed package, of version {__version__}")
        if not _same_folder(_git("rev-parse", "--show-toplevel"), ROOT):
            raise _UnknownError("it lies inside another git repository, whose commits are not its own")
        commit = _git("rev-parse", "--verify", "HEAD^{commit}").decode("ascii", "replace").strip()
        tree = _git("ls-tree", "-r", "-z", "HEAD", "--", PACKAGE.name, "run_suite.py")
    except _UnknownError as why:
        return None, None, f"the commit of this code is not known: {why}"
    listed = _blobs(tree)
    if not _COMMIT.fullmatch(commit) or f"{PACKAGE.name}/__init__.py" not in listed:
        return None, None, "the commit of this code is not known: the git repository here does not hold it"
    own = {**files, "run_suite.py": _content(ROOT / "run_suite.py")}
    return commit, {name: _blob(content, commit) for name, content in own.items()} != listed, None


def _blobs(tree: bytes) -> dict[str, str]:
    """Git's hash of each code file, from what ``ls-tree -z`` prints."""
    lines = [line.partition(b"\t") for line in tree.split(b"\0") if line]
    hashes = {os.fsdecode(name): head.split()[-1].decode() for head, _, name in lines}
    return {name: value for name, value in hashes.items() if _NO_CODE.isdisjoint(name.split("/"))}


def _blob(content: bytes, commit: str) -> str:
    """Git's hash of a file, of the kind that its commits have."""
    kind = hashlib.sha1 if len(commit) == 40 else hashlib.sha256
    return kind(b"blob %d\0" % len(content) + content).hexdigest()


def _git(*words: str) -> bytes:
    """What git says of the checkout's own repository, whatever the environment says of others.

    Raises:
        _UnknownError: it does not say.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Whose folder it is does not matter to somebody who runs its code already.
    command = ["git", "-c", "safe.directory=*", *words]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**environment, "LC_ALL": "C"}, capture_output=True, timeout=_GIT_SECONDS
        )
    except FileNotFoundError:
        raise _UnknownError("git is not installed") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _UnknownError(f"git does not answer ({type(error).__name__})") from None
    if done.returncode == 0:
        return done.stdout.removesuffix(b"\n")
    if b"dubious ownership" in done.stderr or b"unsafe repository" in done.stderr:
        raise _UnknownError("git refuses the folder, which another user owns; its setting safe.directory allows it")
    if b"not a git repository" in done.stderr:
        raise _UnknownError("it is in no git checkout")
    if b"HEAD" in done.stderr or b"single revision" in done.stderr:
        raise _UnknownError("its git repository has no commit yet")
    raise _UnknownError(f"git ends with status {done.returncode}")


def _same_folder(named: bytes, folder: Path) -> bool:
    try:
        return Path(os.fsdecode(named)).samefile(folder)
    except OSError:
        return False


def _packaged_commit() -> str | None:
    try:
        text = read_regular(_PACKAGED).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return text if _COMMIT.fullmatch(text) else None
