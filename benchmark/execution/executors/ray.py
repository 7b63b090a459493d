"""Workers as jobs of a Ray cluster that is there already, by its job-submission client.

Jobs outlive whoever submits them; tasks would not. Ray starts no more than it has room for, and fails what has waited
for a quarter of an hour, so it is never given more than fits now.
"""

import importlib.util
import re
import shlex
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from benchmark.errors import UserError
from benchmark.execution.executors.contract import Handle, Need, Order, Phase, Site, State
from benchmark.execution.executors.ray_cluster import CPU, GIB, GPU, MEMORY, Amounts, Cluster, RayError, answer, look
from benchmark.execution.executors.settings import ClusterSettings
from benchmark.execution.run_folder import EXIT_INTERRUPTED
from benchmark.system.processes import BINDING

ENGINE = "ray"
POLL_SECONDS, SETTLE_SECONDS, LOST_SECONDS = 2.0, 60.0, 120.0
#: How long Ray waits between asking a job to end and killing it; three seconds by itself.
_SAVE_SECONDS = 60
#: What sums of shares may be off.
_ROUNDING = 1e-3
_PHASES: dict[str, Phase] = {"PENDING": "queued", "RUNNING": "running"}


class RaySettings(ClusterSettings):
    """Settings of this engine.

    Attributes:
        address: of the cluster's dashboard.
        resources: further ones that each run takes, as the cluster's nodes name them.
    """

    address: str = Field(default="http://127.0.0.1:8265", pattern=r"^https?://[^\s]+$")
    resources: dict[str, float] = Field(default={})


