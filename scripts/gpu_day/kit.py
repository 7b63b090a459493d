"""``prepare-here``: the kit, and the later commands word for word."""

import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.gpu_day import KIT, LIMIT_MIB, MIB, ROOT, fail, say

#: What an environment with PyTorch in it may lack.
WHEELS = ("pydantic", "pydantic-core", "annotated-types", "typing-inspection", "typing-extensions", "pytorchcv")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
COMMON = KIT / "common"
CALL = "python3 -m scripts.gpu_day"


def prepare(images: Sequence[Path], state: Path | None, wheels: Sequence[str], python: str) -> None:
    """Make the kit, and print the commands for the GPU machine with what each has to carry.

    Args:
        images: files and folders that become the data folder there; with a file ``unpack.py`` among them, what
            that makes of them in the folder it is called with.
        state: the folder of what an earlier sitting brought back.
        wheels: packages to take along, in the versions installed here.
        python: the version of Python there.
    """
    needed = [*images, *([state / "results.tar.gz"] if state else [])]
    if missing := [str(path) for path in needed if not path.exists()]:
        fail(f"prepared: there is no {', no '.join(missing)}")
        return
    if git("status", "--porcelain"):
        fail("prepared: uncommitted changes would not travel; commit first")
        return
    shutil.rmtree(KIT, ignore_errors=True)
    COMMON.mkdir(parents=True)
    (COMMON / "commit").write_text(git("rev-parse", "HEAD"))
    git("bundle", "create", "-q", str(COMMON / "code.bundle"), "HEAD")
    fetch(wheels, python)
    base = size_of(ROOT / name for name in git("ls-files", "-z").split("\0") if name) + size_of(COMMON.rglob("*"))
    loads = cut(images, int((LIMIT_MIB - 0.25) * MIB) - base)  # a piece's header and checksum take room too
    if state:
        loads.append(pack_state(state))
    if not images:
        fail("packed: images, for none were named; check and bench need none")
    for number, load in enumerate([*loads, None], start=1):
        todo = [f"{CALL} setup", f"{CALL} train 545"] if number >= len(loads) else [f"{CALL} setup"]
        if number == 1:
            todo = [f"{CALL} {step}" for step in ("setup", "check", "bench 330", "collect")]
        tell(number, base, load, " && ".join(todo) if number > 1 else "; ".join(todo))
    say("one straight after the other; the last one again while the time lasts. Keep what each brings back.")


def tell(number: int, base: int, load: Path | None, todo: str) -> None:
    """Print one command, what it carries and how much that is."""
    mib = (base + (size_of(load.iterdir()) if load else 0)) / MIB
    if mib > LIMIT_MIB:
        fail(f"small enough: command {number} carries {mib:.0f} MiB, and {LIMIT_MIB:g} may travel")
    carried = " ".join(path.relative_to(ROOT).as_posix() for path in (COMMON, load) if path)
    say(f"command {number}: carry {carried} ({mib:.0f} MiB with the tree), ten minutes at most:")
    print(f"    {todo}", flush=True)


def git(*words: str) -> str:
    """What git says in this checkout; where it fails, the program ends with its reason."""
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"gpu-day: NOT prepared: git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of files in an archive, with a header each."""
    return sum(path.lstat().st_size + 1024 for path in paths)


def fetch(names: Sequence[str], python: str) -> None:
    """Wheels of packages, in the versions installed here."""
    if not names:
        return
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    command += [word for platform in PLATFORMS for word in ("--platform", platform)]
    versions = {
        one.metadata["Name"].lower().replace("_", "-"): one.version for one in importlib.metadata.distributions()
    }
    wanted = [f"{name}=={versions[name]}" if name in versions else name for name in names]
    if subprocess.run([*command, "-d", str(COMMON / "wheels"), *wanted], check=False).returncode:
        fail(f"fetched: all of {', '.join(wanted)}")


def cut(paths: Sequence[Path], room: int) -> list[Path]:
    """One archive of all, in pieces of ``room`` bytes, each in a folder of the kit; their checksums beside them."""
    if not paths:
        return []
    whole = KIT / "images.tar.gz"
    sums: dict[str, str] = {}
    with tarfile.open(whole, "w:gz") as archive:
        for path in paths:
            archive.add(path, path.resolve().name)
    with whole.open("rb") as file:
        while piece := file.read(max(room, MIB)):
            name = f"piece.{len(sums) + 1:02}"
            (KIT / name).mkdir()
            (KIT / name / name).write_bytes(piece)
            sums[name] = hashlib.sha256(piece).hexdigest()
    whole.unlink()
    (COMMON / "pieces.json").write_text(json.dumps(sums))
    return [KIT / name for name in sums]


def pack_state(folder: Path) -> Path:
    """What an earlier sitting brought back, as a folder of the kit."""
    (KIT / "state").mkdir()
    for path in [folder / "results.tar.gz", *sorted(folder.glob("runs.*.tar"))]:
        shutil.copy(path, KIT / "state")
    return KIT / "state"
