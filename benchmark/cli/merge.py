"""``merge``: bring in the results of another machine."""

import sys
from pathlib import Path

import click

from benchmark.audit.merge import Conflict, differences
from benchmark.audit.merge import merge as merge_results
from benchmark.cli.options import FOLDER, results_option
from benchmark.cli.output import row, say
from benchmark.system.files import shown
from benchmark.wording import counted, one_line


@click.command()
@click.argument("other", type=FOLDER)
@results_option
def merge(other: Path, results_dir: Path) -> None:
    """Bring in the results of OTHER, a results folder of another machine or laboratory.

    They go to RESULTS_DIR; what is here stays as it is. Ends with 1 where a run has other numbers there, or a file
    there is damaged.

    For example: run_suite.py merge ../lab2/results
    """
    done = merge_results(other, results_dir)
    for conflict in done.conflicts:
        _show(conflict)
    for path, reason in done.refused.items():
        say(f"not brought in: {shown(path)}: {reason}", err=True)
    say(
        f"{counted(len(done.added), 'result')} brought in, {done.same} were here already, "
        f"{len(done.conflicts)} in conflict, {len(done.refused)} refused"
    )
    if done.cut_off:
        say("The merge ends here; the same command goes on once there is room.", err=True)
    sys.exit(1 if done.conflicts or done.refused else 0)


def _show(conflict: Conflict) -> None:
    """Both sides of a conflict beside each other."""
    say(f"conflict: {shown(conflict.path)}: the one here stays; to take the other, move this one away first")
    rows = [("", "here", "there"), *(tuple(one_line(text, 120) for text in row) for row in differences(conflict))]
    left, middle = (max(len(row[place]) for row in rows) for place in (0, 1))
    for name, here, there in rows:
        row(f"  {name:<{left}}  {here:<{middle}}  {there}")
