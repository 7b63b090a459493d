"""``run``: train what is missing, then write the reports."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from benchmark.cli.checks import check_graphs, check_precision, name_code
from benchmark.cli.folders import image_cache, load, require_usable, require_writable, run_folders
from benchmark.cli.options import (
    MINUTES,
    count,
    data_option,
    only_option,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    trials_option,
)
from benchmark.cli.output import headline, say, shown, write_reports
from benchmark.errors import OtherCodeError, UserError
from benchmark.planning.plan import make_plan, taken_up
from benchmark.results.code import require_same, this_code
from benchmark.results.store import Status, Store
from benchmark.suites.profiles import load_variant
from benchmark.system import signals
from benchmark.system.files import sweep
from benchmark.system.hardware import chosen_device
from benchmark.system.packages import require_packages

if TYPE_CHECKING:
    from benchmark.execution.scheduler import Summary


@click.command()
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...")
@profile_option
@only_option
@trials_option
@set_option
@data_option
@results_option
@reports_option
@scratch_option
@click.option("--executor", type=click.Choice(["local"]), default="local", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--jobs", type=count(most=1024), help="Runs at once; default: as many as fit.")
@click.option("--runs-per-gpu", type=count(most=64), default=1, show_default=True)
@click.option("--timeout-min", type=MINUTES, help="Minutes for a run's training, and for an attempt.")
@click.option("--budget-min", type=MINUTES, help="Minutes for all of it; then every run saves its state and stops.")
@click.option("--graphs/--no-graphs", help="Record a training's step once and replay it: same digits, GPUs only; off.")
@click.option("--retry-failed", is_flag=True, help="Try the failed runs again, and only those.")
def run(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    settings: tuple[str, ...],
    data_dir: Path | None,
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    executor: str,
    device: str,
    jobs: int | None,
    runs_per_gpu: int,
    timeout_min: float | None,
    budget_min: float | None,
    graphs: bool,
    retry_failed: bool,
) -> None:
    """Train what is missing of some suites, then write their reports.

    SUITE is table1 … table7, figure4, all (these eight), figure1, precision, or the path of a manifest.
    """
    deadline = time.monotonic() + 60 * budget_min if budget_min else math.inf
    from benchmark.audit.verify import unreadable
    from benchmark.execution.executors.local import LocalExecutor
    from benchmark.execution.preparation import prepare_data, warnings
    from benchmark.execution.progress import make_view
    from benchmark.execution.scheduler import Places, Scheduler
    from benchmark.planning.measured import pace_of

    name_code()  # before the data is prepared: somebody may change it meanwhile
    chosen = chosen_device(device)  # before anything is written or moved
    loaded, store = load(suites, load_variant(profile, settings), results_dir, chosen.name)
    plan = make_plan(loaded, store.completed(), only=only, trials=trials)
    damaged = unreadable(store, [planned.run_id for planned in plan.runs])
    lost = {found.path.stem for found in damaged if found.path.parent == store.folder}
    plan = make_plan(loaded, store.completed() - lost, only=only, trials=trials)
    check_precision(chosen.kind, [planned.spec.numerics.precision for planned in plan.missing])
    if graphs:
        check_graphs(chosen.kind, any(planned.spec.numerics.compiled for planned in plan.missing))
    places = Places(runs=run_folders(scratch_dir, store), cache=image_cache(scratch_dir), data=data_dir)
    reports = reports_dir / loaded[0].variant.reports_name
    require_usable(
        {
            "results": store.folder,
            "failures": store.failures_folder,
            "locks": store.locks_folder,
            "checkpoints and logs": places.runs,
            "packed images": places.cache,
            "reports": reports,
        }
    )
    failed = store.failed() - {found.path.stem for found in damaged if found.path.parent == store.failures_folder}
    wanted, waiting = taken_up(plan.missing, failed, retry_failed=retry_failed)
    if wanted:
        require_packages()
    prepare_data(wanted, data_dir, places.cache)
    for warning in warnings(plan.runs, store, data_dir, places.cache):
        say(f"warning: {warning}", err=True)
    store.check_writable()
    require_writable(scratch_dir, "checkpoints and logs")
    require_writable(reports, "reports")
    sweep([store.folder, store.failures_folder, reports, *(places.runs / planned.run_id for planned in plan.runs)])
    for found in damaged:
        if target := store.set_aside(found.path):
            say(f"damaged, set aside as {shown(target)}: {found.problem}", err=True)
    click.echo(f"{headline(loaded, plan)}; {chosen}")
    threads = max((planned.spec.numerics.threads for planned in plan.runs), default=1)
    engine = LocalExecutor.on_this_machine(device=chosen.kind, jobs=jobs, threads=threads, runs_per_gpu=runs_per_gpu)
    pace = pace_of(
        chosen.name,
        gpu=chosen.kind == "cuda",
        graphs=graphs,
        benches=reports_dir / "bench",
        results=store.folder,
        specs=[planned.spec for planned in plan.missing],
    )
    scheduler = Scheduler(
        engine, store, places, make_view(click.echo), pace, timeout_min=timeout_min, deadline=deadline, graphs=graphs
    )
    with signals.held():  # an exception where a worker is being started would lose it
        summary = scheduler.run(wanted, waiting=waiting)
    reported = _report(summary, lambda: write_reports(loaded, store, reports_dir, trials, click.echo, places.cache))
    _name_failures(summary, store)
    if summary.obstacle:
        say(f"error: {summary.obstacle}", err=True)
    untried = {planned.run_id for planned in plan.missing} - store.completed() - summary.failed.keys()
    if retry_failed and untried and not summary.interrupted:
        click.echo(f"{len(untried)} runs are missing still; without --retry-failed they are trained.", err=True)
    if summary.interrupted:
        why = f"The {budget_min:g} minutes of --budget-min are over" if summary.out_of_time else "Interrupted"
        click.echo(f"{why}; the same command goes on from here.", err=True)
        sys.exit(signals.EXIT_INTERRUPTED)
    sys.exit(1 if summary.failed or summary.left or not reported else 0)


def _report(summary: "Summary", write: Callable[[], None]) -> bool:
    """Write reports, unless the code that makes them, which is not loaded yet, is no longer that which trained."""
    try:
        require_same(this_code())
    except OtherCodeError as error:
        summary.obstacle = f"no reports are written: {error}"
        return False
    try:
        write()
    except (UserError, OSError) as error:  # the input was not bad, and the results are there
        why = (
            str(error) if isinstance(error, UserError) else f"{error.filename or 'reports'}: {error.strerror or error}"
        )
        summary.obstacle = f"the reports can't be written, `report` makes them of the results: {why}"
        return False
    return True


def _name_failures(summary: "Summary", store: Store) -> None:
    from benchmark.execution.status import why_failed

    recorded = {name for name, outcome in summary.failed.items() if outcome in get_args(Status)}
    for name, outcome in summary.failed.items():  # a full disk keeps no record, and maybe one of before
        reason = f"{why_failed(store, name)}; see {shown(store.failures_folder / f'{name}.json')}"
        say(f"failed: {name}: {reason if name in recorded else outcome}", err=True)
    if recorded:
        click.echo("--retry-failed tries just the failed runs again.", err=True)
