"""A command's request, all the way to results: load, plan, look, prepare, train."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.audit.verify import Finding, unreadable
from benchmark.data.cache import sweep_packs
from benchmark.errors import UserError
from benchmark.execution.checks import check_graphs, check_precision
from benchmark.execution.executors.contract import Executor, Site
from benchmark.execution.fleet import Clock
from benchmark.execution.needs import Needs
from benchmark.execution.places import Places, image_cache, load, require_usable, require_writable, run_folders
from benchmark.execution.preparation import prepare_data, warnings
from benchmark.execution.progress import View
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.summary import Summary
from benchmark.planning.measured import memory_of, pace_of
from benchmark.planning.plan import Plan, PlannedRun, headline, make_plan, runs_to_train
from benchmark.planning.shards import Shard
from benchmark.results.store import Store
from benchmark.runs.spec import CostSpec
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite
from benchmark.system import signals
from benchmark.system.files import shown, sweep
from benchmark.system.packages import require_packages

#: What stands for a device of which nobody knows the model.
UNKNOWN_DEVICE = "unknown"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody wants trained, and where everything lies.

    Attributes:
        suites: names of suites, or paths of manifests.
        variant: the profile with its settings.
        only: globs over row and column names; without any everything.
        trials: seeds an entry; None for the suites' own number.
        shard: the part of all that; None for the whole.
        data_dir: the publishers' files; None where nobody said.
        results_dir: results, of all profiles.
        reports_dir: reports of all profiles; benches are read there.
        scratch_dir: checkpoints, logs, packed images.
        runs_per_gpu: how many share a GPU; None for as many as its memory holds.
        timeout_min: minutes that a run's training, and each attempt, may take; None for no bound.
        deadline: when every run saves and ends, of :func:`time.monotonic`.
        graphs: have trainings replay recorded steps.
        retry_failed: train the failed runs again, and only those.
        again: train all of them, those with a result too, which is set aside.
        keep_weights: where final weights go; None where nobody wants them.
    """

    suites: tuple[str, ...]
    variant: Variant
    only: Sequence[str] = ()
    trials: int | None = None
    shard: Shard | None = None
    data_dir: Path | None = None
    results_dir: Path
    reports_dir: Path
    scratch_dir: Path
    runs_per_gpu: int | None = 1
    timeout_min: float | None = None
    deadline: float = math.inf
    graphs: bool = False
    retry_failed: bool = False
    again: bool = False
    keep_weights: Path | None = None

    @property
    def reports(self) -> Path:
        """Where reports of this request are written."""
        return self.reports_dir / self.variant.reports_name


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        suites: as they were resolved for the site's device.
        store: with what was trained.
        untried: runs without a result that were not taken up, nor have failed.
        summary: how the training ended.
    """

    suites: list[Suite]
    store: Store
    untried: int
    summary: Summary


def drive(
    request: Request,
    executor: Executor,
    watch: Callable[[], View],
    tell: Callable[[str], object],
    warn: Callable[[str], object],
    clock: Clock | None = None,
) -> Outcome:
    """Train what is missing of a request.

    Args:
        request: what is wanted.
        executor: where workers run.
        watch: makes whoever sees runs start and end, once there is something to see.
        tell: says a line of what is done.
        warn: says a line of what somebody should know.
        clock: what time it is for runs and the engine.

    Raises:
        UserError: bad input; nothing was written.
        UnusableError: nothing can be trained as things are, and nothing was begun.
    """
    site = executor.describe()  # before anything is written or moved
    suites, store = load(request.suites, request.variant, request.results_dir, site.device or UNKNOWN_DEVICE)
    plan, damaged = _sound_plan(request, suites, store)
    places = Places(
        runs=run_folders(request.scratch_dir, store),
        cache=image_cache(request.scratch_dir),
        data=request.data_dir,
        weights=request.keep_weights,
    )
    needs = _needs(request, site, plan, store)
    _refuse(request, executor, needs, plan, warn)
    failed = store.failed() - {found.path.stem for found in damaged if found.path.parent == store.failures_folder}
    failed = set() if request.again else failed
    wanted, waiting = runs_to_train(plan.missing, failed, retry_failed=request.retry_failed)
    _prepare(request, plan, wanted, store, places, warn)
    for found in damaged:
        if target := store.set_aside(found.path):
            warn(f"damaged, set aside as {shown(target)}: {found.problem}")
    for planned in plan.missing if request.again else ():
        if target := store.replace(planned.run_id):
            tell(f"set aside as {shown(target)}")
    if request.keep_weights and len(plan.missing) < len(plan.runs):
        warn("warning: runs that are done leave no weights; `redo` trains them again")
    part = f"shard {request.shard}: " if request.shard else ""
    tell(f"{part}{headline(suites, plan)}; {site.where}")
    scheduler = Scheduler(
        executor,
        store,
        places,
        watch(),
        needs,
        timeout_min=request.timeout_min,
        deadline=request.deadline,
        clock=clock,
    )
    with signals.held():  # an exception where a worker is being started would lose it
        summary = scheduler.run(wanted, waiting=waiting)
    untried = {planned.run_id for planned in plan.missing} - store.completed() - summary.failed.keys()
    return Outcome(suites, store, len(untried), summary)


def _sound_plan(request: Request, suites: Sequence[Suite], store: Store) -> tuple[Plan, list[Finding]]:
    """What is missing where damaged results do not count, and which those are."""
    completed = set() if request.again else store.completed()
    plan = _plan(request, suites, completed)
    damaged = unreadable(store, [planned.run_id for planned in plan.runs])
    lost = {found.path.stem for found in damaged if found.path.parent == store.folder}
    return _plan(request, suites, completed - lost), damaged


def _plan(request: Request, suites: Sequence[Suite], completed: set[str]) -> Plan:
    whole = make_plan(suites, completed, only=request.only, trials=request.trials)
    return request.shard.of_plan(whole) if request.shard else whole


def _needs(request: Request, site: Site, plan: Plan, store: Store) -> Needs:
    specs = [planned.spec for planned in plan.missing]
    gpu, graphs = site.kind == "cuda", request.graphs
    pace = pace_of(
        site.device or UNKNOWN_DEVICE,
        gpu=gpu,
        graphs=graphs,
        benches=request.reports_dir / "bench",
        results=store.folder,
        specs=specs,
    )
    measured = memory_of(store, specs, gpu=gpu, graphs=graphs)
    return Needs(site, pace, graphs, request.runs_per_gpu, measured)


def _refuse(request: Request, executor: Executor, needs: Needs, plan: Plan, warn: Callable[[str], object]) -> None:
    """Find out that a request can't be met before anything is written.

    Raises:
        UserError: it can't; the message says why.
    """
    kind, specs = needs.site.kind, [planned.spec for planned in plan.missing]
    check_precision(kind, [spec.numerics.precision for spec in specs], warn)
    if request.graphs:
        check_graphs(kind, any(spec.numerics.compiled for spec in specs))
    if needs.site.device is None and any(isinstance(spec, CostSpec) for spec in specs):
        raise UserError("cost runs name the device that they measure, and nobody knows it of this site")
    if objections := executor.objections([needs.of(spec) for spec in specs]):
        raise UserError("; ".join(dict.fromkeys(objections)))


def _prepare(
    request: Request,
    plan: Plan,
    wanted: Sequence[PlannedRun],
    store: Store,
    places: Places,
    warn: Callable[[str], object],
) -> None:
    """Have everything there that workers need, images above all."""
    require_usable(
        {
            "results": store.folder,
            "failures": store.failures_folder,
            "locks": store.locks_folder,
            "checkpoints and logs": places.runs,
            "packed images": places.cache,
            "reports": request.reports,
            **({"weights": request.keep_weights} if request.keep_weights else {}),
        }
    )
    if wanted:
        require_packages()
    prepare_data(wanted, request.data_dir, places.cache)
    for warning in warnings(plan.runs, store, request.data_dir, places.cache):
        warn(f"warning: {warning}")
    store.check_writable()
    require_writable(request.scratch_dir, "checkpoints and logs")
    require_writable(request.reports, "reports")
    if request.keep_weights:
        require_writable(request.keep_weights, "weights")
    folders = [places.runs / planned.run_id for planned in plan.runs]
    sweep([store.folder, store.failures_folder, request.reports, *folders])
    sweep_packs(places.cache)
