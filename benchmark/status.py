"""What state each planned run is in, read from files alone (floor 3)."""

import contextlib
import csv
import io
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmark.costs import relative_work
from benchmark.errors import StoreError
from benchmark.files import read_regular
from benchmark.jobs import RunFolder
from benchmark.locks import holder
from benchmark.plan import Plan
from benchmark.plausible import is_number
from benchmark.profiles import Variant
from benchmark.spec import TrainSpec
from benchmark.store import Store

STATES = ("done", "running", "interrupted", "failed", "missing")
#: Completed runs whose speed is read for the time left; reading all of a paper's would take a second.
_SPEEDS_READ = 20
#: Characters of a failure's reason that are shown.
_LINE = 160


def count_states(plan: Plan, store: Store, run_folders: Path) -> dict[str, int]:
    """How many of a plan's runs are in each of :data:`STATES`."""
    failed = store.failed()
    counts = dict.fromkeys(STATES, 0)
    for run in plan.runs:
        state = "done" if run.done else _state(run.run_id, failed, RunFolder(run_folders / run.run_id), store)
        counts[state] += 1
    return {"runs": len(plan.runs), **counts}


def failures(plan: Plan, store: Store, run_folders: Path) -> dict[str, str]:
    """The runs of a plan that wait as failed, each with its reason."""
    failed = store.failed()
    names = [run.run_id for run in plan.missing if run.run_id in failed]
    return {
        name: why_failed(store, name)
        for name in names
        if _state(name, failed, RunFolder(run_folders / name), store) == "failed"
    }


def why_failed(store: Store, run_id: str) -> str:
    """Kind and reason of a run's latest failure in one short line; its record has the rest."""
    try:
        record = store.load_failure(run_id)
    except StoreError:
        return "its record can't be read"
    lines = record.failure.reason.strip().splitlines() if record.failure else []
    line = lines[0] if lines else "no reason is known"
    return f"{record.status}: {line if len(line) <= _LINE else line[: _LINE - 1] + '…'}"


def speeds(plan: Plan, store: Store) -> list[float]:
    """Seconds per unit of work of some of a plan's completed runs."""
    done, found = [run for run in plan.runs if run.done and isinstance(run.spec, TrainSpec)], []
    for run in done[:: max(1, len(done) // _SPEEDS_READ)]:
        with contextlib.suppress(StoreError):
            if is_number(seconds := store.load(run.run_id).cost.get("train_seconds")) and seconds > 0:
                found.append(seconds / relative_work(run.spec))
    return found


def seconds_left(plan: Plan, store: Store, run_folders: Path, done: Sequence[float]) -> float | None:
    """About how long the open runs of a plan still take here, at the speed of those done and running.

    Failed runs are left out, as they wait to be asked for. As many runs are taken to go on beside each other
    as are running now. None where no run has shown its speed yet.

    Args:
        plan: what is asked for.
        store: its results.
        run_folders: where runs under way tell how far they are.
        done: :func:`speeds` of completed runs, of this plan or of others.
    """
    failed = store.failed()
    rates, left, running = list(done), 0.0, 0
    for run in plan.missing:
        folder = RunFolder(run_folders / run.run_id)
        state = _state(run.run_id, failed, folder, store)
        if state == "failed":
            continue
        running += state == "running"
        work, word = relative_work(run.spec), folder.progress()
        left += work * (1 - word.done if word else 1)
        if word and word.done > 0 and word.seconds > 0:
            rates.append(word.seconds / (word.done * work))
    if not left:
        return 0.0
    return left * statistics.median(rates) / max(1, running) if rates else None


def claims_reported(variant: Variant, reports_dir: Path) -> str | None:
    """How the paper's claims stood when the last report was written, in a line; None without a report.

    Judging them anew means reading every result; looking should not take that long.
    """
    if not variant.judges_claims:
        return f"claims: not judged (profile {variant.reports_name})"
    try:
        text = read_regular(reports_dir / variant.reports_name / "claims.csv").decode()
        words = {row["claim"]: row["claim_verdict"] for row in csv.DictReader(io.StringIO(text))}
    except (OSError, ValueError, KeyError, csv.Error):
        return None
    counts = ", ".join(f"{count} {word}" for word, count in Counter(words.values()).most_common())
    return f"claims by the last report: {counts}" if counts else None


def _state(run_id: str, failed: set[str], folder: RunFolder, store: Store) -> str:
    if holder(folder.lock) or holder(store.lock(run_id)):  # the latter may be another machine's
        return "running"
    if run_id in failed:
        return "failed"
    return "interrupted" if folder.checkpoint.exists() else "missing"
