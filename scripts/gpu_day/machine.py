"""``setup``: what was carried becomes a place to work in, on the machine with the GPU."""

import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.gpu_day import KIT, OUT, ROOT, WORK, fail, say

COMMON, CODE = KIT / "common", WORK / "code"


def environment() -> dict[str, str]:
    """What the project's commands find there."""
    folders = {f"SFE_{name.upper()}_DIR": str(WORK / name) for name in ("data", "results", "reports", "scratch")}
    path = os.pathsep.join(filter(None, [str(WORK / "site"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **folders, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def call(command: Sequence[str], seconds: float, folder: Path = WORK, **options: Any) -> int:
    """Run a program; past its time it gets SIGTERM, and half a minute later an end.

    Returns:
        its exit status.

    Raises:
        KeyboardInterrupt: of this program; the other one has ended as well.
    """
    process = subprocess.Popen(command, cwd=folder, env=environment(), **options)
    try:
        return process.wait(max(seconds, 1))
    except subprocess.TimeoutExpired:
        return _ended(process)
    except KeyboardInterrupt:
        _ended(process)
        raise


def _ended(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def set_up() -> None:
    """Packages, a checkout of the commit, images, and what an earlier sitting left; what is there already stays."""
    if not (COMMON / "commit").exists():
        fail(f"set up: there is no kit in {COMMON}; carry it along")
        return
    for name in ("data", "results", "reports", "scratch", "pieces"):
        (WORK / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(COMMON / "commit", WORK)
    commit = (WORK / "commit").read_text()
    install()
    if not check_out(commit):
        ignored = shutil.ignore_patterns(KIT.name, ".git", ".venv")
        shutil.copytree(ROOT, CODE, ignore=ignored, dirs_exist_ok=True)
        named = CODE / "benchmark" / "commit.txt"
        named.parent.mkdir(exist_ok=True)
        named.write_text(commit)
        say("no git here: results name the commit as it was packaged")
    unpack()
    restore()
    for path in (CODE / "results").rglob("*.json"):  # what is known at home is not trained again
        copy_missing(path, WORK / path.relative_to(CODE))
    describe(commit)
    say(f"set up: commit {commit}")


def copy_missing(path: Path, to: Path) -> None:
    """Copy a file where there is none yet."""
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def install() -> None:
    """The carried wheels, in a folder of their own."""
    wheels = sorted((COMMON / "wheels").glob("*.whl"))
    if not wheels or (WORK / "site").exists():
        return
    shutil.rmtree(WORK / "site.new", ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
    if call([*pip, "--no-compile", "--target", str(WORK / "site.new"), *map(str, wheels)], 120):
        fail("installed: the carried wheels")
    else:
        (WORK / "site.new").rename(WORK / "site")


def check_out(commit: str) -> bool:
    """A clone of the carried bundle at the commit, so that every result names it; False where that fails."""
    bundle, here = str(COMMON / "code.bundle"), ["git", "-C", str(CODE)]
    if not shutil.which("git"):
        return False
    if not (CODE / ".git").exists() and call(["git", "clone", "-q", "--no-checkout", bundle, str(CODE)], 60):
        return False
    fetched = call([*here, "fetch", "-q", bundle, "HEAD"], 60) == 0
    return fetched and call([*here, "checkout", "-q", "--detach", commit], 60) == 0


def unpack() -> None:
    """The images, as soon as all their pieces are here."""
    if not (COMMON / "pieces.json").exists() or (WORK / "data.done").exists():
        return
    for path in KIT.glob("piece.*/piece.*"):
        shutil.copy(path, WORK / "pieces")
    sums: dict[str, str] = json.loads((COMMON / "pieces.json").read_text())
    pieces = [WORK / "pieces" / name for name in sums]
    if missing := [path.name for path in pieces if not path.exists()]:
        say(f"images are not complete yet; {', '.join(missing)} will come with later commands")
    elif wrong := [path.name for path in pieces if hashlib.sha256(path.read_bytes()).hexdigest() != sums[path.name]]:
        fail(f"unpacked: images; carry {', '.join(wrong)} again, damaged on the way")
    elif join(pieces):
        (WORK / "data.done").touch()


def join(pieces: Sequence[Path]) -> bool:
    """Make the data folder of the pieces."""
    with tempfile.TemporaryDirectory(dir=WORK) as name, tempfile.TemporaryFile(dir=WORK) as whole:
        folder = Path(name)
        for path in pieces:
            whole.write(path.read_bytes())
        whole.seek(0)
        with tarfile.open(fileobj=whole) as archive:
            archive.extractall(folder, filter="data")
        if not (folder / "unpack.py").exists():
            for path in folder.iterdir():
                shutil.rmtree(WORK / "data" / path.name, ignore_errors=True)
                path.rename(WORK / "data" / path.name)
        elif call([sys.executable, str(folder / "unpack.py"), str(WORK / "data")], 300):
            fail("unpacked: images; their unpack.py failed")
            return False
    return True


def restore() -> None:
    """Results, reports and checkpoints of an earlier sitting; what is here already stays."""
    if not (KIT / "state").exists() or (WORK / "state.done").exists():
        return
    for path in sorted((KIT / "state").iterdir()):
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isfile() and not (WORK / member.name).exists():
                        archive.extract(member, WORK, filter="data")
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            fail(f"restored: all of the earlier {path.name}: {error}")
    (WORK / "state.done").touch()
    say("restored: results and checkpoints of an earlier sitting")


def describe(commit: str) -> None:
    """Leave word of the machine: its GPU, drivers and packages."""
    found = importlib.metadata.distributions(path=[str(WORK / "site"), *sys.path])
    packages = sorted({f"{one.metadata['Name']} {one.version}" for one in found}, key=str.lower)
    when = time.strftime("%Y-%m-%d %H:%M:%S %z")
    with (OUT / "machine.txt").open("w") as file:
        print(when, f"commit {commit}", f"{os.cpu_count()} cores", *packages, sep="\n", file=file, flush=True)
        if shutil.which("nvidia-smi"):
            call(["nvidia-smi", "-q"], 60, stdout=file, stderr=subprocess.STDOUT)


@functools.cache
def gpus() -> str:
    """Models and drivers of the GPUs, a line each; empty where there is no ``nvidia-smi``, or none answers."""
    if not shutil.which("nvidia-smi"):
        return ""
    words = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (subprocess.SubprocessError, OSError):
        return ""
