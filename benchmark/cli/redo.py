"""``redo``: set results aside and train their runs again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmark.cli.log import looked_up
from benchmark.cli.options import runs_argument, suite_option
from benchmark.cli.run import run
from benchmark.errors import UserError
from benchmark.execution.places import load, store_of
from benchmark.planning.names import runs_named
from benchmark.planning.plan import make_plan
from benchmark.runs.spec import words_and_seed
from benchmark.suites.manifest import suite_names
from benchmark.suites.profiles import Variant, load_variant
from benchmark.suites.suite import Suite
from benchmark.system.hardware import device_name
from benchmark.wording import some

#: Options of ``run`` that say which runs, which here their names do.
WHICH = ("suites", "only", "trials", "shard", "retry_failed", "dry_run")


@click.command()
@runs_argument
@suite_option
def redo(
    runs: tuple[str, ...],
    suites: tuple[str, ...],
    profile: str,
    settings: tuple[str, ...],
    results_dir: Path,
    **options: Any,
) -> None:
    """Train runs again that have a result or have failed, then write the reports of the suites that read them.

    RUN is a part of a run's id that no other has, or ROW / COLUMN as `plan` prints it, which means every trial of that
    cell. What is there goes to RESULTS_DIR/PROFILE/replaced; nothing is deleted. Interrupted, `run` goes on.

    For example: run_suite.py redo 'table1: ResNet-110 / Baseline' --profile mini
    """
    variant = load_variant(profile, settings)
    store = store_of(variant, results_dir)
    there = store.completed() | store.failed()
    names = [name for text in runs for name in runs_named(text, looked_up(text, variant, store, suites), there)]
    readers, trials = asking(names, variant, results_dir, suites)
    paths = tuple(str(suite.path) for suite in readers)
    few = all(suite.trials >= trials for suite in readers)
    chosen = {"suites": paths, "only": tuple(names), "trials": None if few else trials}
    assert run.callback
    options |= {"results_dir": results_dir, "shard": None, "retry_failed": False}
    run.callback(**chosen, **options, profile=profile, settings=settings, again=True)


def asking(names: Sequence[str], variant: Variant, results_dir: Path, suites: Sequence[str]) -> tuple[list[Suite], int]:
    """The suites that ask for some runs, and how many trials they must have to reach them all.

    Raises:
        UserError: no suite asks for one of them.
    """
    trials = 1 + max(words_and_seed(name)[1] or 0 for name in names)
    loaded, _ = load(tuple(suites) or tuple(suite_names()), variant, results_dir, device_name())
    planned = {run.run_id: run for run in make_plan(loaded, set(), trials=trials).runs}
    if unknown := [name for name in names if name not in planned]:
        raise UserError(f"{some(unknown)}: no suite asks for this as it stands; name its manifest with --suite")
    readers = {cell.suite for name in names for cell in planned[name].cells}
    return [suite for suite in loaded if suite.name in readers], trials


redo.params += [option for option in run.params if option.name not in WHICH]
