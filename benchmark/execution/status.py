"""What state each planned run is in, read from files alone."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import StoreError
from benchmark.execution.run_folder import Progress, RunFolder
from benchmark.planning.pace import Open, Pace, at_once
from benchmark.planning.plan import Plan
from benchmark.results.store import Store
from benchmark.suites.profiles import Variant
from benchmark.system.files import is_there, read_regular
from benchmark.system.hardware import cores
from benchmark.system.locks import holder

STATES = ("done", "running", "interrupted", "failed", "missing")
#: Characters of a failure's reason that are shown.
_LINE = 160


def count_states(plan: Plan, store: Store, run_folders: Path) -> dict[str, int]:
    """How many of a plan's runs are in each of :data:`STATES`."""
    failed = store.failed()
    counts = dict.fromkeys(STATES, 0)
    for run in plan.runs:
        state = "done" if run.done else state_of(run.run_id, failed, RunFolder(run_folders / run.run_id), store)
        counts[state] += 1
    return {"runs": len(plan.runs), **counts}


def failures(plan: Plan, store: Store, run_folders: Path) -> dict[str, str]:
    """The runs of a plan that wait as failed, each with its reason."""
    failed = store.failed()
    names = [run.run_id for run in plan.missing if run.run_id in failed]
    return {
        name: why_failed(store, name)
        for name in names
        if state_of(name, failed, RunFolder(run_folders / name), store) == "failed"
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


def open_runs(plan: Plan, store: Store, run_folders: Path) -> dict[str, Open]:
    """The runs of a plan that the same command would take up, with how far they are; failed ones wait to be asked for.

    Args:
        plan: what is asked for.
        store: its results.
        run_folders: where runs under way tell how far they are.
    """
    failed, found = store.failed(), {}
    for run in plan.missing:
        folder = RunFolder(run_folders / run.run_id)
        state = state_of(run.run_id, failed, folder, store)
        if state in ("running", "interrupted"):
            word = folder.progress() or Progress(done=0, text="")
            running, beside = state == "running", folder.beside()
            found[run.run_id] = Open(run.spec, word.done, word.seconds, running, beside, word.graphs)
        elif state == "missing":
            found[run.run_id] = Open(run.spec)
    return found


@dataclass(frozen=True)
class TimeLeft:
    """How long open runs still take.

    Attributes:
        pace: of their device, with what they have shown themselves.
        runs: by their ids.
        at_once: how many go on beside each other.
    """

    pace: Pace
    runs: Mapping[str, Open]
    at_once: int

    @classmethod
    def of(cls, pace: Pace, runs: Mapping[str, Open], devices: int) -> "TimeLeft":
        """The time left on so many GPUs, or on this machine's processor (0)."""
        threads = max((run.spec.numerics.threads for run in runs.values()), default=1)
        expected = devices or max(1, cores() // threads)
        return cls(pace.with_progress(runs.values()), runs, at_once([*runs.values()], devices or 1, expected))

    def seconds(self, among: Iterable[str] | None = None) -> float | None:
        """Of all of them, or of those among these ids; None where nobody has measured the device."""
        names = self.runs.keys() if among is None else among
        return self.pace.left([self.runs[name] for name in names if name in self.runs], self.at_once)

    def core_seconds(self) -> float | None:
        """What they take one after the other, on one core or one GPU."""
        total = 0.0
        for run in self.runs.values():
            if (whole := self.pace.seconds(run.spec)) is None:
                return None
            total += whole * (1 - run.done) * (1 if self.pace.gpu else run.spec.numerics.threads)
        return total


def claims_reported(variant: Variant, reports_dir: Path) -> str:
    """How the paper's claims stood when the last report was written, in a line.

    Judging them anew means reading every result; looking should not take that long.
    """
    name = variant.reports_name
    if not variant.judges_claims:
        return f"claims: not judged (profile {name})"
    try:
        text = read_regular(reports_dir / name / "claims.csv").decode()
        words = Counter({row["claim"]: row["claim_verdict"] for row in csv.DictReader(io.StringIO(text))}.values())
    except (OSError, ValueError, KeyError, csv.Error):
        words = Counter()
    if not words:
        return f"claims at profile {name}: no report yet"
    others = "".join(f", {count} {word}" for word, count in words.most_common() if word != "supported")
    return f"claims at profile {name}, by the last report: {words['supported']} of {words.total()} supported{others}"


def state_of(run_id: str, failed: set[str], folder: RunFolder, store: Store) -> str:
    """Which of the :data:`STATES` a run without a result is in; ``failed`` are the ids with a failure on record."""
    if holder(folder.lock) or holder(store.lock(run_id)):  # the latter may be another machine's
        return "running"
    if run_id in failed:
        return "failed"
    return "interrupted" if is_there(folder.checkpoint) else "missing"
