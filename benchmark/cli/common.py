"""Options and steps that several commands share."""

import contextlib
import hashlib
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from benchmark.errors import UserError
from benchmark.planning.plan import Plan
from benchmark.results.code import this_code
from benchmark.results.store import Store
from benchmark.runs.schema import MANY, MANY_RUNS
from benchmark.suites.manifest import find_manifests
from benchmark.suites.profiles import PROFILE_NAMES, Variant
from benchmark.suites.suite import Suite, load_suites
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.system.files import user_path
from benchmark.system.folders import why_no_folder, why_unusable, why_unwritable
from benchmark.system.hardware import cpu_has_bf16
from benchmark.system.paths import HOME, PACKAGE
from benchmark.wording import one_line, shortened


class _Count(click.IntRange):
    """A whole number in plain digits, within bounds; by itself click takes ``1_0`` for ten."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not re.fullmatch(r"[-+]?[0-9]{1,18}", str(value)):
            self.fail(f"{shortened(str(value), 60)} is no whole number in plain digits", param, ctx)
        found: int = super().convert(value, param, ctx)
        return found


def count(*, least: int = 1, most: int) -> click.IntRange:
    """The type of an option that takes a number."""
    return _Count(min=least, max=most)


class _Minutes(click.FloatRange):
    """More than 0 and at most some years; by itself click takes ``nan``, ``inf`` and ``1_0`` as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if "_" in str(value) or not math.isfinite(found := super().convert(value, param, ctx)):
            self.fail(f"{value} is no number of minutes.", param, ctx)
        return float(found)


MINUTES = _Minutes(min=0, min_open=True, max=MANY)


class _Folder(click.ParamType):  # type: ignore[type-arg]  # older ones take none
    """A folder's path: one that is there, or that could be made; ``~`` is the home folder, also unseen by a shell."""

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value):
            self.fail("is empty; name a folder, . for the current one", param, ctx)
        path = user_path(str(value))
        if reason := why_no_folder(path):
            self.fail(f"{path} {reason}", param, ctx)
        return path


FOLDER = _Folder()


