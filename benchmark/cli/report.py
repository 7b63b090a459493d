"""``report``: from the JSON files alone."""

import functools
import sys
from pathlib import Path

import click

from benchmark.cli.common import (
    image_cache,
    import_matplotlib,
    json_option,
    load,
    profile_option,
    reports_option,
    results_option,
    scratch_option,
    set_option,
    shown,
    suites_argument,
    trials_option,
    write_reports,
)
from benchmark.errors import UserError
from benchmark.profiles import PLAN_CHOICES, load_variant


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
@click.option("--check", is_flag=True, help="Write nothing; end with 1 where the reports on disk are not current.")
def report(
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
) -> None:
    """Write the reports of some suites (all without a name) from the results on disk.

    With --format json their numbers, verdicts and claims go to standard output as well.
    """
    if check and form == "json":
        raise UserError("--check compares files; leave out --format json")
    settings += (f"aggregate={aggregate}",) if aggregate else ()
    device, variant = "any", load_variant(profile, settings)  # a report reads measurements of whatever device they are
    loaded, store = load(suites, variant, results_dir, device)
    if not check:
        say = functools.partial(click.echo, err=form == "json")
        write_reports(loaded, store, reports_dir, trials, say, image_cache(scratch_dir))
        if form == "json":
            from benchmark.reports.as_json import as_json
            from benchmark.reports.runs import Runs

            click.echo(as_json(loaded, variant, Runs(store), trials))
        return
    import_matplotlib()
    from benchmark.reports.write import stale_reports

    stale = stale_reports(loaded, store, reports_dir, trials, cache_dir=image_cache(scratch_dir))
    for path in stale:
        click.echo(f"not current: {shown(path)}", err=True)
    sys.exit(1 if stale else 0)
