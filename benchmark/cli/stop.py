"""``stop``: an end for what goes on in the background."""

import sys
from pathlib import Path

import click

from benchmark.cli.options import profile_option, results_option, scratch_option, set_option
from benchmark.cli.output import say
from benchmark.execution.places import run_folders, store_of
from benchmark.suites.profiles import load_variant
from benchmark.wording import counted, some


@click.command()
@profile_option
@set_option
@results_option
@scratch_option
def stop(profile: str, settings: tuple[str, ...], results_dir: Path, scratch_dir: Path) -> None:
    """End all that is at work on a profile's results, whoever started it: every worker saves its state.

    What is queued never starts. The same `run` goes on from there. Ends with 1 where a worker is still at it after two
    and a half minutes, or can't be asked from this machine. Checkpoints stay in SCRATCH_DIR/runs.

    For example: run_suite.py stop --profile mini
    """
    from benchmark.execution.stopping import stop as stop_all

    done = stop_all(run_folders(scratch_dir, store_of(load_variant(profile, settings), results_dir)))
    if not done.drivers and not done.workers:
        click.echo("nothing is at work here")
        return
    ended = counted(done.workers - len(done.left), "worker")
    say(f"{ended} saved and ended, {counted(done.drivers, 'command')} stopped; the same `run` goes on from here")
    if done.left:
        say(f"not ended: {some(done.left)}", err=True)
        sys.exit(1)
