"""``report``: from the JSON files alone."""

import functools
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from benchmark.cli.options import (
    json_option,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    suites_argument,
    trials_option,
)
from benchmark.cli.output import import_matplotlib, say, write_reports
from benchmark.errors import UserError
from benchmark.execution.places import image_cache, load, store_of
from benchmark.results.store import Store
from benchmark.suites.profiles import PLAN_CHOICES, Variant, load_variant
from benchmark.suites.suite import Suite
from benchmark.system.files import shown

_CHECK = "Write nothing; end with 1 where reports on disk are not current. Without a suite those of all that have some."
#: A report reads measurements of whatever device they are.
_ANY_DEVICE = "any"


@click.command()
@suites_argument
@profile_option
@trials_option
@set_option
@results_option
@reports_option
@scratch_option
@click.option("--aggregate", type=click.Choice(PLAN_CHOICES["aggregate"]), help="Short for --set aggregate=…")
@json_option
@click.option("--check", is_flag=True, help=_CHECK)
@click.option("--open", "opened", is_flag=True, help="Show the page in a browser, where there is one.")
@click.pass_context
def report(
    context: click.Context,
    suites: tuple[str, ...],
    profile: str,
    trials: int | None,
    settings: tuple[str, ...],
    results_dir: Path,
    reports_dir: Path,
    scratch_dir: Path,
    aggregate: str | None,
    form: str,
    check: bool,
    opened: bool,
) -> None:
    """Write the reports of some suites (all without a name) from the results on disk.

    They go to REPORTS_DIR/PROFILE. With --format json numbers, verdicts and claims go to standard output as well.

    For example: run_suite.py report all --profile mini
    """
    if check and form == "json":
        raise UserError("--check compares files; leave out --format json")
    if check and opened:
        raise UserError("--check writes nothing that could be opened; leave out --open")
    settings += (f"aggregate={aggregate}",) if aggregate else ()
    variant, cache_dir = load_variant(profile, settings), image_cache(scratch_dir)
    if check and not suites:
        open_to_all = context.get_parameter_source("profile") == ParameterSource.DEFAULT and not settings
        sys.exit(_check_all(None if open_to_all else variant, results_dir, reports_dir, trials, cache_dir))
    loaded, store = load(suites, variant, results_dir, _ANY_DEVICE)
    if check:
        sys.exit(_check(loaded, store, reports_dir, trials, cache_dir))
    from benchmark.reports.paper import judge_all
    from benchmark.reports.renderers.as_json import as_json
    from benchmark.results.trials import Trials

    judged = judge_all(loaded, Trials(store))
    tell = functools.partial(say, err=form == "json")
    page = write_reports(loaded, store, reports_dir, trials, tell, cache_dir, judged)
    if opened:
        _open(page)
    if form == "json":
        click.echo(as_json(judged, trials))


def _open(page: Path | None) -> None:
    """Show the page in a browser; where none can be started its path, which is printed already, has to do."""
    if page is None:
        say("no page: these settings make a protocol of its own", err=True)
    elif not webbrowser.open(page.resolve().as_uri()):
        say(f"no browser here; open {shown(page)} in one", err=True)


def _check_all(
    wanted: Variant | None, results_dir: Path, reports_dir: Path, trials: int | None, cache_dir: Path
) -> int:
    """Check what one profile, or every one, has on disk; the exit status."""
    from benchmark.reports.on_disk import of_other_manifests, suites_on_disk, variants_on_disk

    variants, unclear = ([wanted], []) if wanted else variants_on_disk(results_dir, reports_dir)
    for name in unclear:
        say(f"not checked: {name}: its name does not tell the settings; name them with --profile and --set", err=True)
    if not variants and not unclear:
        say("no results or reports here")
    status = 1 if unclear else 0
    for variant in variants:
        store = store_of(variant, results_dir)
        suites = suites_on_disk(variant, store, reports_dir)
        say(f"{variant.reports_name}: {', '.join(suite.name for suite in suites) or 'no results or reports'}")
        status = (_check(suites, store, reports_dir, trials, cache_dir) if suites else 0) or status
        for path in of_other_manifests(variant, reports_dir, suites):
            say(f"not checked: {shown(path)}: it is of a manifest that was not named", err=True)
    return status


def _check(suites: Sequence[Suite], store: Store, reports_dir: Path, trials: int | None, cache_dir: Path) -> int:
    """Name the files that are not what `report` would write; the exit status."""
    import_matplotlib()
    from benchmark.reports.write import stale_reports

    stale = stale_reports(suites, store, reports_dir, trials, cache_dir=cache_dir, told=say)
    for path in stale:
        say(f"not current: {shown(path)}", err=True)
    return 1 if stale else 0
