"""``plan``: what would run, and what it takes. It takes no second itself."""

import dataclasses
import json
from pathlib import Path

import click

from benchmark.cli.options import (
    data_option,
    device_option,
    json_option,
    only_option,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    shard_option,
    suites_argument,
    trials_option,
)
from benchmark.cli.output import row, say
from benchmark.cli.time_left import time_in_words, time_left_of
from benchmark.execution.checks import check_graphs
from benchmark.execution.places import image_cache, load, run_folders
from benchmark.planning.disk import disk_needs, in_words
from benchmark.planning.estimates import GPU_MEMORY_BASIS, MEMORY_BASIS, device_memory_gib
from benchmark.planning.plan import headline, make_plan
from benchmark.planning.shards import Shard
from benchmark.suites.profiles import load_variant
from benchmark.system.hardware import chosen_device
from benchmark.wording import counted, duration


@click.command()
@suites_argument
@profile_option
@only_option
@trials_option
@shard_option
@set_option
@results_option
@reports_option
@scratch_option
@data_option
@device_option
@click.option("--graphs/--no-graphs", help="Estimate what `run --graphs` takes.")
@click.option("--runs", is_flag=True, help="A line a run: its state, its id, what it takes, which cells read it.")
@json_option
def plan(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    shard: Shard | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    data_dir: Path | None,
    device: str,
    graphs: bool,
    runs: bool,
    form: str,
) -> None:
    """What would run, what is shared between cells, what is done, what it takes. Nothing is written.

    Time is estimated from what was measured on the device that `run` would take here: runs under way, a `bench` in
    --reports-dir, completed results; else from a table measured elsewhere. The last line says which. Disk space is
    that of the open runs: images, checkpoints of those at once, results; and what of it is there.

    For example: run_suite.py plan all --runs
    """
    chosen = chosen_device(device)
    loaded, store = load(suites, load_variant(profile, settings), results_dir, chosen.name)
    made = make_plan(loaded, store.completed(), only=only, trials=trials)
    made = shard.of_plan(made) if shard else made
    if graphs:
        check_graphs(chosen.kind, any(planned.spec.numerics.compiled for planned in made.missing))
    left = time_left_of(made, store, run_folders(scratch_dir, store), chosen, reports_dir / "bench", graphs=graphs)
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
        estimate = {"device": chosen.name, "basis": basis, **times}
        tree = {**made.as_json(pace), "estimate": estimate, "disk": disk, "device": dataclasses.asdict(chosen)}
        click.echo(json.dumps(tree, indent=1))
        return
    for planned in made.runs if runs else ():
        readers = ", ".join(f"{cell.suite}: {cell.row} / {cell.column}" for cell in planned.cells)
        gib = device_memory_gib(planned.spec, gpu=pace.gpu, graphs=graphs)
        takes = f"{time_in_words(pace.seconds(planned.spec))}, {gib:.1f} GiB"
        row(f"{'done' if planned.done else 'to do':<6} {planned.run_id}  {takes}  ({readers})")
    say(f"{headline(loaded, made)}; {chosen}")
    if left.runs and (seconds := left.core_seconds()) is not None:
        hours = f"{seconds / 3600:,.{0 if seconds > 36_000 else 1}f} {'GPU' if pace.gpu else 'core'}-hours"
        together = counted(left.at_once, "run")
        say(f"what is missing takes about {hours}, {duration(left.seconds())} with {together} at once")
    if made.missing:
        say(in_words(needs))
    say(f"estimates for {pace.device}: {basis}")
