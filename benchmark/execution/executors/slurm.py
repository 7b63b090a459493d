"""Workers as jobs of a Slurm cluster, submitted as job arrays through submitit.

A job runs one worker in its own place, or several side by side (:mod:`benchmark.execution.executors.placing`). The
answer that submitit would wait for never comes: results are files, and how a job stands ``squeue`` says, or ``sacct``
once that has forgotten it.
"""

import contextlib
import itertools
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmark.errors import UserError
from benchmark.execution.executors import slurm_arrays as arrays
from benchmark.execution.executors import slurm_commands as slurm
from benchmark.execution.executors.contract import Handle, Need, Order, Site, State
from benchmark.execution.executors.slurm_settings import SlurmSettings
from benchmark.execution.run_folder import EXIT_INTERRUPTED
from benchmark.system.files import read_end

ENGINE = "slurm"
POLL_SECONDS, SETTLE_SECONDS, LOST_SECONDS = 15.0, 60.0, 300.0
#: Kinds of jobs of which Slurm is asked whether it could ever start them.
_TRIED = 20


@dataclass(frozen=True)
class _Place:
    """Where a worker is.

    Attributes:
        job: the id of its job.
        member: which of the job's workers it is.
        size: how many those are.
        tag: the end of the job's name, which no other one has: ids begin anew where a cluster's memory was lost.
    """

    job: str
    member: int
    size: int
    tag: str

    @classmethod
    def of(cls, handle: Handle) -> "_Place":
        where, tag = handle.job.split()
        job, member, size = [*where.split("/"), "0", "1"][:3]
        return cls(job, int(member), int(size), tag)

    def handle(self, cluster: str) -> Handle:
        """What later drivers know it by."""
        member = f"/{self.member}/{self.size}" if self.size > 1 else ""
        return Handle(engine=ENGINE, place=cluster, job=f"{self.job}{member} {self.tag}")

    def file(self, folder: Path, ending: str, member: int | None = None) -> Path:
        """What a worker that shares its job, or another one of that, and whoever wants its end leave for each other."""
        member = self.member if member is None else member
        return folder / self.tag / f"{self.job.partition('_')[2] or 0}-{member}.{ending}"

    def is_named(self, job: slurm.Job | None) -> bool:
        """Whether that is its job."""
        return job is not None and job.name.endswith(f".{self.tag}")

    def left_by_all(self, folder: Path) -> bool:
        """Whether no worker of its job is wanted any more."""
        endings = ("end", "cancel", "kill")
        return all(any(self.file(folder, ending, one).exists() for ending in endings) for one in range(self.size))


