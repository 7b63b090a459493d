"""``check``, ``bench``, ``train`` and ``collect``: what is done with the GPU, by the project's own commands."""

import contextlib
import json
import re
import shutil
import signal
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.gpu_day import CHECK_S, FILE_MIB, FILES, MIB, OUT, WORK, fail, say
from scripts.gpu_day.machine import CODE, call, gpus

SUITE = (sys.executable, "run_suite.py")
#: What is trained if nothing else is asked for: Table 3's measurement, then a row of Table 1, seeds from outside in.
PLAN = (
    ("table3", "--only", "GPU memory*", "--only", "Training time*"),
    ("table1", "--only", "ResNet-110", "--set", "numerics.precision=bf16"),
)
#: Seconds for the runs to save their states and the reports to be written.
STOP_S = 40
_CHECKED = WORK / "check.json"


def check(*, again: bool = True) -> None:
    """Run the project's tests marked ``gpu``, first those that decide on graphs; note whether they pass.

    The note holds for this commit on GPUs of these models with this driver. What was skipped, or had no time, is not
    known and noted as null.

    Args:
        again: run those as well that are known to pass or to fail.
    """
    end = time.monotonic() + CHECK_S
    known = {} if again else checked()
    if not known:
        (OUT / "check.txt").unlink(missing_ok=True)
    marked = [path for path in sorted((CODE / "tests").rglob("test_*.py")) if "mark.gpu" in path.read_text()]
    deciding = [path for path in marked if path.name == "test_step.py"]
    if not marked:
        fail("tested: this commit has no tests marked gpu")
    found = {**this(), "graphs": known.get("graphs"), "others": known.get("others")}
    for name, paths in (("graphs", deciding), ("others", [path for path in marked if path not in deciding])):
        if found[name] is None:
            found[name] = passed(paths, end)
            _CHECKED.write_text(json.dumps(found))  # a call that is cut has what was seen
    if not found["graphs"]:
        say("steps will go call by call, without graphs")


def passed(paths: Sequence[Path], end: float) -> bool | None:
    """Whether all tests of some files that were not skipped pass; None where all were, or the time was over."""
    if not paths:
        return None
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfE", "-m", "gpu", *map(str, paths)]
    with (OUT / "check.txt").open("a+") as log:
        start = log.tell()
        status = call(words, end - time.monotonic(), CODE, stdout=log, stderr=log)
        log.seek(start)
        lines = log.read().splitlines()
    print(*lines[-40:], sep="\n", flush=True)
    names = ", ".join(path.name for path in paths)
    if status == -signal.SIGTERM or (status < 0 and time.monotonic() >= end):  # asked to end; a crash is none of these
        fail(f"finished: the tests marked gpu in {names}, within {CHECK_S:g} s together")
    elif status:
        fail(f"passed: the tests marked gpu in {names} (exit status {status})")
        return False
    elif any(re.search(r"\d+ passed", line) for line in lines[-1:]):
        return True
    else:
        fail(f"tested: all tests marked gpu in {names} were skipped")
    return None


def this() -> dict[str, str]:
    """What a check holds for."""
    return {"commit": (WORK / "commit").read_text(), "gpus": gpus()}


def checked() -> dict[str, Any]:
    """How the check ended here; empty where there was none with this commit, GPU and driver."""
    try:
        found: dict[str, Any] = json.loads(_CHECKED.read_text())
    except (OSError, ValueError):
        return {}
    now = this()
    return found if {name: found.get(name) for name in now} == now else {}


def bench(seconds: float, arguments: Sequence[str]) -> None:
    """Run ``bench`` with these options, or its matrix, which writes after each measurement, for at most so long."""
    budget = ("--matrix", "--budget-min", f"{max(seconds - STOP_S, 1) / 60:.3f}")
    if status := call([*SUITE, "bench", *on_gpu(arguments), *(arguments or budget)], seconds, CODE):
        fail(f"measured: all (exit status {status})")


def train(seconds: float, arguments: Sequence[str], *, unchecked: bool) -> None:
    """Run suites until the time is over; then every run has saved its state, and all is ready to be brought back.

    Args:
        seconds: for all of it.
        arguments: those of ``run``; :data:`PLAN` where there are none.
        unchecked: train without the tests marked ``gpu``, or although some fail.
    """
    end = time.monotonic() + seconds
    seen = checked()
    if not unchecked and None in (seen.get("graphs"), seen.get("others")):
        check(again=False)
    if checked().get("others") is False and not unchecked:
        fail("trained: anything, since tests marked gpu fail; --unchecked trains all the same")
        return
    try:
        with collecting():  # a call that is cut has brought back what was there a minute before
            for words in [arguments] if arguments else PLAN:
                if not suite_ran(words, end - time.monotonic() - STOP_S):
                    break
    finally:
        collect()


