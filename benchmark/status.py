"""What state each planned run is in, read from files alone (floor 3)."""

from pathlib import Path

from filelock import FileLock, Timeout

from benchmark.jobs import RunFolder
from benchmark.plan import Plan
from benchmark.store import Store

STATES = ("done", "running", "interrupted", "failed", "missing")


def count_states(plan: Plan, store: Store, run_folders: Path) -> dict[str, int]:
    """How many of a plan's runs are in each of :data:`STATES`."""
    failed = store.failed()
    counts = dict.fromkeys(STATES, 0)
    for run in plan.runs:
        state = "done" if run.done else _state(run.run_id, failed, RunFolder(run_folders / run.run_id))
        counts[state] += 1
    return {"runs": len(plan.runs), **counts}


def _state(run_id: str, failed: set[str], folder: RunFolder) -> str:
    if not folder.attempts.exists():
        return "failed" if run_id in failed else "missing"
    try:
        with FileLock(folder.lock, timeout=0):
            pass
    except Timeout:
        return "running"
    if run_id in failed:
        return "failed"
    return "interrupted" if folder.checkpoint.exists() else "missing"
