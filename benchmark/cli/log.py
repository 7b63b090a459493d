"""``log``: what a run has said and learned so far, and what it says from now on."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmark.cli.options import (
    count,
    json_option,
    profile_option,
    results_option,
    run_argument,
    scratch_option,
    set_option,
    suite_option,
)
from benchmark.cli.output import row, say
from benchmark.errors import StoreError, UserError
from benchmark.execution.curve import curve, in_words
from benchmark.execution.epochs import EpochFile
from benchmark.execution.places import load, run_folders, store_of
from benchmark.execution.run_folder import RunFolder
from benchmark.execution.standing import standing
from benchmark.execution.tail import News
from benchmark.planning.names import runs_named
from benchmark.results.record import Epoch, epochs_of
from benchmark.results.store import Store
from benchmark.runs.schema import MANY
from benchmark.runs.spec import TrainSpec
from benchmark.suites.profiles import Variant, load_variant
from benchmark.suites.suite import Suite
from benchmark.system.files import shown
from benchmark.wording import some

#: How often a run is looked at, and how long a failed one may take to be tried again before it is left.
LOOK_SECONDS, FAILED_SECONDS = 0.5, 10.0


@click.command()
@run_argument
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, through all attempts, until the run ends.")
@click.option("--lines", type=count(least=0, most=MANY), default=20, show_default=True, help="Of the log, the last.")
@profile_option
@set_option
@suite_option
@results_option
@scratch_option
@json_option
def log(
    run: str,
    follow: bool,
    lines: int,
    profile: str,
    settings: tuple[str, ...],
    suites: tuple[str, ...],
    results_dir: Path,
    scratch_dir: Path,
    form: str,
) -> None:
    """A run's log and its curve so far.

    RUN is a part of its id that no other run's has, or ROW / COLUMN as `plan` prints it. Log and epochs.jsonl lie in
    its folder below SCRATCH_DIR/runs, a finished run's numbers in RESULTS_DIR/PROFILE/ID.json.

    For example: run_suite.py log 19d9a1d3b5ac --profile mini --follow
    """
    if follow and form == "json":
        raise UserError("--follow prints what comes; leave out --format json")
    variant = load_variant(profile, settings)
    store = store_of(variant, results_dir)
    folders = run_folders(scratch_dir, store)
    name = one_begun(run, variant, store, folders, suites)
    folder = RunFolder(folders / name)
    news = News(folder)  # from here on: what comes while the rest is printed is not lost
    epochs, whole = _epochs(name, store, folder)
    stands = standing(name, store, folders)
    tail = folder.log_tail(lines) if lines else []
    if form == "json":
        files = {"log_file": str(folder.log), "epochs_file": str(folder.epochs), "result_file": str(store.path(name))}
        tree = {**stands.as_json(), "epochs": [epoch.entry() for epoch in epochs], "log": tail, **files}
        click.echo(json.dumps(tree, indent=1))
        return
    say(stands.in_words())
    for what, path in (("result", store.path(name)), ("log", folder.log), ("epochs", folder.epochs)):
        if path.exists():
            say(f"{what:<12} {shown(path)}")
    for line in [*tail, *curve(epochs, whole)]:
        row(line)
    if follow:
        sys.exit(_follow(name, store, folders, news, whole))


def one_begun(text: str, variant: Variant, store: Store, folders: Path, suites: Sequence[str]) -> str:
    """The one run with a result, a failure or a folder that a name means.

    Raises:
        UserError: there is none, or several.
    """
    begun = {path.name for path in folders.iterdir() if path.is_dir()} if folders.is_dir() else set()
    names = runs_named(text, looked_up(text, variant, store, suites), begun | store.completed() | store.failed())
    if len(names) > 1:
        raise UserError(f"{text}: has several runs, {some(names)}; name one of them")
    return names[0]


def looked_up(text: str, variant: Variant, store: Store, suites: Sequence[str]) -> list[Suite]:
    """The suites in which a name may be a cell's; none have to be read for a part of an id."""
    from benchmark.suites.manifest import suite_names

    return load(tuple(suites) or tuple(suite_names()), variant, store.folder.parent, "any")[0] if " / " in text else []


def _epochs(name: str, store: Store, folder: RunFolder) -> tuple[list[Epoch], int]:
    """A run's epochs so far, and how many there will be; a result is the better witness."""
    try:
        result = store.load(name)
    except StoreError:
        epochs = EpochFile(folder.epochs).read()
        try:
            spec = folder.job().spec
        except UserError:
            return epochs, len(epochs)
        return epochs, spec.schedule.epochs if isinstance(spec, TrainSpec) else 0
    return epochs_of(result.history), len(result.history)


def _follow(name: str, store: Store, folders: Path, news: News, whole: int) -> int:
    """Print what comes until the run has ended; the exit status."""
    failed_since, state = 0.0, ""
    while True:
        stands = standing(name, store, folders)
        over = stands.state == "done" or (
            stands.state == "failed" and failed_since and time.monotonic() > failed_since + FAILED_SECONDS
        )
        lines, epochs = news.look(last=bool(over))
        for line in lines:
            row(line)
        for epoch in epochs:
            row(in_words(epoch, max(whole, epoch.epoch)))
        if over:
            say(stands.in_words())
            return 0 if stands.state == "done" else 1
        if stands.state != state and stands.state in ("interrupted", "missing"):
            say(f"nobody is at work on it ({stands.state}); waiting for whoever takes it up")
        failed_since = (failed_since or time.monotonic()) if stands.state == "failed" else 0.0
        state = stands.state
        time.sleep(LOOK_SECONDS)
