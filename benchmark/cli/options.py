"""Options that several commands share, and their types."""

import math
import re
from pathlib import Path
from typing import Any

import click

from benchmark.planning.shards import Shard
from benchmark.runs.schema import MANY, MANY_RUNS
from benchmark.suites.manifest import suite_names
from benchmark.suites.profiles import PROFILE_NAMES
from benchmark.system.files import user_path
from benchmark.system.folders import why_no_folder
from benchmark.system.paths import HOME
from benchmark.wording import shortened


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


class _PerGpu(_Count):
    """A whole number, or ``auto``, which is None."""

    name = "integer|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:  # type: ignore[override]
        return None if value in ("auto", None) else super().convert(value, param, ctx)


PER_GPU = _PerGpu(min=1, max=64)


class _Shard(click.ParamType):  # type: ignore[type-arg]  # older ones take none
    """Which of how many parts."""

    name = "i/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", str(value))
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            self.fail(f"{shortened(str(value), 60)} is no part; 2/3 is the second of three", param, ctx)
        return Shard(int(found[1]), int(found[2]))


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


class _File(click.ParamType):  # type: ignore[type-arg]
    """A file's path; ``~`` is the home folder, also unseen by a shell. Whoever reads it says what is wrong with it."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value):
            self.fail("is empty; name a file", param, ctx)
        return user_path(str(value))


FILE = _File()


class Group(click.Group):
    """Commands under one name; without any of them it says which there are, and ends as bad input does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for no words at all."""
        if not args and not ctx.resilient_parsing:  # as a shell's completion does
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)


def _folder(default: str, variable: str, text: str) -> dict[str, Any]:
    return {"type": FOLDER, "default": HOME / default, "envvar": variable, "help": text}


def complete_suites(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For a shell: the suites whose name begins so."""
    return [name for name in [*suite_names(), "all"] if name.startswith(incomplete)]


suites_argument = click.argument("suites", nargs=-1, metavar="[SUITE]...", shell_complete=complete_suites)
run_argument = click.argument("run", metavar="RUN")
runs_argument = click.argument("runs", nargs=-1, required=True, metavar="RUN...")
suite_option = click.option(
    "--suite", "suites", multiple=True, metavar="SUITE", help="Where ROW / COLUMN is looked up; default: every suite."
)
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
    help="Only rows, columns or cells (ROW / COLUMN) of this name, or the run with this in its id; may be repeated.",
)
trials_option = click.option(
    "--trials", type=count(most=MANY_RUNS), help="Seeds an entry, instead of the suite's number."
)
shard_option = click.option(
    "--shard", type=_Shard(), help="Only this part of it: 2/3 is the second of three that machines can train apart."
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
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="What runs compute on.",
)
json_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
