"""The commands (floor 6). Heavy imports stay inside the commands that need them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from benchmark import __version__
from benchmark.errors import BenchmarkError, UserError
from benchmark.manifest import find_manifests
from benchmark.plan import Plan, make_plan
from benchmark.profiles import PROFILE_NAMES, Variant, load_variant
from benchmark.store import Store
from benchmark.suite import Suite, load_suites

ROOT = Path(__file__).resolve().parent.parent


class _Commands(click.Group):
    """``run`` may be left out: ``run_suite.py table1`` is ``run_suite.py run table1``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


def _folder(default: str, variable: str, text: str) -> dict[str, Any]:
    path = click.Path(path_type=Path, file_okay=False)
    return {"type": path, "default": ROOT / default, "envvar": variable, "help": text}


_suites_optional = click.argument("suites", nargs=-1, metavar="[SUITE]...")
_profile = click.option(
    "--profile", type=click.Choice(PROFILE_NAMES), default="paper", show_default=True, help="How much of the protocol."
)
_set = click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change every run; repeatable.")
_only = click.option("--only", multiple=True, metavar="GLOB", help="Only rows or columns of this name; repeatable.")
_trials = click.option("--trials", type=click.IntRange(min=1), help="Seeds an entry, instead of the suite's number.")
_results = click.option("--results-dir", **_folder("results", "SFE_RESULTS_DIR", "Where results lie."))
_reports = click.option("--reports-dir", **_folder("reports", "SFE_REPORTS_DIR", "Where reports are written."))
_scratch = click.option("--scratch-dir", **_folder("scratch", "SFE_SCRATCH_DIR", "Checkpoints, logs, packed data."))
_json = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def cli() -> None:
    """Reproduce the tables and figures of the SFE paper.

    `run_suite.py table1` trains what is missing of Table 1 and writes its report.
    """


