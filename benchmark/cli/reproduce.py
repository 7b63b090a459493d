"""``reproduce``: train committed runs again, beside them, and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.log import looked_up
from benchmark.cli.options import runs_argument, suite_option
from benchmark.cli.output import row, say
from benchmark.cli.redo import WHICH, asking
from benchmark.cli.run import run
from benchmark.errors import UserError
from benchmark.execution.places import store_of
from benchmark.planning.names import runs_named
from benchmark.results.code import this_code
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import TrainSpec
from benchmark.suites.profiles import load_variant
from benchmark.system.files import shown

if TYPE_CHECKING:
    from benchmark.execution.driver import Outcome
    from benchmark.execution.reproduction import Reproduction


@click.command()
@runs_argument
@suite_option
def reproduce(
    runs: tuple[str, ...],
    suites: tuple[str, ...],
    profile: str,
    settings: tuple[str, ...],
    results_dir: Path,
    scratch_dir: Path,
    **options: Any,
) -> None:
    """Train runs of RESULTS_DIR again, in SCRATCH_DIR/reproduced, and compare; results stay as they are.

    RUN is a part of a run's id that no other has, or ROW / COLUMN as `plan` prints it, which means every trial of that
    cell. On the same kind of processor with the same versions every digit must be the same; elsewhere the losses
    of the first steps within a thousandth, and the last accuracies where one more trial should fall. Ends with 1 where
    something differs.

    For example: run_suite.py reproduce 19d9a1d3b5ac --profile mini
    """
    variant = load_variant(profile, settings)
    store, there = store_of(variant, results_dir), scratch_dir / "reproduced"
    place = store_of(variant, there)
    done = store.completed()
    names = [name for text in runs for name in runs_named(text, looked_up(text, variant, store, suites), done)]
    names = list(dict.fromkeys(names))
    for name in names:
        if not isinstance(store.load(name).spec, TrainSpec):
            raise UserError(f"{name}: measures time and memory, which come out anew each time; `redo` measures again")
    readers, trials = asking(names, variant, results_dir, suites)
    _make_way(place, names)
    chosen = {"suites": tuple(str(suite.path) for suite in readers), "only": tuple(names), "trials": trials}
    options |= {"reports_dir": there / "reports", "results_dir": there, "scratch_dir": scratch_dir}
    assert run.callback
    run.callback(
        **chosen,
        **options,
        profile=profile,
        settings=settings,
        retry_failed=False,
        shard=None,
        then=lambda outcome: _compare(outcome, store, place, names),
    )


def _make_way(place: Store, names: list[str]) -> None:
    """Leave only what this very code has trained before an interruption."""
    for name in names:
        place.forget_failure(name)
        if place.has(name) and place.load(name).provenance.code != this_code():
            place.replace(name)


def _compare(outcome: "Outcome", store: Store, place: Store, names: list[str]) -> bool:
    """Say what was compared; whether all is the same. What was compared is set aside: the next time trains anew."""
    from benchmark.execution.reproduction import compare

    if outcome.summary.interrupted:
        return True
    trials, same = Trials(store), True
    for name in names:
        if not place.has(name):  # it failed, and is named as such
            continue
        committed, again = store.load(name), place.load(name)
        assert isinstance(committed.spec, TrainSpec)
        seeds = {one.spec.seed: one for one in trials.of(committed.spec) if isinstance(one.spec, TrainSpec)}
        found = compare(committed, again, seeds)
        _say(found, place.replace(name))
        same = same and found.same
    return same


def _say(found: "Reproduction", made: Path | None) -> None:
    words = {True: "same", False: "DIFFERS", None: "not told"}
    say(f"{'reproduced' if found.same else 'NOT reproduced'}: {found.run_id}" + (f" ({shown(made)})" if made else ""))
    row(f"  compared {'as on another machine' if found.unlike else 'to the last bit, as on the same machine'}")
    for line in found.unlike:
        row(f"    {line}")
    for check in found.checks:
        row(f"  {words[check.same]:<9} {check.what}: {check.found}")


reproduce.params += [option for option in run.params if option.name not in (*WHICH, "reports_dir", "keep_weights")]