def suite_ran(words: Sequence[str], seconds: float) -> bool:
    """Call ``run``; False where the time was over before all was done."""
    budget = ("--budget-min", f"{max(seconds, 1) / 60:.3f}")
    status = call([*SUITE, "run", *on_gpu(words), *graphs(words), *budget, *words], seconds + STOP_S, CODE)
    if status == 130:
        say("the time is over; the same step goes on from here")
    elif status:
        fail(f"trained: all of {' '.join(words)} (exit status {status})")
    return status != 130


def on_gpu(arguments: Sequence[str]) -> list[str]:
    """``auto`` would take the processor where no GPU is seen."""
    return [] if any(word.startswith("--device") for word in arguments) else ["--device", "cuda"]


def graphs(arguments: Sequence[str]) -> list[str]:
    """Steps in CUDA graphs, where the check has shown equal digits; compiled ones and a processor's have none."""
    decided = re.search(r"--(no-)?graphs|numerics\.compiled|--device[ =]cpu", " ".join(arguments))
    return ["--graphs"] if checked().get("graphs") and not decided else []


# ------------------------------------------------------------------ bringing it back


@contextlib.contextmanager
def collecting(every_s: float = 60) -> Iterator[None]:
    """Collect again and again meanwhile."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(every_s):
            with contextlib.suppress(OSError, tarfile.TarError):  # a checkpoint was replaced as it was read, say
                collect(quiet=True)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def collect(*, quiet: bool = False) -> None:
    """Leave results, reports and checkpoints in :data:`OUT`, the newest first, within what may come back."""
    new = [path for path in sorted((WORK / "results").rglob("*.json")) if not (CODE / path.relative_to(WORK)).exists()]
    loads = {"results.tar.gz": [*new, *(path for path in (WORK / "reports", _CHECKED) if path.exists())]}
    states = [path.parent for path in (WORK / "scratch" / "runs").glob("*/*/checkpoint.pt")]
    states.sort(key=lambda folder: (folder / "checkpoint.pt").stat().st_mtime, reverse=True)
    tars, left_out = share_out({folder: sum(size(path) for path in folder.iterdir()) for folder in states})
    loads |= {f"runs.{number}.tar": folders for number, folders in enumerate(tars, start=1)}
    for name, paths in loads.items():
        pack(name, paths)
    for path in OUT.glob("runs.*.tar"):
        if path.name not in loads:
            path.unlink()
    if quiet:
        return
    for folder in left_out:
        fail(f"brought back, for want of room: the checkpoint of {folder.name}")
    if (mib := (OUT / "results.tar.gz").stat().st_size / MIB) > FILE_MIB:
        fail(f"small enough: results.tar.gz has {mib:.0f} MiB")
    failed = sum(path.parent.name == "failures" for path in new)
    say(f"{len(new) - failed} results, {failed} failures, {len(states) - len(left_out)} checkpoints are in {OUT}")


def size(path: Path) -> int:
    """Bytes of a file in an archive, rounded up to its blocks."""
    return path.stat().st_size + 2048


def share_out(sizes: Mapping[Path, int]) -> tuple[list[list[Path]], list[Path]]:
    """Folders into archives, each into the first with room.

    Returns:
        the archives, three fewer than files may come back (results, machine, check); what found no room.
    """
    tars: list[list[Path]] = []
    room: list[float] = []
    left_out = []
    for folder, bytes_ in sizes.items():
        place = next((number for number, free in enumerate(room) if bytes_ <= free), len(room))
        if place == len(room) and (place == FILES - 3 or bytes_ > FILE_MIB * MIB):
            left_out.append(folder)
            continue
        if place == len(room):
            tars.append([])
            room.append(FILE_MIB * MIB)
        tars[place].append(folder)
        room[place] -= bytes_
    return tars, left_out


def pack(name: str, paths: Sequence[Path]) -> None:
    """An archive in :data:`OUT` with paths as they stand below :data:`WORK`; there whole, or as it was before."""
    new = OUT.parent / f".{name}.new"
    with tarfile.open(new, "w:gz" if name.endswith("gz") else "w") as archive:
        for path in paths:
            archive.add(path, path.relative_to(WORK).as_posix())
    shutil.move(new, OUT / name)