class Group(click.Group):
    """Commands under one name; without any of them it says which there are, and ends as bad input does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for no words at all."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)


def _folder(default: str, variable: str, text: str) -> dict[str, Any]:
    return {"type": FOLDER, "default": HOME / default, "envvar": variable, "help": text}


suites_argument = click.argument("suites", nargs=-1, metavar="[SUITE]...")
profile_option = click.option(
    "--profile", type=click.Choice(PROFILE_NAMES), default="paper", show_default=True, help="How much of the protocol."
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change every run; may be repeated."
)
only_option = click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Only rows, columns or cells (ROW / COLUMN) of this name; of several, all that fit any.",
)
trials_option = click.option(
    "--trials", type=count(most=MANY_RUNS), help="Seeds an entry, instead of the suite's number."
)
results_option = click.option("--results-dir", **_folder("results", "SFE_RESULTS_DIR", "Where results lie."))
reports_option = click.option("--reports-dir", **_folder("reports", "SFE_REPORTS_DIR", "Where reports are written."))
scratch_option = click.option(
    "--scratch-dir", **_folder("scratch", "SFE_SCRATCH_DIR", "Checkpoints, logs, packed data.")
)
data_option = click.option(
    "--data-dir",
    type=FOLDER,
    envvar="SFE_DATA_DIR",
    help="The publishers' files (SFE_DATA_DIR).",
)
json_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


def load(
    names: tuple[str, ...], variant: Variant, results_dir: Path, device: str | None = None
) -> tuple[list[Suite], Store]:
    """The named suites (all of the paper's without a name) and the results of their profile.

    ``device`` is the model that cost runs measure, if it isn't the one that runs would use here by themselves.
    """
    return load_suites(find_manifests(list(names) or ["all"]), variant, device), store_of(variant, results_dir)


def store_of(variant: Variant, results_dir: Path) -> Store:
    """The results of a profile with its settings.

    Raises:
        UserError: something else lies in their folder's place.
    """
    store = Store(results_dir / variant.results_name)
    if reason := why_no_folder(store.folder):
        raise UserError(f"{store.folder} {reason}; results should lie there")
    return store


def run_folders(scratch_dir: Path, store: Store) -> Path:
    """Scratch folders of a results folder; two results folders never share one."""
    digest = hashlib.sha256(os.fsencode(store.folder.resolve())).hexdigest()[:8]
    return scratch_dir / "runs" / f"{store.folder.name}-{digest}"


def image_cache(scratch_dir: Path) -> Path:
    """The folder below which packed images lie."""
    return scratch_dir / "data"


def headline(suites: list[Suite], made: Plan) -> str:
    """One line on a plan: entries, trainings, runs, done."""
    totals = made.totals()
    names = ", ".join(suite.name for suite in suites)
    text = f"{names} ({suites[0].variant.reports_name}): {totals['entries']} entries served by {totals['trainings']} "
    text += f"trainings, {totals['train_runs']} training runs"
    if totals["cost_runs"]:
        text += f" and {totals['cost_runs']} cost run"
    return f"{text}, {totals['done']} of them done"


def require_usable(folders: Mapping[str, Path]) -> None:
    """Find out before anything is read or made that a folder can't be.

    Args:
        folders: by what is to be written there.

    Raises:
        UserError: one can't.
    """
    for what, folder in folders.items():
        if reason := why_unusable(folder):
            raise UserError(f"{reason}; {what} should go to {folder}")


def require_writable(folder: Path, what: str) -> None:
    """Find out before anything is trained that a folder can't be written.

    Raises:
        UserError: it can't.
    """
    if reason := why_unwritable(folder):
        raise UserError(f"{folder}: {what} can't be written there: {reason}")


def check_precision(kind: str, precisions: Iterable[str]) -> None:
    """Whether a device computes in these precisions itself; warns of one that it does slowly.

    Raises:
        UserError: tf32 on a processor, which would be fp32 under another name.
    """
    wanted = set(precisions)
    if kind == "cpu" and "tf32" in wanted:
        raise UserError("precision tf32: a processor has none, only NVIDIA GPUs do; take fp32")
    if kind == "cpu" and "bf16" in wanted and not cpu_has_bf16():
        click.echo("warning: this processor has no bf16 of its own; expect ten times the time of fp32", err=True)


def check_graphs(kind: str, compiled: bool) -> None:
    """Whether steps of these runs can be recorded.

    Raises:
        UserError: they can't: on a processor, or where the compiler records its own.
    """
    if kind == "cpu" and RECORDER_VARIABLE not in os.environ:
        raise UserError("--graphs: a processor records no steps, only NVIDIA GPUs do; leave the option out")
    if compiled:
        raise UserError("--graphs: compiled steps are in graphs of the compiler's own; leave the option out")


def name_code() -> None:
    """Look which code this is, and say what isn't known of it."""
    if note := this_code().note:
        say(f"warning: {note}", err=True)


def import_matplotlib() -> None:
    """Have it read no settings but its own: neither the environment's, as of a notebook, nor the current folder's."""
    os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    try:
        with contextlib.chdir(PACKAGE):
            import matplotlib  # noqa: F401
    except FileNotFoundError:  # somebody has deleted the current folder
        pass


def write_reports(
    suites: list[Suite],
    store: Store,
    reports_dir: Path,
    trials: int | None,
    say: Callable[[str], Any],
    cache_dir: Path,
) -> None:
    """Write reports and say where the readable ones are."""
    import_matplotlib()
    from benchmark.reports import write  # pandas and matplotlib, only where a report is made

    require_writable(reports_dir / suites[0].variant.reports_name, "reports")
    for path in write.write_reports(suites, store, reports_dir, trials, cache_dir=cache_dir):
        if path.suffix == ".md":
            say(f"report: {shown(path)}")


def say(text: str, *, err: bool = False) -> None:
    """Print one line, on standard error if wanted, whatever the text holds."""
    click.echo(one_line(text), err=err)


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)
    except FileNotFoundError:  # somebody has deleted the current folder
        return str(path)
