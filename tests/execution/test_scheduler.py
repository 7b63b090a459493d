import json
import math
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UnusableError
from benchmark.execution import scheduler as module
from benchmark.execution import totals, worker
from benchmark.execution.executors.contract import Handle, Need, Order, Site, State
from benchmark.execution.executors.local import LocalExecutor
from benchmark.execution.needs import Needs
from benchmark.execution.places import Places
from benchmark.execution.progress import PlainView
from benchmark.execution.run_folder import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NO_DEVICE,
    EXIT_NO_ROOM,
    Job,
    Progress,
    RunFolder,
)
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.summary import Summary
from benchmark.planning.estimates import gpu_memory_gib, memory_gib
from benchmark.planning.pace import Open, Pace
from benchmark.planning.plan import PlannedRun, runs_to_train
from benchmark.results import code
from benchmark.results.provenance import Provenance
from benchmark.results.store import Failure, Result, Status, Store
from benchmark.runs.axes import Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, CostSpec, CostVariant, TrainSpec, run_id
from benchmark.system.files import write_atomic
from benchmark.system.hardware import chosen_device
from benchmark.system.locks import Lock
from benchmark.system.processes import usable_cores

WRN = Network(family="wrn", depth=10, width=1)
TINY = Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=20, test_images=10)


def spec_of(method: Method | None = None, *, dataset: Dataset = TINY, seed: int = 0) -> TrainSpec:
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=dataset,
        network=WRN,
        method=method or Method(),
        schedule=Schedule(epochs=2, batch_size=8, learning_rate=0.1),
        seed=seed,
    )


def planned(spec: TrainSpec | CostSpec) -> PlannedRun:
    return PlannedRun(run_id(spec), spec, cells=(), done=False)


def runs_of(count: int) -> list[PlannedRun]:
    return [planned(spec_of(seed=seed)) for seed in range(count)]


def cost_run() -> PlannedRun:
    variants = [CostVariant(name="baseline", method=Method())]
    return planned(
        CostSpec(
            protocol=PROTOCOL, dataset=TINY, network=WRN, batch_size=4, steps=1, device="this one", variants=variants
        )
    )


# ------------------------------------------------------------------ what a worker may do

Behaviour = Callable[[RunFolder, Job], int]


def result_of(job: Job, status: Status) -> Result:
    failure = None if status == "completed" else Failure(reason="a reason", log_tail=[], log_file="log.txt")
    return Result(
        schema_version=2,
        run_id=job.run_id,
        spec=job.spec,
        status=status,
        metrics={},
        history=[],
        cost={},
        provenance=Provenance(),
        failure=failure,
    )


def complete(folder: RunFolder, job: Job) -> int:
    folder.note_attempt("start")
    Store(Path(job.results_folder)).put(result_of(job, "completed"))
    folder.note_attempt("completed")
    return 0


def fail(status: Status) -> Behaviour:
    def behave(folder: RunFolder, job: Job) -> int:
        folder.note_attempt("start")
        Store(Path(job.results_folder)).put(result_of(job, status))
        folder.note_attempt("failed")
        return EXIT_FAILED

    return behave


def interrupt(folder: RunFolder, job: Job) -> int:
    write_atomic(folder.checkpoint, b"a state")
    return in_vain(folder, job)


def in_vain(folder: RunFolder, job: Job) -> int:
    """Ended before it could save a step."""
    folder.note_attempt("start")
    folder.note_attempt("interrupted")
    return EXIT_INTERRUPTED


def vanish(folder: RunFolder, job: Job) -> int:
    """Killed after its start."""
    folder.note_attempt("start")
    return -9


def stillborn(folder: RunFolder, job: Job) -> int:
    """Killed before its first word: while it imports, say."""
    return -9


def busy(folder: RunFolder, job: Job) -> int:
    return EXIT_BUSY


def no_room(folder: RunFolder, job: Job) -> int:
    folder.note_attempt("start")
    folder.log.write_text("No space left on device\n")
    folder.note_attempt("unwritable")
    return EXIT_NO_ROOM


def no_device(folder: RunFolder, job: Job) -> int:
    folder.note_attempt("start")
    folder.log.write_text("PyTorch sees none\n")
    folder.note_attempt("unusable")
    return EXIT_NO_DEVICE


