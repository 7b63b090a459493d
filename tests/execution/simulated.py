"""An engine whose workers are lines of a table, in a time of its own; it can be made to err as engines do."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.execution.executors.contract import Handle, Need, Order, Site, State
from benchmark.execution.run_folder import EXIT_INTERRUPTED, RunFolder
from benchmark.results.provenance import Provenance
from benchmark.results.store import Result, Store
from benchmark.system.files import write_atomic
from benchmark.system.locks import _card


@dataclass
class Time:
    """Seconds that pass when somebody sleeps."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Faults:
    """How often, 0 to 1, something goes wrong with a worker or with what is said of it."""

    lost: float = 0.0  # it never starts, and the engine has never heard of it
    vanishes: float = 0.0  # it is killed without a word, and that reads as success
    preempted: float = 0.0  # it saves and ends
    ends_early: float = 0.0  # it is said to have ended while it works on
    ends_never: float = 0.0  # it is said to run for ever
    silent: float = 0.0  # its engine can't say anything, for a poll
    late_s: float = 0.0  # how long its files may take to show
    draw: random.Random = field(default_factory=random.Random)

    def strikes(self, chance: float) -> bool:
        return self.draw.random() < chance


@dataclass
class Worker:
    order: Order
    begins: float
    ends: float
    fate: str
    shows: float
    status: int | None = 0
    began: bool = False
    ended: bool = False
    shown: bool = False


class Simulated:
    """An executor without processes.

    Args:
        clock: the time that its workers live in.
        store: where they put results.
        slots: how many work at once; as many more may wait in its queue.
        seconds: how long a run takes.
        faults: what goes wrong.
    """

    def __init__(
        self,
        clock: Time,
        store: Store,
        *,
        slots: int,
        seconds: Callable[[Order], float],
        faults: Faults | None = None,
        **site: float,
    ) -> None:
        self.clock, self.store, self.slots, self.seconds = clock, store, slots, seconds
        self.faults = faults or Faults()
        self.site = {"poll_s": 15.0, "settle_s": 60.0, "lost_s": 300.0, **site}
        self.workers: dict[Handle, Worker] = {}
        self.submitted: list[str] = []
        self.doubled: list[str] = []
        self.own_s = 0.0  # of the processor's time, what goes into playing workers
        self._active: dict[Handle, Worker] = {}

    def describe(self) -> Site:
        return Site(kind="cpu", device="a simulation", where="in a simulation", outlives_driver=True, **self.site)

    def objections(self, needs: Sequence[Need]) -> list[str]:
        return []

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        return list(range(min(len(needs), self.slots - len(self._active))))

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        began = time.process_time()
        answers: list[Handle | str] = [self._take(order) for order in orders]
        self.own_s += time.process_time() - began
        return answers

    def _take(self, order: Order) -> Handle:
        faults, now = self.faults, self.clock.now()
        handle = Handle(engine="simulated", place="here", job=str(len(self.workers)))
        fates = ("lost", "vanishes", "preempted", "ends_early", "ends_never")
        fate = next((name for name in fates if faults.strikes(getattr(faults, name))), "well")
        begins = now + faults.draw.uniform(0, 30)  # later ones may begin before earlier ones
        ends = begins + self.seconds(order)
        worker = Worker(order, begins, ends, fate, ends + faults.draw.uniform(0, faults.late_s))
        self.workers[handle] = self._active[handle] = worker
        self.submitted.append(order.run_id)
        return handle

    def adopt(self, handle: Handle, need: Need) -> None:
        self._active.setdefault(handle, self.workers[handle])

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        began = time.process_time()
        self._play()
        states = [(handle, self._state(self.workers[handle])) for handle in handles]
        self.faults.draw.shuffle(states)
        self.own_s += time.process_time() - began
        return dict(states)

    def _state(self, worker: Worker) -> State:
        if worker.fate == "lost" or self.faults.strikes(self.faults.silent):
            return State(phase="unknown")
        early = worker.fate == "ends_early" and worker.began
        if early or (worker.ended and worker.fate != "ends_never"):
            return State(phase="ended", exit_status=None if early else worker.status)
        return State(phase="running" if worker.began else "queued")

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        for handle in handles:
            worker = self.workers[handle]
            worker.fate = "killed" if kill and not worker.ended else worker.fate
            worker.ends = min(worker.ends, self.clock.now())
            if worker.ended or not worker.began:
                worker.ended = True
                self._active.pop(handle, None)

    def avoid(self, handle: Handle) -> bool:
        return True

    def _play(self) -> None:
        """Have workers do what they have done by now."""
        now = self.clock.now()
        for handle, worker in list(self._active.items()):
            if worker.fate == "lost":
                del self._active[handle]
                continue
            if not worker.began and worker.begins <= now:
                self._begin(worker)
            if worker.began and not worker.ended and worker.ends <= now:
                self._end(worker)
            if worker.ended and not worker.shown and worker.shows <= now:
                worker.shown = True
                self._show(worker)
            if worker.ended and worker.shown and worker.fate != "ends_never":
                del self._active[handle]

    def _begin(self, worker: Worker) -> None:
        folder, name = RunFolder(worker.order.folder), worker.order.run_id
        worker.began = True
        if any(other.began and not other.ended for other in self._of(name) if other is not worker):
            self.doubled.append(name)
        for lock in self._locks(worker):
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.write_text(json.dumps(_card()))
        folder.note_attempt("start")

    def _locks(self, worker: Worker) -> tuple[Path, Path]:
        """Files are all that others look at; no thread touches these."""
        return RunFolder(worker.order.folder).lock, self.store.lock(worker.order.run_id)

    def _unlock(self, worker: Worker) -> None:
        for lock in self._locks(worker):
            lock.unlink(missing_ok=True)

    def _of(self, name: str) -> list[Worker]:
        return [worker for worker in self._active.values() if worker.order.run_id == name]

    def _end(self, worker: Worker) -> None:
        worker.ended = True
        if worker.fate in ("vanishes", "killed"):
            worker.status, worker.shown = 0, True
            self._unlock(worker)
        elif worker.fate == "preempted":
            worker.status = EXIT_INTERRUPTED

    def _show(self, worker: Worker) -> None:
        """Its files are seen where the driver is; its lock goes last, as with a real one."""
        folder = RunFolder(worker.order.folder)
        if worker.fate == "preempted":
            write_atomic(folder.checkpoint, b"a state", lasting=False)
            folder.note_attempt("interrupted")
        else:
            self.store.put(result_for(folder))
            folder.note_attempt("completed")
        self._unlock(worker)


def result_for(folder: RunFolder) -> Result:
    """What a worker leaves, without any numbers."""
    job = folder.job()
    return Result(
        schema_version=2,
        run_id=job.run_id,
        spec=job.spec,
        status="completed",
        metrics={},
        history=[],
        cost={},
        provenance=Provenance(),
    )
