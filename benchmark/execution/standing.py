"""How one run stands, read from its files alone."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import StoreError, UserError
from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.status import state_of, why_failed
from benchmark.planning.plan import Plan
from benchmark.results.plausible import is_number
from benchmark.results.record import printed
from benchmark.results.store import Store, read_json
from benchmark.wording import duration

_LAST = "_last_epoch"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one run stands.

    Attributes:
        run_id: which.
        state: see :data:`~benchmark.execution.status.STATES`.
        accuracy: of its last epoch so far, percent, by prediction.
        epoch: how many epochs are done; None of a measurement, or where nobody knows.
        seconds: of its sessions, start to end; what its training steps took, where it has not ended or that is more.
        device: its model; of a run under way ``cpu`` or ``cuda``.
        why: why it failed.
    """

    run_id: str
    state: str
    accuracy: Mapping[str, float] = field(default_factory=dict)
    epoch: int | None = None
    seconds: float | None = None
    device: str | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def numbers(self) -> str:
        """Its accuracy and how long it took."""
        scores = [f"{name} {self.accuracy[name]:.2f} %" for name in printed(self.accuracy)]
        epoch = [f"epoch {self.epoch}"] if self.epoch and self.state != "done" else []
        return ", ".join([*scores, *epoch, *([duration(self.seconds)] if self.seconds is not None else [])])

    def in_words(self) -> str:
        """One line, with the state first."""
        said = [text for text in (self.numbers(), self.device, self.why) if text]
        return f"{self.state:<12} {self.run_id}" + (f"  {', '.join(said)}" if said else "")


def standing(run_id: str, store: Store, run_folders: Path, failed: set[str] | None = None) -> Standing:
    """How a run stands.

    Args:
        run_id: which.
        store: where its result would be.
        run_folders: where its scratch folder would be.
        failed: ids of the failed runs, where they are known already.
    """
    if store.path(run_id).exists():
        return finished(run_id, store)
    folder = RunFolder(run_folders / run_id)
    state = state_of(run_id, store.failed() if failed is None else failed, folder, store)
    if state == "missing":
        return Standing(run_id=run_id, state=state)
    epochs, word = EpochFile(folder.epochs).read(), folder.progress()
    return Standing(
        run_id=run_id,
        state=state,
        accuracy=epochs[-1].accuracy if epochs else {},
        epoch=len(epochs),
        seconds=word.seconds if word else None,
        device=_ordered_device(folder),
        why=why_failed(store, run_id) if state == "failed" else None,
    )


def standings(plan: Plan, store: Store, run_folders: Path) -> list[Standing]:
    """How each run of a plan stands, in its order."""
    failed = store.failed()
    return [standing(run.run_id, store, run_folders, failed) for run in plan.runs]


def finished(run_id: str, store: Store) -> Standing:
    """What a completed run's file says of it; little where it can't be read, which ``verify`` explains."""
    try:
        tree = read_json(store.path(run_id))
    except StoreError:
        tree = None
    metrics, provenance, history = (
        part if isinstance(part, kind) else kind()
        for part, kind in zip(
            (tree.get(name) if isinstance(tree, dict) else None for name in ("metrics", "provenance", "history")),
            (dict, dict, list),
            strict=True,
        )
    )
    cost = tree.get("cost") if isinstance(tree, dict) else None
    seconds = _at_work(provenance), cost.get("train_seconds") if isinstance(cost, dict) else None
    scores = {name.removesuffix(_LAST): value for name, value in metrics.items() if name.endswith(_LAST)}
    device = provenance.get("device")
    return Standing(
        run_id=run_id,
        state="done",
        accuracy={name: value for name, value in scores.items() if is_number(value)},
        epoch=len(history) or None,
        seconds=max((value for value in seconds if is_number(value)), default=None),
        device=device if isinstance(device, str) else None,
        why=None if metrics else "its file can't be read, see verify",
    )


def _at_work(provenance: Mapping[str, Any]) -> float | None:
    """Seconds of all sessions, or from start to end where none are listed."""
    listed = provenance.get("sessions")
    sessions = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    sessions = sessions or [dict(provenance)]
    try:
        spans = [
            datetime.datetime.fromisoformat(one["end"]) - datetime.datetime.fromisoformat(one["start"])
            for one in sessions
        ]
    except (KeyError, TypeError, ValueError):
        return None
    return sum(span.total_seconds() for span in spans)


def _ordered_device(folder: RunFolder) -> str | None:
    try:
        return folder.job().device
    except UserError:
        return None