class FakeExecutor:
    """Workers that behave as they are told, each for some polls; the last behaviour is repeated."""

    def __init__(
        self,
        *behaviours: Behaviour,
        slots: int = 1,
        polls: int = 1,
        interrupt_polls: Sequence[int] = (),
        **site: Any,
    ) -> None:
        self.behaviours = list(behaviours)
        self.slots, self.polls = slots, polls
        self.interrupt_polls = interrupt_polls
        self.site: dict[str, Any] = {
            "kind": "cpu",
            "device": "this one",
            "poll_s": 0.001,
            "outlives_driver": False,
            **site,
        }
        self.running: dict[str, tuple[int, int]] = {}
        self.needs: dict[str, Need] = {}
        self.handles: dict[Handle, str] = {}
        self.over: dict[Handle, State] = {}
        self.started: list[str] = []
        self.times: list[float] = []
        self.beside: list[set[str]] = []
        self.most_beside: dict[str, int] = {}
        self.asked: list[float] = []
        self.cancels: list[tuple[list[str], bool]] = []
        self.held: set[str] = set()
        self.polled = 0
        self.alone: set[str] = set()

    @property
    def stops(self) -> list[bool]:
        return [kill for _, kill in self.cancels]

    @property
    def killed(self) -> list[str]:
        return [name for names, kill in self.cancels for name in names if kill]

    def describe(self) -> Site:
        return Site(**self.site)

    def objections(self, needs: Sequence[Need]) -> list[str]:
        return []

    def room_for(self, needs: Sequence[Need]) -> list[int]:
        found: list[int] = []
        there = [self.needs[name] for name in self.running]
        for position, need in enumerate(needs):
            shared = not need.alone and not any(other.alone for other in there)
            if len(there) < self.slots and (shared or not there):
                found.append(position)
                there.append(need)
        return found

    def submit(self, orders: Sequence[Order]) -> list[Handle | str]:
        return [self.start(order) for order in orders]

    def start(self, order: Order) -> Handle | str:
        name = order.run_id
        self.asked.append(order.need.memory_gib)
        self.needs[name] = order.need
        self.alone |= {name} if order.need.alone else set()
        assert name not in self.running
        assert len(self.started) < 20, "started again and again"
        self.beside.append(set(self.running))
        self.started.append(name)
        self.times.append(time.monotonic())
        behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        folder = RunFolder(order.folder)
        self.running[name] = (self.polls, behave(folder, folder.job()))
        for other in self.running:
            most = 0 if other == name else self.most_beside.get(other, 0)
            self.most_beside[other] = max(most, len(self.running) - 1)
        handle = Handle(engine="fake", place="here", job=str(len(self.started)))
        self.handles[handle] = name
        return handle

    def adopt(self, handle: Handle, need: Need) -> None:
        raise NotImplementedError

    def poll(self, handles: Sequence[Handle]) -> dict[Handle, State]:
        self.polled += 1
        self.running = {name: (left - 1, status) for name, (left, status) in self.running.items()}
        over = {name: status for name, (left, status) in self.running.items() if left <= 0}
        for handle in handles:
            name = self.handles[handle]
            if name in over:
                self.over[handle] = State(phase="ended", exit_status=over[name], beside=self.most_beside[name])
        for name in over:
            del self.running[name]
        return {handle: self.over.get(handle) or self.state(self.handles[handle]) for handle in handles}

    def state(self, name: str) -> State:
        return State(phase="suspended" if name in self.held else "running", beside=self.most_beside[name])

    def signals(self) -> int:
        """Signals come while it is polled for the so-manieth time."""
        return sum(poll <= self.polled for poll in self.interrupt_polls)

    def cancel(self, handles: Sequence[Handle], *, kill: bool) -> None:
        names = [self.handles[handle] for handle in handles]
        self.cancels.append((names, kill))
        if kill:
            self.running |= dict.fromkeys(names, (0, -signal.SIGKILL))

    def avoid(self, handle: Handle) -> bool:
        self.slots -= 1
        return self.slots > 0


class FakeView:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.moves: list[tuple[str, float, str]] = []
        self.totals: list[tuple[int, int, float, float | None]] = []
        self.closed = 0

    def started(self, run_id: str) -> None:
        self.events.append(("started", run_id))

    def moved(self, run_id: str, done: float, text: str) -> None:
        self.moves.append((run_id, done, text))

    def ended(self, run_id: str, outcome: str, found: str = "") -> None:
        self.events.append((outcome, run_id))

    def waits(self, run_id: str, who: str) -> None:
        self.events.append(("waits", run_id))

    def total(self, finished: int, runs: int, done: float, seconds_left: float | None) -> None:
        self.totals.append((finished, runs, done, seconds_left))

    def close(self) -> None:
        self.closed += 1


#: Of a processor where nothing was measured.
PACE = Pace("a CPU")