@cli.command()
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...")
@_profile
@_only
@_trials
@_set
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="SFE_DATA_DIR",
    help="The publishers' files (SFE_DATA_DIR).",
)
@_results
@_reports
@_scratch
@click.option("--executor", type=click.Choice(["local"]), default="local", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at once; default: as many as fit.")
@click.option("--runs-per-gpu", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--retry-failed", is_flag=True, help="Try failed runs again.")
def run(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    settings: tuple[str, ...],
    data_dir: Path | None,
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    executor: str,
    device: str,
    jobs: int | None,
    runs_per_gpu: int,
    retry_failed: bool,
) -> None:
    """Train what is missing of some suites, then write their reports.

    SUITE is table1 … table7, figure4, all, or the path of a manifest.
    """
    from rich.console import Console

    from benchmark.executors.local import LocalExecutor
    from benchmark.progress import make_view
    from benchmark.scheduler import Places, Scheduler, prepare_data

    loaded, store = _load(suites, load_variant(profile, settings), results_dir)
    plan = make_plan(loaded, store.completed(), only=only, trials=trials)
    places = Places(runs=_run_folders(scratch_dir, store), cache=scratch_dir / "data", data=data_dir)
    prepare_data(plan.missing, places)
    console = Console()
    console.print(_headline(loaded, plan), highlight=False, markup=False, soft_wrap=True)
    threads = max((planned.spec.numerics.threads for planned in plan.runs), default=1)
    engine = LocalExecutor.on_this_machine(device=device, jobs=jobs, threads=threads, runs_per_gpu=runs_per_gpu)
    scheduler = Scheduler(engine, store, places, make_view(console))
    summary = scheduler.run(plan.missing, retry_failed=retry_failed)
    _write_reports(loaded, store, reports_dir, trials, console.print)
    for name, reason in summary.failed.items():
        click.echo(f"failed: {name}: {reason}; see {store.failures_folder / name}.json", err=True)
    if summary.failed:
        click.echo("--retry-failed tries failed runs again.", err=True)
    if summary.interrupted:
        click.echo("Interrupted; the same command goes on from here.", err=True)
        sys.exit(130)
    sys.exit(1 if summary.failed else 0)


@cli.command("list")
@_json
def list_suites(form: str) -> None:
    """The suites there are."""
    from benchmark.manifest import load_manifest, suite_names

    manifests = [load_manifest(path) for path in find_manifests(suite_names())]
    if form == "json":
        click.echo(json.dumps([{"suite": m.suite, "title": m.title, "source": m.source} for m in manifests], indent=1))
        return
    for manifest in manifests:
        click.echo(f"{manifest.suite:<10} {manifest.title}")


@cli.command()
@_suites_optional
@_profile
@_only
@_trials
@_set
@_results
@_json
def plan(
    suites: tuple[str, ...],
    profile: str,
    only: tuple[str, ...],
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    form: str,
) -> None:
    """What would run, what is shared between cells, what is done."""
    loaded, store = _load(suites, load_variant(profile, settings), results_dir)
    made = make_plan(loaded, store.completed(), only=only, trials=trials)
    if form == "json":
        click.echo(json.dumps(made.as_json(), indent=1))
        return
    for planned in made.runs:
        readers = ", ".join(f"{cell.suite}: {cell.row} / {cell.column}" for cell in planned.cells)
        click.echo(f"{'done' if planned.done else 'to do':<6} {planned.run_id}  ({readers})")
    click.echo(_headline(loaded, made))


@cli.command()
@_suites_optional
@_profile
@_trials
@_set
@_results
@_scratch
@_json
def status(
    suites: tuple[str, ...],
    profile: str,
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    scratch_dir: Path,
    form: str,
) -> None:
    """How far each suite is: done, running, interrupted, failed, missing."""
    from benchmark.status import count_states

    loaded, store = _load(suites, load_variant(profile, settings), results_dir)
    folders = _run_folders(scratch_dir, store)
    states = {s.name: count_states(make_plan([s], store.completed(), trials=trials), store, folders) for s in loaded}
    if form == "json":
        click.echo(json.dumps(states, indent=1))
        return
    columns = list(next(iter(states.values())))
    click.echo(f"{'suite':<12}" + "".join(f"{name:>13}" for name in columns))
    for name, counts in states.items():
        click.echo(f"{name:<12}" + "".join(f"{counts[column]:>13}" for column in columns))


@cli.command()
@_suites_optional
@_profile
@_trials
@_set
@_results
@_reports
@click.option("--check", is_flag=True, help="Write nothing; end with 1 where the reports on disk are not current.")
def report(
    suites: tuple[str, ...],
    profile: str,
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    check: bool,
) -> None:
    """Write the reports of some suites (all without a name) from the results on disk."""
    loaded, store = _load(suites, load_variant(profile, settings), results_dir)
    if not check:
        _write_reports(loaded, store, reports_dir, trials, click.echo)
        return
    from benchmark.reports.write import stale_reports

    stale = stale_reports(loaded, store, reports_dir, trials)
    for path in stale:
        click.echo(f"not current: {_shown(path)}", err=True)
    sys.exit(1 if stale else 0)


def _load(names: tuple[str, ...], variant: Variant, results_dir: Path) -> tuple[list[Suite], Store]:
    suites = load_suites(find_manifests(list(names) or ["all"]), variant)
    return suites, Store(results_dir / variant.results_name)


def _run_folders(scratch_dir: Path, store: Store) -> Path:
    """Scratch folders of a results folder; two results folders never share one."""
    import hashlib

    digest = hashlib.sha256(str(store.folder.resolve()).encode()).hexdigest()[:8]
    return scratch_dir / "runs" / f"{store.folder.name}-{digest}"


def _headline(suites: list[Suite], made: Plan) -> str:
    totals = made.totals()
    names = ", ".join(suite.name for suite in suites)
    text = f"{names} ({suites[0].variant.reports_name}): {totals['entries']} entries served by {totals['trainings']} "
    text += f"trainings, {totals['train_runs']} training runs"
    if totals["cost_runs"]:
        text += f" and {totals['cost_runs']} cost run"
    return f"{text}, {totals['done']} of them done"


def _write_reports(suites: list[Suite], store: Store, reports_dir: Path, trials: int | None, say: Any) -> None:
    from benchmark.reports.write import write_reports

    for path in write_reports(suites, store, reports_dir, trials):
        if path.suffix == ".md":
            say(f"report: {_shown(path)}")


def _shown(path: Path) -> str:
    """A path as a person would type it from here."""
    return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)


def main() -> None:
    """Run the command line; this project's own errors become one sentence and exit status 2."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; the same command goes on from here.", err=True)
        sys.exit(130)
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BenchmarkError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nothing may be flushed to it any more
        sys.exit(0)
