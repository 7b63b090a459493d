"""``report``: from the JSON files alone."""

import sys
from pathlib import Path

import click

from benchmark.cli.common import (
    image_cache,
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
    check: bool,
) -> None:
    """Write the reports of some suites (all without a name) from the results on disk."""
    settings += (f"aggregate={aggregate}",) if aggregate else ()
    device = "any"  # a report reads measurements of whatever device they are
    loaded, store = load(suites, load_variant(profile, settings), results_dir, device)
    if not check:
        write_reports(loaded, store, reports_dir, trials, click.echo, image_cache(scratch_dir))
        return
    from benchmark.reports.write import stale_reports

    stale = stale_reports(loaded, store, reports_dir, trials, cache_dir=image_cache(scratch_dir))
    for path in stale:
        click.echo(f"not current: {shown(path)}", err=True)
    sys.exit(1 if stale else 0)