class Bench:
    """A scheduler with all that stands around it."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root / "results")
        self.places = Places(runs=root / "runs", cache=root / "cache", data=None)
        self.view = FakeView()

    def run(
        self,
        executor: FakeExecutor,
        runs: Sequence[PlannedRun],
        *,
        retry_failed: bool = False,
        timeout_min: float | None = None,
        deadline: float = math.inf,
        graphs: bool = False,
    ) -> Summary:
        self.view = FakeView()
        needs = Needs(executor.describe(), PACE, graphs)
        options: dict[str, Any] = {"timeout_min": timeout_min, "deadline": deadline, "asked": executor.signals}
        scheduler = Scheduler(executor, self.store, self.places, self.view, needs, **options)
        wanted, waiting = runs_to_train(runs, self.store.failed(), retry_failed=retry_failed)
        return scheduler.run(wanted, waiting=waiting)

    def outcomes(self) -> list[str]:
        return [what for what, _ in self.view.events if what != "started"]

    def attempts(self, run: PlannedRun) -> list[str]:
        file = RunFolder(self.places.runs / run.run_id).attempts
        return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "CODE_SECONDS", 0.0)
    monkeypatch.setattr(totals, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(totals, "_RARELY", 0)


# ------------------------------------------------------------------ completed and failed


def test_missing_runs_are_trained_in_order(bench: Bench) -> None:
    runs, executor = runs_of(3), FakeExecutor(complete)
    summary = bench.run(executor, runs)
    assert summary == Summary(completed=3)
    assert executor.started == [run.run_id for run in runs]
    assert bench.store.completed() == {run.run_id for run in runs}
    assert bench.view.events == [(what, run.run_id) for run in runs for what in ("started", "completed")]
    assert bench.view.totals[-1][:3] == (3, 3, 1.0)
    assert bench.view.closed == 1


def test_the_worker_gets_its_job(bench: Bench, tmp_path: Path) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(complete)
    bench.run(executor, [run])
    job = RunFolder(bench.places.runs / run.run_id).job()
    assert job.spec == run.spec
    assert job.run_id == run.run_id
    assert Path(job.results_folder) == (tmp_path / "results").resolve()
    assert Path(job.cache_dir) == (tmp_path / "cache").resolve()
    assert (job.data_dir, job.device, job.timeout_min, job.graphs) == (None, "cpu", None, False)
    assert executor.asked == [memory_gib(run.spec)]


def test_nothing_to_do(bench: Bench) -> None:
    assert bench.run(FakeExecutor(complete), []) == Summary()
    assert bench.view.closed == 1


def test_all_slots_are_used(bench: Bench) -> None:
    executor = FakeExecutor(complete, slots=2, polls=3)
    bench.run(executor, runs_of(4))
    assert [len(others) for others in executor.beside] == [0, 1, 0, 1]


def test_a_failure_does_not_stop_the_others(bench: Bench) -> None:
    runs = runs_of(3)
    summary = bench.run(FakeExecutor(complete, fail("diverged"), complete), runs)
    assert summary == Summary(completed=2, failed={runs[1].run_id: "diverged"})
    assert bench.outcomes() == ["completed", "diverged", "completed"]
    assert bench.view.totals[-1][:3] == (3, 3, 1.0)


def test_failures_wait_for_retry_failed(bench: Bench) -> None:
    runs = runs_of(2)
    bench.run(FakeExecutor(fail("out_of_memory"), complete), runs)
    again = FakeExecutor(complete)
    assert bench.run(again, runs[:1]).failed == {runs[0].run_id: "out_of_memory"}
    assert again.started == []
    assert bench.run(again, runs[:1], retry_failed=True) == Summary(completed=1)
    assert again.started == [runs[0].run_id]
    assert bench.store.failed() == set()


def test_retry_failed_takes_up_nothing_else(bench: Bench) -> None:
    failed, missing = runs_of(2)
    bench.run(FakeExecutor(fail("crashed")), [failed])
    executor = FakeExecutor(complete)
    assert runs_to_train([failed, missing], bench.store.failed(), retry_failed=True) == ([failed], [])
    assert runs_to_train([failed, missing], bench.store.failed(), retry_failed=False) == ([missing], [failed])
    assert bench.run(executor, [failed, missing], retry_failed=True) == Summary(completed=1)
    assert executor.started == [failed.run_id]
    assert bench.run(executor, [missing]) == Summary(completed=1)


def test_a_worker_that_hangs_is_killed_long_after_its_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_MIN", 0.001)
    hung, other = runs_of(2)

    def hang(folder: RunFolder, job: Job) -> int:
        executor.polls = 1  # of the next one
        return interrupt(folder, job)

    executor = FakeExecutor(hang, complete, slots=2, polls=10**9)
    assert bench.run(executor, [hung, other], timeout_min=0.001).failed == {hung.run_id: "timed_out"}
    assert executor.killed == [hung.run_id]
    failure = bench.store.load_failure(hung.run_id).failure
    assert failure is not None
    assert "--timeout-min" in failure.reason
    assert bench.attempts(hung)[-1] == "timed_out"
    assert bench.store.completed() == {other.run_id}


def test_a_worker_within_its_time_is_left_alone(bench: Bench) -> None:
    executor = FakeExecutor(complete, polls=5)
    assert bench.run(executor, runs_of(1), timeout_min=1.0) == Summary(completed=1)
    assert executor.killed == []


def test_a_worker_that_could_not_record_its_failure_has_failed(bench: Bench) -> None:
    def speechless(folder: RunFolder, job: Job) -> int:
        folder.note_attempt("start")
        folder.log.write_text("Traceback\nOSError: [Errno 28] No space left on device\n")
        return EXIT_FAILED

    [run] = runs_of(1)
    summary = bench.run(FakeExecutor(speechless), [run])
    assert "No space left on device" in summary.failed[run.run_id]


def test_a_full_disk_is_said_once_and_blamed_on_no_run(bench: Bench) -> None:
    runs = runs_of(3)
    summary = bench.run(FakeExecutor(no_room), runs)
    assert summary == Summary(obstacle="No space left on device", left=3)  # and not 2: something was trained
    assert bench.store.failed() == set()
    assert bench.run(FakeExecutor(complete), runs) == Summary(completed=3)


def test_an_old_record_is_not_taken_for_a_new_failures(bench: Bench) -> None:
    def speechless(folder: RunFolder, job: Job) -> int:
        folder.log.write_text("No space left on device\n")
        return EXIT_FAILED

    [run] = runs_of(1)
    bench.run(FakeExecutor(fail("diverged")), [run])
    assert "No space left" in bench.run(FakeExecutor(speechless), [run], retry_failed=True).failed[run.run_id]
    assert bench.run(FakeExecutor(fail("diverged")), [run], retry_failed=True).failed == {run.run_id: "diverged"}


def test_a_result_of_another_runner_is_not_trained_again(bench: Bench) -> None:
    runs = runs_of(2)

    def complete_both(folder: RunFolder, job: Job) -> int:
        other = Job(**{**job.model_dump(), "spec": runs[1].spec, "run_id": runs[1].run_id})
        bench.store.put(result_of(other, "completed"))  # by another runner, meanwhile
        return complete(folder, job)

    executor = FakeExecutor(complete_both)
    assert bench.run(executor, runs) == Summary(completed=2)
    assert executor.started == [runs[0].run_id]


def test_the_files_count_not_the_exit_status(bench: Bench) -> None:
    def killed_after_the_result(folder: RunFolder, job: Job) -> int:
        complete(folder, job)
        return -9

    assert bench.run(FakeExecutor(killed_after_the_result), runs_of(1)) == Summary(completed=1)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_cost_run_is_alone(bench: Bench, place: int) -> None:
    runs, cost = runs_of(3), cost_run()
    runs.insert(place, cost)
    executor = FakeExecutor(complete, slots=3, polls=4)
    assert bench.run(executor, runs) == Summary(completed=4)
    for name, others in zip(executor.started, executor.beside, strict=True):
        assert cost.run_id not in others
        assert name != cost.run_id or not others
    assert max(map(len, executor.beside)) == 2  # the others share the slots


# ------------------------------------------------------------------ interrupted, elsewhere, vanished


@pytest.mark.parametrize(("behaviour", "outcome"), [(interrupt, "interrupted"), (busy, "elsewhere")])
def test_what_did_not_end_is_taken_up_again(bench: Bench, behaviour: Behaviour, outcome: str) -> None:
    executor = FakeExecutor(*[behaviour] * 5, complete)  # as often as it takes
    assert bench.run(executor, runs_of(1)) == Summary(completed=1)
    assert bench.outcomes() == [*[outcome] * 5, "completed"]


@pytest.mark.parametrize("where", ["results", "scratch"])
def test_who_else_is_at_work_is_said_once_and_waited_for(bench: Bench, where: str) -> None:
    mine, other = runs_of(2)
    folder = RunFolder(bench.places.runs / other.run_id)
    lock = Lock(bench.store.lock(other.run_id) if where == "results" else folder.lock)
    executor = FakeExecutor(complete, interrupt_polls=[60])
    with lock:
        assert bench.run(executor, [other, mine]) == Summary(completed=1, interrupted=True)
    assert executor.started == [mine.run_id], "no process is started just to find that out"
    assert bench.view.events.count(("waits", other.run_id)) == 1
    assert bench.run(FakeExecutor(complete), [other]) == Summary(completed=1)


def test_it_is_taken_up_after_a_pause_and_others_go_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.3)
    first, second = runs_of(2)
    executor = FakeExecutor(interrupt, complete)
    assert bench.run(executor, [first, second]) == Summary(completed=2)
    assert executor.started == [first.run_id, second.run_id, first.run_id]
    assert executor.times[2] - executor.times[0] >= 0.3
    assert executor.times[1] - executor.times[0] < 0.3


def test_a_worker_may_vanish_twice(bench: Bench) -> None:
    [run] = runs_of(1)
    assert bench.run(FakeExecutor(vanish, vanish, complete), [run]) == Summary(completed=1)
    assert bench.outcomes() == ["vanished", "vanished", "completed"]


def test_the_third_time_it_has_crashed(bench: Bench) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(vanish)
    assert bench.run(executor, [run]) == Summary(failed={run.run_id: "crashed"})
    assert len(executor.started) == 3
    assert bench.outcomes() == ["vanished", "vanished", "crashed"]
    failure = bench.store.load_failure(run.run_id)
    assert failure.status == "crashed"
    assert failure.failure is not None
    assert "3 times without a word" in failure.failure.reason
    assert failure.provenance.device_kind == "cpu"


# ------------------------------------------------------------------ too little memory


def test_what_lacked_memory_beside_others_is_tried_alone(bench: Bench) -> None:
    runs = runs_of(4)
    executor = FakeExecutor(complete, fail("out_of_memory"), complete, slots=2)
    assert bench.run(executor, runs) == Summary(completed=4)
    assert executor.alone == {runs[1].run_id}
    assert executor.started.count(runs[1].run_id) == 2
    again = [position for position, name in enumerate(executor.started) if name == runs[1].run_id][1]
    assert executor.beside[again] == set()
    assert runs[1].run_id not in set().union(*executor.beside[again + 1 :])
    assert bench.outcomes().count("out_of_memory") == 1
    assert bench.store.failed() == set()


def test_what_lacks_memory_alone_too_has_failed(bench: Bench) -> None:
    runs = runs_of(2)
    executor = FakeExecutor(complete, fail("out_of_memory"), slots=2)
    assert bench.run(executor, runs) == Summary(completed=1, failed={runs[1].run_id: "out_of_memory"})
    assert executor.started.count(runs[1].run_id) == 2
    assert bench.store.failed() == {runs[1].run_id}


def test_what_was_alone_is_not_tried_again(bench: Bench) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(fail("out_of_memory"))
    assert bench.run(executor, [run]) == Summary(failed={run.run_id: "out_of_memory"})
    assert len(executor.started) == 1


def test_the_first_lack_of_memory_blocks_nothing(bench: Bench) -> None:
    """A runner that is ended between the two attempts leaves no failure behind."""
    runs = runs_of(2)
    executor = FakeExecutor(complete, fail("out_of_memory"), leave, slots=2)
    with pytest.raises(SystemExit):
        bench.run(executor, runs)
    assert bench.store.failed() == set()
    assert bench.run(FakeExecutor(complete), runs) == Summary(completed=2)


def test_what_the_system_killed_beside_others_is_alone_next_time(bench: Bench) -> None:
    runs = runs_of(2)
    executor = FakeExecutor(complete, vanish, complete, slots=2)
    assert bench.run(executor, runs) == Summary(completed=2)
    assert executor.alone == {runs[1].run_id}


def test_a_worker_is_told_how_many_runs_were_beside_it(bench: Bench) -> None:
    runs = runs_of(3)
    bench.run(FakeExecutor(complete, slots=3, polls=2), runs)
    assert [RunFolder(bench.places.runs / run.run_id).beside() for run in runs] == [2, 2, 2]
    [late] = [planned(spec_of(seed=9))]
    bench.run(FakeExecutor(complete), [late])
    assert RunFolder(bench.places.runs / late.run_id).beside() == 0


@pytest.mark.parametrize(("device", "minutes", "estimate"), [("cpu", 5, memory_gib), ("cuda", 2, gpu_memory_gib)])
def test_a_gpu_has_its_own_estimates_and_checkpoints(
    bench: Bench, device: str, minutes: float, estimate: Callable[[TrainSpec | CostSpec], float]
) -> None:
    [run] = runs_of(1)
    executor = FakeExecutor(complete)
    executor.site["kind"] = device
    bench.run(executor, [run])
    assert executor.asked == [estimate(run.spec)]
    bench.store.path(run.run_id).unlink()
    bench.run(executor, [run], graphs=True)
    assert (executor.asked[1] > executor.asked[0]) == (device == "cuda")  # a graph holds memory of its own
    assert RunFolder(bench.places.runs / run.run_id).job().checkpoint_minutes == minutes


# ------------------------------------------------------------------ a GPU that can't be used


def test_where_no_gpu_can_be_used_nothing_is_blamed_on_a_run(bench: Bench) -> None:
    runs = runs_of(3)
    executor = FakeExecutor(no_device, slots=2)
    with pytest.raises(UnusableError, match="PyTorch sees none"):
        bench.run(executor, runs)
    assert len(executor.started) == 2
    assert bench.view.closed == 1
    assert bench.store.failed() == set()
    assert bench.run(FakeExecutor(complete), runs) == Summary(completed=3)  # nothing blocks


def test_a_gpu_that_can_not_be_used_is_left_out(bench: Bench) -> None:
    executor = FakeExecutor(no_device, complete, slots=2)
    assert bench.run(executor, runs_of(3)) == Summary(completed=3, obstacle="PyTorch sees none")
    assert len(executor.started) == 4
    assert all(len(beside) == 0 for beside in executor.beside[2:])


def test_a_gpu_may_fail_between_two_runs(bench: Bench) -> None:
    summary = bench.run(FakeExecutor(complete, no_device), runs_of(4))
    assert summary == Summary(completed=1, obstacle="PyTorch sees none", left=3)
    assert bench.store.failed() == set()


def test_a_gpu_that_can_not_be_used_does_not_count_as_vanishing(bench: Bench) -> None:
    [run] = runs_of(1)
    for _ in range(3):
        with pytest.raises(UnusableError):
            bench.run(FakeExecutor(no_device), [run])
    assert bench.run(FakeExecutor(vanish, vanish, complete), [run]) == Summary(completed=1)


def test_when_its_code_changes_a_command_ends_what_it_has_begun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def edit(folder: RunFolder, job: Job) -> int:
        monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
        return complete(folder, job)

    executor = FakeExecutor(complete, edit, slots=1)
    summary = bench.run(executor, runs_of(4))
    assert (summary.completed, summary.left, len(executor.started)) == (2, 2, 2)
    assert "has changed since this command was started" in str(summary.obstacle)
    with pytest.raises(UnusableError, match="has changed"):
        bench.run(FakeExecutor(complete), runs_of(5)[4:])
    assert bench.store.failed() == set()


def test_vanishing_is_counted_over_invocations(bench: Bench) -> None:
    # a machine that goes down with every run must not do so for ever
    [run] = runs_of(1)
    for _ in range(2):
        with pytest.raises(SystemExit):
            bench.run(FakeExecutor(vanish, leave), [run])
    assert bench.attempts(run) == ["start", "start"]
    executor = FakeExecutor(vanish)
    assert bench.run(executor, [run]) == Summary(failed={run.run_id: "crashed"})
    assert len(executor.started) == 1


def leave(folder: RunFolder, job: Job) -> int:
    raise SystemExit


def test_a_known_end_in_between_starts_the_count_anew(bench: Bench) -> None:
    executor = FakeExecutor(vanish, vanish, interrupt, vanish, vanish, complete)
    assert bench.run(executor, runs_of(1)) == Summary(completed=1)


def test_a_crash_is_a_known_end(bench: Bench) -> None:
    # --retry-failed gives a run its three starts again
    [run] = runs_of(1)
    bench.run(FakeExecutor(vanish), [run])
    executor = FakeExecutor(vanish, vanish, complete)
    assert bench.run(executor, [run], retry_failed=True) == Summary(completed=1)


def test_a_worker_that_never_gets_to_its_first_word_crashes_too(bench: Bench) -> None:
    # killed while it imports, or exit status 2: attempts.txt says nothing of such starts
    [run] = runs_of(1)
    executor = FakeExecutor(stillborn)
    assert bench.run(executor, [run]) == Summary(failed={run.run_id: "crashed"})
    assert len(executor.started) == 3


# ------------------------------------------------------------------ progress


def test_the_view_sees_how_far_a_run_is(bench: Bench) -> None:
    def halfway(folder: RunFolder, job: Job) -> int:
        folder.report(Progress(done=0.5, text="epoch 2/4"))
        return complete(folder, job)

    runs = runs_of(2)
    bench.run(FakeExecutor(halfway, complete, polls=3), runs)
    assert (runs[0].run_id, 0.5, "epoch 2/4") in bench.view.moves
    done = [part for _, _, part, _ in bench.view.totals]
    assert done == sorted(done)
    assert 0.25 in done  # half of one of two equal runs
    assert all(runs == 2 for _, runs, _, _ in bench.view.totals)


def test_the_time_left_is_that_of_plan_and_status(bench: Bench) -> None:
    def halfway(folder: RunFolder, job: Job) -> int:
        folder.report(Progress(done=0.5, text="epoch 2/4", seconds=30.0))
        return complete(folder, job)

    runs = runs_of(3)
    bench.run(FakeExecutor(halfway, complete, slots=2, polls=3), runs)
    begun = Open(runs[0].spec, 0.5, 30.0, running=True)
    others = [Open(runs[1].spec, running=True), Open(runs[2].spec)]
    assert PACE.with_progress([begun]).left([begun, *others], 2) in [left for *_, left in bench.view.totals]
    assert bench.view.totals[-1][3] == 0


# ------------------------------------------------------------------ Ctrl-C


def test_ctrl_c_lets_the_workers_save(bench: Bench) -> None:
    runs = runs_of(4)
    executor = FakeExecutor(complete, interrupt, slots=2, polls=2, interrupt_polls=[1])
    summary = bench.run(executor, runs)
    assert summary == Summary(completed=1, interrupted=True)  # one of the two ended by itself meanwhile
    assert executor.started == [run.run_id for run in runs[:2]]
    assert executor.stops == [False]
    assert not executor.running
    assert bench.outcomes() == ["completed", "interrupted"]
    assert bench.view.closed == 1
    assert bench.store.failed() == set()


def test_a_second_ctrl_c_ends_them_at_once(bench: Bench) -> None:
    executor = FakeExecutor(interrupt, polls=1000, interrupt_polls=[1, 3])
    assert bench.run(executor, runs_of(1)) == Summary(interrupted=True)
    assert executor.polled == 3
    assert executor.stops == [False, True]
    assert bench.view.closed == 1


def test_a_worker_that_a_debugger_holds_is_not_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOPPED_SECONDS", 0.05)
    held, other = runs_of(2)
    executor = FakeExecutor(interrupt, slots=2, polls=10**9, interrupt_polls=[1])
    executor.held = {held.run_id}

    def cancel(handles: Sequence[Handle], *, kill: bool) -> None:
        if kill:
            assert [executor.handles[handle] for handle in handles] == [held.run_id]
            executor.running = {held.run_id: (0, -signal.SIGKILL), other.run_id: (0, EXIT_INTERRUPTED)}

    monkeypatch.setattr(executor, "cancel", cancel)
    assert bench.run(executor, [held, other]) == Summary(interrupted=True)
    assert bench.attempts(held)[-1] == "interrupted"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SystemExit(), ZeroDivisionError()])
def test_whatever_ends_the_runner_no_worker_is_left(
    bench: Bench, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    executor = FakeExecutor(interrupt, polls=2)
    monkeypatch.setattr(Scheduler, "_kill_overdue", fail)
    with pytest.raises(type(error)):
        bench.run(executor, runs_of(1))
    assert executor.stops == [False]
    assert not executor.running


@pytest.mark.parametrize("status", [-signal.SIGTERM, -signal.SIGKILL])
def test_what_our_own_signal_ends_is_interrupted(bench: Bench, status: int) -> None:
    # SIGTERM meets a worker that still imports, and notes no signals yet
    def ended_by_us(folder: RunFolder, job: Job) -> int:
        return status

    [run] = runs_of(1)
    for _ in range(4):  # more often than it may vanish
        executor = FakeExecutor(ended_by_us, polls=2, interrupt_polls=[1])
        assert bench.run(executor, [run]) == Summary(interrupted=True)
        assert bench.outcomes() == ["interrupted"]
        assert bench.attempts(run)[-1] == "interrupted"
    assert bench.store.failed() == set()


def test_what_a_second_ctrl_c_kills_is_interrupted(bench: Bench) -> None:
    [run] = runs_of(1)
    for _ in range(4):
        bench.run(FakeExecutor(vanish, polls=1000, interrupt_polls=[1, 3]), [run])
    assert bench.attempts(run) == ["start", "interrupted"] * 4
    assert bench.run(FakeExecutor(complete), [run]) == Summary(completed=1)


def test_an_interrupted_suite_goes_on(bench: Bench) -> None:
    runs = runs_of(2)
    bench.run(FakeExecutor(interrupt, polls=2, interrupt_polls=[1]), runs)
    assert bench.run(FakeExecutor(complete), runs) == Summary(completed=2)


def test_a_ctrl_c_that_leaves_nothing_undone_is_none(bench: Bench) -> None:
    assert bench.run(FakeExecutor(complete, polls=2, interrupt_polls=[1]), runs_of(1)) == Summary(completed=1)


# ------------------------------------------------------------------ the deadline


def later(seconds: float) -> float:
    return time.monotonic() + seconds


def test_at_the_deadline_every_run_saves(bench: Bench) -> None:
    runs = runs_of(4)
    executor = FakeExecutor(complete, interrupt, slots=2, polls=10**9)

    def end_them(handles: Sequence[Handle], *, kill: bool) -> None:
        executor.cancels.append(([], kill))
        executor.running = {name: (0, status) for name, (_, status) in executor.running.items()}

    executor.cancel = end_them  # type: ignore[method-assign]
    summary = bench.run(executor, runs, deadline=later(0.2))
    assert summary == Summary(completed=1, interrupted=True, out_of_time=True)
    assert executor.started == [run.run_id for run in runs[:2]]
    assert executor.stops == [False]
    assert bench.outcomes() == ["completed", "interrupted"]
    assert bench.store.failed() == set()
    assert bench.view.closed == 1
    assert bench.run(FakeExecutor(complete), runs[1:]) == Summary(completed=3)


def test_before_the_deadline_nothing_is_stopped(bench: Bench) -> None:
    executor = FakeExecutor(complete)
    assert bench.run(executor, runs_of(2), deadline=later(600)) == Summary(completed=2)
    assert executor.stops == []


def test_what_ends_by_itself_at_the_deadline_is_done(bench: Bench) -> None:
    executor = FakeExecutor(complete, polls=10**9)

    def end_them(handles: Sequence[Handle], *, kill: bool) -> None:
        executor.running.update(dict.fromkeys(executor.running, (0, 0)))

    executor.cancel = end_them  # type: ignore[method-assign]
    summary = bench.run(executor, runs_of(1), deadline=later(0.1))
    assert (summary.completed, summary.interrupted) == (1, False)


def test_after_the_deadline_nothing_starts(bench: Bench) -> None:
    executor = FakeExecutor(complete)
    assert bench.run(executor, runs_of(2), deadline=later(-1)) == Summary(interrupted=True, out_of_time=True)
    assert executor.started == []
    assert bench.run(executor, [], deadline=later(-1)) == Summary()


# ------------------------------------------------------------------ with real workers


@pytest.mark.usefixtures("own_process")
def test_real_workers_beside_each_other_and_alone(bench: Bench, tmp_path: Path) -> None:
    sfe = Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True)
    too_fast = spec_of().schedule.model_copy(update={"learning_rate": 1e6})
    runs = [planned(spec_of()), planned(spec_of(sfe)), planned(spec_of().model_copy(update={"schedule": too_fast}))]
    lines: list[str] = []
    executor = LocalExecutor(chosen_device("cpu"), {None: 1000}, usable_cores(), jobs=2)
    needs = Needs(executor.describe(), PACE)
    scheduler = Scheduler(executor, bench.store, bench.places, PlainView(lines.append, every_s=1e9), needs)
    summary = scheduler.run(runs)

    assert summary == Summary(completed=2, failed={runs[2].run_id: "diverged"})
    failure = bench.store.load_failure(runs[2].run_id).failure
    assert failure is not None
    assert failure.reason.startswith("DivergedError: ")
    assert any("DivergedError" in line for line in failure.log_tail)
    assert "DivergedError" in Path(failure.log_file).read_text()
    assert [line.split()[:2] for line in lines[:2]] == [["started", run.run_id] for run in runs[:2]]
    assert sorted(line.split()[0] for line in lines) == ["completed"] * 2 + ["diverged"] + ["started"] * 3
    assert "(3/3 runs, 100 %" in lines[-1]

    for run in runs[:2]:
        folder = RunFolder(tmp_path / "alone" / run.run_id)
        store = Store(tmp_path / "alone-results")
        job = RunFolder(bench.places.runs / run.run_id).job()
        folder.order(Job(**{**job.model_dump(), "spec": run.spec, "results_folder": str(store.folder)}))
        assert worker.main([str(folder.folder)]) == 0
        alone, beside = store.load(run.run_id), bench.store.load(run.run_id)
        assert beside.metrics == alone.metrics
        assert beside.history == alone.history
        assert beside.provenance.data_digest == alone.provenance.data_digest


def test_at_the_deadline_a_real_worker_saves_and_later_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of()
    run = planned(spec.model_copy(update={"schedule": spec.schedule.model_copy(update={"epochs": 5000})}))
    folder = RunFolder(bench.places.runs / run.run_id)

    def until_it_says_how_far_it_is() -> Summary:
        (folder.folder / "progress.json").unlink(missing_ok=True)  # of an earlier attempt
        executor = LocalExecutor(chosen_device("cpu"), {None: 1000}, usable_cores(), jobs=1)
        scheduler = Scheduler(executor, bench.store, bench.places, view := FakeView(), Needs(executor.describe(), PACE))
        monkeypatch.setattr(view, "moved", lambda *_: setattr(scheduler, "deadline", 0))
        return scheduler.run([run])

    for words in ("start", "resumed at epoch"):
        assert until_it_says_how_far_it_is() == Summary(interrupted=True, out_of_time=True)
        assert folder.checkpoint.exists()
        assert words in folder.log.read_text()
    assert bench.attempts(run) == ["start", "interrupted"] * 2
    assert (bench.store.completed(), bench.store.failed()) == (set(), set())