@dataclass
class SlurmExecutor:
    """A Slurm cluster.

    Attributes:
        settings: what somebody has set.
        folder: for job scripts and what jobs leave; on a disk that nodes share, and absolute.
        kind: what runs compute on there.
        cluster: its name.
        array: the most jobs of an array.
        partition: where jobs go.
    """

    settings: SlurmSettings
    folder: Path
    kind: Literal["cpu", "cuda"]
    cluster: str
    array: int
    partition: slurm.Partition
    _held: set[Handle] = field(default_factory=set)
    _ended: dict[Handle, State] = field(default_factory=dict)
    _last: dict[Handle, State] = field(default_factory=dict)
    _nodes: dict[Handle, str] = field(default_factory=dict)
    _avoided: set[str] = field(default_factory=set)
    _left: dict[str, int] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    @classmethod
    def reached(cls, settings: SlurmSettings, folder: Path, device: str = "auto") -> "SlurmExecutor":
        """The cluster that this machine belongs to; its partition says what runs compute on unless somebody does.

        Raises:
            UserError: submitit is missing, there is no cluster, it does not answer, or has no such partition or GPUs.
        """
        try:
            import submitit  # noqa: F401
        except ImportError:
            raise UserError("--executor slurm needs submitit: pip install '.[slurm]'") from None
        _require("sbatch", "srun", "squeue", "scancel", "sinfo")
        config = slurm.controller()
        partition = slurm.partition(str(settings.slurm["partition"]) if "partition" in settings.slurm else None)
        if device == "cuda" and not partition.has_gpus:
            raise UserError("--device cuda: no node of this partition of Slurm has a GPU; set slurm_partition")
        if why := settings.too_short(partition.minutes):
            raise UserError(f"--executor slurm: the partition's jobs last {partition.minutes} minutes: {why}")
        kind: Literal["cpu", "cuda"] = "cuda" if device != "cpu" and partition.has_gpus else "cpu"
        array = int(config.get("MaxArraySize", 1001))
        return cls(settings, folder, kind, config.get("ClusterName", ""), array, partition)

    @classmethod
    def to_end(cls, folder: Path) -> "SlurmExecutor":
        """The same for workers that others have left, to ask for and to end: no partition is needed for that.

        Raises:
            UserError: there is no cluster, or it does not answer.
        """
        _require("squeue", "scancel")
        cluster = slurm.controller().get("ClusterName", "")
        return cls(SlurmSettings(), folder, "cpu", cluster, 1, slurm.Partition(has_gpus=False, minutes=None, nodes=0))

    def describe(self) -> Site:
        """See :class:`~benchmark.execution.executors.contract.Executor`, here and below."""
        on = ", ".join(filter(None, ["GPUs" if self.kind == "cuda" else "processors", self.settings.device_name]))
        return Site(
            kind=self.kind,
            device=self.settings.device_name,
            memory_gib=self.settings.gpu_memory_gib if self.kind == "cuda" else None,
            poll_s=POLL_SECONDS if self.settings.poll_s is None else self.settings.poll_s,
            settle_s=SETTLE_SECONDS if self.settings.settle_s is None else self.settings.settle_s,
            lost_s=LOST_SECONDS,
            where=f"on {on}, by Slurm on {self.cluster}",
            outlives_driver=True,
        )

    def objections(self, needs: Sequence[Need]) -> list[str]:
        """What Slurm itself says to jobs of the largest kinds, without submitting any."""
        kinds = sorted(set(needs), key=lambda need: (need.alone, need.memory_gib, need.threads), reverse=True)
        found: dict[str, None] = {}
        for parameters in _different(self._parameters([need]) for need in kinds):
            script = arrays.script(self.folder, parameters)
            try:
                slurm.ask("sbatch", "--test-only", says=script)
            except slurm.SlurmError as error:
                asked = ", ".join(
                    f"{key} {parameters[key]}"
                    for key in ("cpus_per_task", "mem", "gpus_per_node", "time")
                    if key in parameters
                )
                found[f"Slurm starts no such job ({asked}): {error}; see the slurm_ keys of --executor-config"] = None
        return list(found)

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        """As many as may be held at once; Slurm queues what can't start yet."""
        return list(range(min(len(needs), max(0, self.settings.runs_at_once - len(self._held)))))

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        """An array for all jobs that take the same, in as many parts as the cluster's longest array asks for."""
        answers: dict[int, Handle | str] = {}
        for parameters, jobs in self._jobs(orders):
            for first in range(0, len(jobs), self.array):
                part = jobs[first : first + self.array]
                places = self._submit_array(parameters, [[orders[at] for at in job] for job in part])
                flat = list(itertools.chain.from_iterable(part))
                answers.update(zip(flat, places if isinstance(places, list) else [places] * len(flat), strict=True))
        self._held.update(answer for answer in answers.values() if isinstance(answer, Handle))
        return [answers[at] for at in range(len(orders))]

    def _jobs(self, orders: Sequence[Order]) -> Iterator[tuple[dict[str, Any], list[list[int]]]]:
        """What jobs take, with the orders of each of the jobs that take it, as positions."""
        waiting: dict[Need, list[int]] = {}
        for at, order in enumerate(orders):
            waiting.setdefault(order.need, []).append(at)
        jobs: dict[str, tuple[dict[str, Any], list[list[int]]]] = {}
        for need, places in waiting.items():
            size = self.settings.runs_in_a_job(need)
            for first in range(0, len(places), size):
                job = places[first : first + size]
                parameters = self._parameters([need] * len(job))
                jobs.setdefault(repr(parameters), (parameters, []))[1].append(job)
        yield from jobs.values()

    def _parameters(self, needs: Sequence[Need]) -> dict[str, Any]:
        return self.settings.parameters(needs, self.partition.minutes, sorted(self._avoided))

    def _submit_array(self, parameters: dict[str, Any], jobs: Sequence[Sequence[Order]]) -> list[Handle] | str:
        """The handles of all orders, one job after the other; or why there are none."""
        tag = uuid.uuid4().hex[:12]
        ids = arrays.submit(self.folder / tag, tag, parameters, jobs)
        if isinstance(ids, str):
            return ids
        self._left[tag] = sum(map(len, jobs))
        return [
            _Place(job, member, len(within), tag).handle(self.cluster)
            for job, within in zip(ids, jobs, strict=True)
            for member in range(len(within))
        ]

    def adopt(self, handle: Handle, need: Need) -> None:
        """It counts until its end is seen."""
        self._held.add(handle)

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        """By one question to the queue; while that does not answer everything stands as it last did."""
        asked = [handle for handle in handles if handle not in self._ended]
        try:
            jobs = slurm.jobs() if asked else {}
        except slurm.SlurmError as error:
            silent = State(phase="unknown", note=str(error))
            return {one: self._ended.get(one) or self._last.get(one, silent) for one in handles}
        places = {handle: _Place.of(handle) for handle in asked if self._is_here(handle)}
        gone = [place.job for place in places.values() if not place.is_named(jobs.get(place.job))]
        jobs |= slurm.accounted(list(dict.fromkeys(gone)))
        for handle in asked:
            self._see(handle, places.get(handle), jobs)
        return {one: self._ended.get(one) or self._last[one] for one in handles}

    def _see(self, handle: Handle, place: _Place | None, jobs: Mapping[str, slurm.Job]) -> None:
        job = jobs.get(place.job) if place else None
        if place is None or job is None or not place.is_named(job):
            self._last[handle] = State(phase="unknown", note="Slurm knows no such job")
            return
        self._nodes[handle] = job.node
        state = self._last[handle] = self._state(place, job)
        if state.phase == "ended":
            self._ended[handle] = self._last.pop(handle)
            self._held.discard(handle)
            self._tidy(place.tag, state)

    def _state(self, place: _Place, job: slurm.Job) -> State:
        note = " ".join([job.state, job.reason]).strip()
        phase = slurm.PHASE.get(job.state, "ended")
        if place.size == 1:
            return State(phase=phase, exit_status=job.exit_status if phase == "ended" else None, note=note)
        with contextlib.suppress(OSError):
            word = read_end(place.file(self.folder, "end"), 80).decode(errors="replace")
            status = int(word) if word.lstrip("-").isdigit() else None
            return State(phase="ended", exit_status=status, note=word if status is None else "", beside=place.size - 1)
        return State(phase=phase, note=note, beside=place.size - 1)

    def _tidy(self, tag: str, state: State) -> None:
        """Remove what an array's jobs have left once all have ended; where one ended badly it may say why."""
        if state.exit_status not in (0, EXIT_INTERRUPTED):
            self._kept.add(tag)
        self._left[tag] = self._left.get(tag, 0) - 1
        if self._left[tag] == 0 and tag not in self._kept:
            shutil.rmtree(self.folder / tag, ignore_errors=True)

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        """What is queued leaves the queue, what runs gets a signal; of a job that several share only who is meant.

        Slurm kills what it cancels after a while (KillWait), and nothing at once.
        """
        places = [_Place.of(one) for one in handles if self._is_here(one) and one not in self._ended]
        for place in places:
            if place.size > 1:
                with contextlib.suppress(OSError):
                    place.file(self.folder, "kill" if kill else "cancel").touch()
        whole = list(dict.fromkeys(one.job for one in places if one.size == 1 or one.left_by_all(self.folder)))
        if whole and kill:
            slurm.tell(["scancel", "--quiet"], whole)
        elif whole:
            slurm.tell(["scancel", "--quiet", "--state=PENDING"], whole)
            slurm.tell(["scancel", "--quiet", "--signal=USR2"], whole)

    def avoid(self, handle: Handle) -> bool:
        """Its node gets no more jobs."""
        if node := self._nodes.get(handle):
            self._avoided.add(node)
        return bool(node) and len(self._avoided) < self.partition.nodes

    def _is_here(self, handle: Handle) -> bool:
        return handle.engine == ENGINE and handle.place == self.cluster


def _require(*commands: str) -> None:
    for command in commands:
        if shutil.which(command) is None:
            raise UserError(f"--executor slurm: {command} is not here; run this on a login node of the cluster")


def _different(parameters: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(itertools.islice({repr(one): one for one in parameters}.values(), _TRIED))
