"""``list``, ``plan`` and ``status``: what there is, what would run, what has run. None takes a second."""

import dataclasses
import json
from pathlib import Path

import click

from benchmark.cli.common import (
    check_graphs,
    data_option,
    headline,
    image_cache,
    json_option,
    load,
    only_option,
    profile_option,
    reports_option,
    results_option,
    run_folders,
    say,
    scratch_option,
    set_option,
    suites_argument,
    trials_option,
)
from benchmark.execution.status import TimeLeft, claims_reported, count_states, failures, open_runs
from benchmark.planning.disk import disk_needs, in_words
from benchmark.planning.estimates import GPU_MEMORY_BASIS, MEMORY_BASIS, device_memory_gib
from benchmark.planning.measured import pace_of
from benchmark.planning.plan import Plan, make_plan
from benchmark.results.store import Store
from benchmark.suites.manifest import PAPER_SUITES, find_manifests, load_manifest, suite_names
from benchmark.suites.profiles import load_variant
from benchmark.system.hardware import Device, chosen_device, gpus
from benchmark.wording import counted, duration


@click.command("list")
@json_option
def list_suites(form: str) -> None:
    """The suites there are."""
    manifests = [load_manifest(path) for path in find_manifests(suite_names())]
    if form == "json":
        click.echo(json.dumps([{"suite": m.suite, "title": m.title, "source": m.source} for m in manifests], indent=1))
        return
    for manifest in manifests:
        click.echo(f"{manifest.suite:<10} {manifest.title}")


@click.command()
@suites_argument
@profile_option
@only_option
@trials_option
@set_option
@results_option
@reports_option
@scratch_option
@data_option
@click.option("--graphs/--no-graphs", help="Estimate what `run --graphs` takes.")
@json_option
def plan(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    data_dir: Path | None,
    graphs: bool,
    form: str,
) -> None:
    """What would run, what is shared between cells, what is done, what it takes.

    Time is estimated from what was measured on this machine's device: runs under way, a `bench` in --reports-dir,
    completed results; else from a table measured elsewhere. The last line says which. Disk space is that of the
    open runs: images, checkpoints of those at once, results; and what of it is there.
    """
    device = chosen_device()
    loaded, store = load(suites, load_variant(profile, settings), results_dir, device.name)
    made = make_plan(loaded, store.completed(), only=only, trials=trials)
    if graphs:
        check_graphs(device.kind, any(planned.spec.numerics.compiled for planned in made.missing))
    left = _time_left(made, store, run_folders(scratch_dir, store), device, reports_dir / "bench", graphs=graphs)
    pace, memory = left.pace, GPU_MEMORY_BASIS if left.pace.gpu else MEMORY_BASIS
    basis = f"{pace.basis(planned.spec for planned in made.runs)}; {memory}"
    needs = disk_needs(
        made,
        at_once=left.at_once,
        data_dir=data_dir,
        cache_dir=image_cache(scratch_dir),
        run_folders=run_folders(scratch_dir, store),
        results=store.folder,
    )
    if form == "json":
        disk = {need.what: {"bytes": need.whole, "there": need.there, "unknown": need.unknown} for need in needs}
        times = {"seconds_missing": left.core_seconds(), "seconds_left": left.seconds(), "at_once": left.at_once}
        estimate = {"device": device.name, "basis": basis, **times}
        tree = {**made.as_json(pace), "estimate": estimate, "disk": disk, "device": dataclasses.asdict(device)}
        click.echo(json.dumps(tree, indent=1))
        return
    for planned in made.runs:
        readers = ", ".join(f"{cell.suite}: {cell.row} / {cell.column}" for cell in planned.cells)
        gib = device_memory_gib(planned.spec, gpu=pace.gpu, graphs=graphs)
        takes = f"{_time(pace.seconds(planned.spec))}, {gib:.1f} GiB"
        click.echo(f"{'done' if planned.done else 'to do':<6} {planned.run_id}  {takes}  ({readers})")
    click.echo(f"{headline(loaded, made)}; {device}")
    if left.runs and (seconds := left.core_seconds()) is not None:
        hours = f"{seconds / 3600:,.{0 if seconds > 36_000 else 1}f} {'GPU' if pace.gpu else 'core'}-hours"
        runs = counted(left.at_once, "run")
        click.echo(f"what is missing takes about {hours}, {duration(left.seconds())} with {runs} at once")
    if made.missing:
        click.echo(in_words(needs))
    click.echo(f"estimates for {pace.device}: {basis}")


@click.command()
@suites_argument
@profile_option
@trials_option
@set_option
@results_option
@reports_option
@scratch_option
@json_option
def status(
    suites: tuple[str, ...],
    profile: str,
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    form: str,
) -> None:
    """How far each suite is: done, running, interrupted, failed, missing; and why runs failed."""
    loaded, store = load(suites, load_variant(profile, settings), results_dir)
    folders = run_folders(scratch_dir, store)
    plans = {suite.name: make_plan([suite], store.completed(), trials=trials) for suite in loaded}
    states = {name: count_states(made, store, folders) for name, made in plans.items()}
    together = make_plan(loaded, store.completed(), trials=trials)
    time_left = _time_left(together, store, folders, chosen_device(), reports_dir / "bench")
    left = {name: time_left.seconds(run.run_id for run in made.runs) for name, made in plans.items()}
    failed = {name: failures(made, store, folders) for name, made in plans.items()}
    if form == "json":
        tree = {name: {**states[name], "seconds_left": left[name], "failures": failed[name]} for name in plans}
        click.echo(json.dumps(tree, indent=1))
        return
    columns = list(next(iter(states.values())))
    click.echo(f"{'suite':<12}" + "".join(f"{name:>13}" for name in columns) + f"{'time left':>13}")
    for name, counts in states.items():
        click.echo(f"{name:<12}" + "".join(f"{counts[column]:>13}" for column in columns) + f"{_time(left[name]):>13}")
    for name, reason in {name: why for each in failed.values() for name, why in each.items()}.items():
        say(f"failed: {name}: {reason}")
    if len(loaded) > 1:  # suites share runs: what is left of all is less than the sum
        click.echo(f"{headline(loaded, together)}; time left {_time(time_left.seconds())}")
    if time_left.runs:
        basis = time_left.pace.basis(run.spec for run in time_left.runs.values())
        click.echo(f"time left with {counted(time_left.at_once, 'run')} at once: {basis}")
    of_the_paper = any(suite.name in PAPER_SUITES for suite in loaded)
    if of_the_paper and (line := claims_reported(loaded[0].variant, reports_dir)):
        say(line)


def _time_left(
    made: Plan, store: Store, folders: Path, device: Device, benches: Path, *, graphs: bool = False
) -> TimeLeft:
    """Of a plan's open runs, by all that was measured on their device."""
    specs = [planned.spec for planned in made.runs]
    gpu = device.kind == "cuda"
    pace = pace_of(device.name, gpu=gpu, graphs=graphs, benches=benches, results=store.folder, specs=specs)
    return TimeLeft.of(pace, open_runs(made, store, folders), len(gpus()) if gpu else 0)


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)
