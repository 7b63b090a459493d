"""``list``, ``plan`` and ``status``: what there is, what would run, what has run. None takes a second."""

import dataclasses
import json
from pathlib import Path

import click

from benchmark.cli.common import (
    headline,
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
from benchmark.costs import cost_model
from benchmark.hardware import chosen_device, cores
from benchmark.manifest import PAPER_SUITES, find_manifests, load_manifest, suite_names
from benchmark.plan import make_plan
from benchmark.profiles import load_variant
from benchmark.status import claims_reported, count_states, failures, seconds_left, speeds
from benchmark.wording import duration


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
@json_option
def plan(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    form: str,
) -> None:
    """What would run, what is shared between cells, what is done, what it takes.

    Time and memory are estimated from a `bench` of this machine's device in --reports-dir, else from a table
    measured elsewhere.
    """
    device = chosen_device()
    loaded, store = load(suites, load_variant(profile, settings), results_dir, device.name)
    made = make_plan(loaded, store.completed(), only=only, trials=trials)
    gpu = device.kind == "cuda"
    model = cost_model(device.name, gpu=gpu, benches=reports_dir / "bench")
    if form == "json":
        click.echo(json.dumps({**made.as_json(model), "device": dataclasses.asdict(device)}, indent=1))
        return
    for planned in made.runs:
        readers = ", ".join(f"{cell.suite}: {cell.row} / {cell.column}" for cell in planned.cells)
        takes = f"{_time(model.seconds(planned.spec))}, {model.memory_gib(planned.spec):.1f} GiB"
        click.echo(f"{'done' if planned.done else 'to do':<6} {planned.run_id}  {takes}  ({readers})")
    click.echo(f"{headline(loaded, made)}; {device}")
    if made.missing and (seconds := made.seconds(model)) is not None:
        share = "GPU-hours" if gpu else f"core-hours, {duration(seconds / cores())} on this machine's {cores()} cores"
        click.echo(f"what is missing takes about {seconds / 3600:,.{0 if seconds > 36_000 else 1}f} {share}")
    click.echo(f"estimates for {model.device}: {model.basis}")


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
    done = speeds(together, store)
    left = {name: seconds_left(made, store, folders, done) for name, made in plans.items()}
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
        click.echo(f"{headline(loaded, together)}; time left {_time(seconds_left(together, store, folders, done))}")
    of_the_paper = any(suite.name in PAPER_SUITES for suite in loaded)
    if of_the_paper and (line := claims_reported(loaded[0].variant, reports_dir)):
        say(line)


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)