@dataclass
class RayExecutor:
    """A Ray cluster.

    Attributes:
        settings: what somebody has set.
        kind: what runs compute on there.
        client: Ray's own.
    """

    settings: RaySettings
    kind: Literal["cpu", "cuda"]
    client: Any
    _held: dict[Handle, Need] = field(default_factory=dict)
    _ended: dict[Handle, State] = field(default_factory=dict)
    _last: dict[Handle, State] = field(default_factory=dict)

    @classmethod
    def reached(cls, settings: RaySettings, device: str = "auto") -> "RayExecutor":
        """The cluster at an address; whether any node has a GPU says what runs compute on, unless somebody does.

        Raises:
            UserError: Ray is missing, nobody answers there, or no node has a GPU.
        """
        if importlib.util.find_spec("ray") is None:
            raise UserError("--executor ray needs Ray: pip install '.[ray]'")
        try:
            cluster = look(settings.address)
            from ray.job_submission import JobSubmissionClient

            client = JobSubmissionClient(settings.address)
        except (RayError, RuntimeError, ConnectionError, ImportError) as error:
            raise UserError(f"--executor ray: {error}; set address to that of the cluster's dashboard") from None
        has_gpus = any(node.get(GPU) for node in cluster.nodes)
        if device == "cuda" and not has_gpus:
            raise UserError(f"--device cuda: no node of Ray at {settings.address} has a GPU")
        return cls(settings, "cuda" if has_gpus and device != "cpu" else "cpu", client)

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
            where=f"on {on}, by Ray at {self.settings.address}",
            outlives_driver=True,
        )

    def objections(self, needs: Sequence[Need]) -> list[str]:
        """What fits on no node, and what wants to be alone: Ray counts what it is told and knows no device."""
        found: dict[str, None] = {}
        if any(need.alone for need in needs):
            found["Ray can't keep a device to one run; measure costs with --executor local or slurm"] = None
        try:
            nodes = look(self.settings.address).nodes
        except RayError as error:
            return [str(error)]
        for need in {need for need in needs if not need.alone}:
            wants = self._takes(need, nodes)
            if not any(_fits(wants, node) for node in nodes):
                asked = ", ".join(
                    f"{amount / GIB:.1f} GiB" if name == MEMORY else f"{amount:g} {name}"
                    for name, amount in wants.items()
                )
                found[f"no node of Ray at {self.settings.address} has {asked}, which a run needs"] = None
        return list(found)

    def _takes(self, need: Need, nodes: Sequence[Amounts]) -> Amounts:
        """What Ray is told of a run: all processors of its node where it wants to be alone."""
        most = max((node.get(CPU, 0.0) for node in nodes), default=0.0)
        found = {CPU: max(most, 1.0) if need.alone else float(need.threads), **self.settings.resources}
        if need.gpus:
            return {**found, GPU: need.gpus}
        return {**found, MEMORY: float(int(need.memory_gib * GIB))}

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        """Those that find a place beside what is in use and what was submitted before."""
        try:
            cluster = look(self.settings.address)
        except RayError:
            return []
        free = _free(cluster, [self._takes(need, cluster.nodes) for need in self._held.values()])
        chosen: list[int] = []
        for position, need in enumerate(needs):
            if len(self._held) + len(chosen) >= self.settings.runs_at_once:
                break
            if _take(self._takes(need, cluster.nodes), free):
                chosen.append(position)
        return chosen

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        """A job each."""
        try:
            nodes = look(self.settings.address).nodes
        except RayError as error:
            return [str(error)] * len(orders)
        return [self._submit(order, self._takes(order.need, nodes)) for order in orders]

    def _submit(self, order: Order, takes: Amounts) -> Handle | str:
        name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', order.run_id)}.{uuid.uuid4().hex[:12]}"
        memory = takes.pop(MEMORY, None)
        try:
            self.client.submit_job(
                entrypoint=entrypoint(order),
                submission_id=name,
                runtime_env={"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(_SAVE_SECONDS), **order.environment}},
                entrypoint_num_cpus=takes.pop(CPU),
                entrypoint_num_gpus=takes.pop(GPU, None),
                entrypoint_memory=int(memory) if memory else None,
                entrypoint_resources=takes or None,
            )
        except Exception as error:  # whatever Ray objects to; asked again later
            return f"Ray took no job: {' '.join(str(error).split())[:300] or type(error).__name__}"
        handle = Handle(engine=ENGINE, place=self.settings.address, job=name)
        self._held[handle] = order.need
        return handle

    def adopt(self, handle: Handle, need: Need) -> None:
        """It counts until its end is seen."""
        self._held[handle] = need

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        """By one list of all jobs; while that does not come everything stands as it last did."""
        asked = [handle for handle in handles if handle not in self._ended]
        try:
            answer(self.settings.address, "/api/version")
            jobs = {job.submission_id: job for job in self.client.list_jobs()} if asked else {}
        except Exception as error:  # a cluster that is away for a while
            silent = State(phase="unknown", note=str(error))
            return {one: self._ended.get(one) or self._last.get(one, silent) for one in handles}
        for handle in asked:
            state = self._last[handle] = _state(jobs.get(handle.job) if self._is_here(handle) else None)
            if state.phase == "ended":
                self._ended[handle] = self._last.pop(handle)
                self._held.pop(handle, None)
        return {one: self._ended.get(one) or self._last[one] for one in handles}

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        """Ray asks a job to end, and kills it a minute later; it can do nothing at once."""
        for handle in handles:
            if self._is_here(handle) and handle not in self._ended:
                try:
                    answer(self.settings.address, "/api/version")
                    self.client.stop_job(handle.job)
                except Exception:  # it has ended, nobody knows it, or nobody answers
                    continue

    def avoid(self, handle: Handle) -> bool:
        """Ray can't be told to leave a node out."""
        return False

    def _is_here(self, handle: Handle) -> bool:
        return handle.engine == ENGINE and handle.place == self.settings.address


def entrypoint(order: Order) -> str:
    """The shell's line that becomes a worker; a shell that stays would leave it behind where its node dies."""
    command, log = shlex.join(order.command), shlex.quote(str(order.log))
    return f"unset {' '.join(BINDING)}; cd {shlex.quote(str(order.folder))} && exec {command} >> {log} 2>&1"


def _state(job: Any) -> State:
    if job is None:
        return State(phase="unknown", note="Ray knows no such job")
    status, note = str(getattr(job.status, "value", job.status)), " ".join((job.message or "").split())[:300]
    if status in _PHASES:
        return State(phase=_PHASES[status], note=note)
    if "START_TIMEOUT" in str(job.error_type or ""):  # it never began
        return State(phase="ended", exit_status=EXIT_INTERRUPTED, note=note)
    code = job.driver_exit_code
    return State(phase="ended", exit_status=128 - code if code is not None and code > 128 else code, note=note)


def _fits(wants: Amounts, node: Amounts) -> bool:
    return all(amount <= node.get(name, 0.0) + _ROUNDING for name, amount in wants.items())


def _take(wants: Amounts, free: list[Amounts]) -> bool:
    """Take what a run wants from the first node that has it."""
    for node in free:
        if _fits(wants, node):
            for name, amount in wants.items():
                node[name] -= amount
            return True
    return False


def _free(cluster: Cluster, ours: Sequence[Amounts]) -> list[Amounts]:
    """What nodes have left, as far as that can be told: Ray says what all of them use together, not which.

    Our own are put where they fit, and what others use beyond them is taken wherever it lies.
    """
    free = [dict(node) for node in cluster.nodes]
    for wants in ours:
        _take(wants, free)
    for name, used in cluster.used.items():
        others = used - sum(wants.get(name, 0.0) for wants in ours)
        for node in free:
            taken = min(max(others, 0.0), node.get(name, 0.0))
            if taken:
                node[name] -= taken
                others -= taken
    return free
