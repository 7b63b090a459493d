"""``status``: what has run, and what is left. It takes no second itself."""

import json
from pathlib import Path

import click

from benchmark.cli.options import (
    device_option,
    json_option,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    suites_argument,
    trials_option,
)
from benchmark.cli.output import row, say
from benchmark.cli.time_left import time_in_words, time_left_of
from benchmark.execution.places import load, run_folders
from benchmark.execution.standing import standings
from benchmark.execution.status import claims_reported, count_states, failures
from benchmark.planning.plan import headline, make_plan
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.profiles import load_variant
from benchmark.system.hardware import chosen_device
from benchmark.wording import counted


@click.command()
@suites_argument
@profile_option
@trials_option
@set_option
@results_option
@reports_option
@scratch_option
@device_option
@click.option("--runs/--no-runs", default=True, show_default=True, help="A line for each run that has begun.")
@json_option
def status(
    suites: tuple[str, ...],
    profile: str,
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    device: str,
    runs: bool,
    form: str,
) -> None:
    """How each run stands, its accuracy, duration and device; how far each suite is, and why runs failed.

    Read from RESULTS_DIR and the runs' folders below SCRATCH_DIR; nothing is written.

    For example: run_suite.py status table1 table7 --profile mini
    """
    chosen = chosen_device(device)
    loaded, store = load(suites, load_variant(profile, settings), results_dir, chosen.name)
    folders = run_folders(scratch_dir, store)
    plans = {suite.name: make_plan([suite], store.completed(), trials=trials) for suite in loaded}
    states = {name: count_states(made, store, folders) for name, made in plans.items()}
    together = make_plan(loaded, store.completed(), trials=trials)
    time_left = time_left_of(together, store, folders, chosen, reports_dir / "bench")
    left = {name: time_left.seconds(run.run_id for run in made.runs) for name, made in plans.items()}
    failed = {name: failures(made, store, folders) for name, made in plans.items()}
    every = {one.run_id: one for one in standings(together, store, folders)} if runs or form == "json" else {}
    if form == "json":
        tree = {
            name: {
                **states[name],
                "seconds_left": left[name],
                "failures": failed[name],
                "each": [every[run.run_id].as_json() for run in made.runs],
            }
            for name, made in plans.items()
        }
        click.echo(json.dumps(tree, indent=1))
        return
    for one in every.values():
        if one.state != "missing":
            row(one.in_words())
    columns = list(next(iter(states.values())))
    row(f"{'suite':<12}" + "".join(f"{name:>13}" for name in columns) + f"{'time left':>13}")
    for name, counts in states.items():
        row(f"{name:<12}" + "".join(f"{counts[column]:>13}" for column in columns) + f"{time_in_words(left[name]):>13}")
    if not runs:
        for name, reason in {name: why for each in failed.values() for name, why in each.items()}.items():
            say(f"failed: {name}: {reason}")
    if len(loaded) > 1:  # suites share runs: what is left of all is less than the sum
        say(f"{headline(loaded, together)}; time left {time_in_words(time_left.seconds())}")
    if time_left.runs:
        basis = time_left.pace.basis(run.spec for run in time_left.runs.values())
        say(f"time left with {counted(time_left.at_once, 'run')} at once: {basis}")
    if any(suite.name in PAPER_SUITES for suite in loaded):
        say(claims_reported(loaded[0].variant, reports_dir))
