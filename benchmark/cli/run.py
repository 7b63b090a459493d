"""``run``: train what is missing, then write the reports."""

import functools
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from benchmark.cli.options import (
    FILE,
    FOLDER,
    MINUTES,
    PER_GPU,
    complete_suites,
    count,
    data_option,
    device_option,
    only_option,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    shard_option,
    trials_option,
)
from benchmark.cli.output import name_code, row, say, write_reports
from benchmark.cli.plan import plan
from benchmark.errors import OtherCodeError, UserError, reason_of
from benchmark.execution.executors.choice import ENGINES
from benchmark.execution.places import image_cache, run_folders, store_of
from benchmark.results.code import require_same, this_code
from benchmark.results.store import Status, Store
from benchmark.suites.profiles import load_variant
from benchmark.system import signals
from benchmark.system.files import shown
from benchmark.system.processes import in_background
from benchmark.wording import counted

if TYPE_CHECKING:
    from benchmark.execution.driver import Outcome
    from benchmark.execution.progress import View
    from benchmark.execution.summary import Summary
    from benchmark.planning.shards import Shard


@click.command()
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...", shell_complete=complete_suites)
@profile_option
@only_option
@trials_option
@shard_option
@set_option
@data_option
@results_option
@reports_option
@scratch_option
@click.option(
    "--executor", type=click.Choice(ENGINES), default="local", show_default=True, help="Where runs are placed."
)
@click.option("--executor-config", type=FILE, help="A YAML file of its settings: see docs/running.md.")
@click.option("--executor-set", multiple=True, metavar="KEY=VALUE", help="One of them; may be repeated.")
@device_option
@click.option("--jobs", type=count(most=1024), help="Runs at once; default: as many as fit.")
@click.option(
    "--runs-per-gpu", type=PER_GPU, default=1, show_default=True, help="A number; auto: as many as its memory holds."
)
@click.option("--timeout-min", type=MINUTES, help="Minutes for a run's training, and for an attempt.")
@click.option("--budget-min", type=MINUTES, help="Minutes for all of it; then every run saves its state and stops.")
@click.option("--graphs/--no-graphs", help="Record a training's step once and replay it: same digits, GPUs only; off.")
@click.option("--detach", is_flag=True, help="Go on in the background once all is checked; `stop` ends it.")
@click.option("--retry-failed", is_flag=True, help="Try the failed runs again, and only those.")
@click.option("--keep-weights", type=FOLDER, metavar="DIR", help="Keep final weights as DIR/RUN_ID.safetensors.")
@click.option("--dry-run", is_flag=True, help="Say what would run, as `plan` does, and write nothing.")
def run(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    shard: "Shard | None",
    settings: tuple[str, ...],
    data_dir: Path | None,
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    executor: str,
    executor_config: Path | None,
    executor_set: tuple[str, ...],
    device: str,
    jobs: int | None,
    runs_per_gpu: int | None,
    timeout_min: float | None,
    budget_min: float | None,
    graphs: bool,
    detach: bool,
    retry_failed: bool,
    keep_weights: Path | None = None,
    dry_run: bool = False,
    again: bool = False,
    then: Callable[["Outcome"], bool] | None = None,
) -> None:
    """Train what is missing of some suites, then write their reports.

    SUITE is table1 … table7, figure4, all (these eight), figure1, precision, or the path of a manifest.
    Results go to RESULTS_DIR/PROFILE, reports to REPORTS_DIR/PROFILE; checkpoints and each run's log to
    SCRATCH_DIR/runs, see `log`. Without --device it takes the GPUs that the driver names, else the processor; it says
    which.

    For example: run_suite.py run table1 --only 'ResNet-110 / SFE - SI' --profile mini --trials 1
    """
    if dry_run:
        context = click.get_current_context()
        context.invoke(plan, **{p.name: context.params[p.name] for p in plan.params if p.name in context.params})
        return
    deadline = time.monotonic() + 60 * budget_min if budget_min else math.inf
    from benchmark.execution.driver import Request, drive
    from benchmark.execution.executors.choice import Choice, make
    from benchmark.execution.progress import make_view

    name_code()  # before the data is prepared: somebody may change it meanwhile
    request = Request(
        suites=suites,
        variant=load_variant(profile, settings),
        only=only,
        trials=trials,
        shard=shard,
        data_dir=data_dir,
        results_dir=results_dir,
        reports_dir=reports_dir,
        scratch_dir=scratch_dir,
        runs_per_gpu=runs_per_gpu,
        timeout_min=timeout_min,
        deadline=deadline,
        graphs=graphs,
        retry_failed=retry_failed,
        again=again,
        keep_weights=keep_weights,
    )
    wanted = Choice(
        engine=executor, device=device, jobs=jobs, leashed=not detach, config=executor_config, changes=executor_set
    )
    engine = make(wanted, scratch_dir)

    def watch() -> "View":
        if detach:
            _go_on_in_background(run_folders(scratch_dir, store_of(request.variant, results_dir)))
        return make_view(row)

    done = drive(request, engine, watch, say, functools.partial(say, err=True))
    summary, store, cache_dir = done.summary, done.store, image_cache(scratch_dir)
    if then is None:
        fine = _report(summary, lambda: write_reports(done.suites, store, reports_dir, trials, say, cache_dir))
    else:
        fine = then(done)
    _name_failures(summary, store)
    if summary.obstacle:
        say(f"error: {summary.obstacle}", err=True)
    if retry_failed and done.untried and not summary.interrupted:
        say(f"{done.untried} runs are missing still; without --retry-failed they are trained.", err=True)
    if summary.interrupted:
        why = f"The {budget_min:g} minutes of --budget-min are over" if summary.out_of_time else "Interrupted"
        say(f"{why}; {'`run` trains what is missing' if again else _how_it_goes_on(summary)}.", err=True)
        sys.exit(signals.EXIT_INTERRUPTED)
    sys.exit(1 if summary.failed or summary.left or not fine else 0)


def _go_on_in_background(runs: Path) -> None:
    """Leave the rest to a process of its own, and end this one."""
    log = runs / "drivers" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    if pid := in_background(log):
        say(f"goes on in the background as process {pid}: {shown(log)}")
        click.echo("`status` says how far it is, `stop` ends it, and the same command goes on with what it leaves.")
        sys.exit(0)


def _how_it_goes_on(summary: "Summary") -> str:
    if summary.going_on:
        workers = counted(summary.going_on, "worker")
        return f"{workers} go on without it: `stop` ends them, the same command takes them up again"
    return "the same command goes on from here"


def _report(summary: "Summary", write: Callable[[], object]) -> bool:
    """Write reports, unless the code that makes them, which is not loaded yet, is no longer that which trained."""
    try:
        require_same(this_code())
    except OtherCodeError as error:
        summary.obstacle = f"no reports are written: {error}"
        return False
    try:
        write()
    except (UserError, OSError) as error:  # the input was not bad, and the results are there
        why = str(error) if isinstance(error, UserError) else f"{error.filename or 'reports'}: {reason_of(error)}"
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
