"""What several commands print and write."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.execution.places import require_writable
from benchmark.results.code import this_code
from benchmark.results.store import Store
from benchmark.suites.suite import Suite
from benchmark.system.files import shown
from benchmark.system.paths import PACKAGE
from benchmark.wording import one_line, visible

if TYPE_CHECKING:
    from benchmark.reports.paper import Judgement


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
    judged: "Judgement | None" = None,
) -> Path | None:
    """Write reports and say where the readable ones are; returns the page, if there is one."""
    import_matplotlib()
    from benchmark.reports import write  # pandas and matplotlib, only where a report is made

    require_writable(reports_dir / suites[0].variant.reports_name, "reports")
    html: Path | None = None
    for path in write.write_reports(suites, store, reports_dir, trials, cache_dir=cache_dir, judged=judged, told=say):
        if path.suffix in (".md", ".html"):
            say(f"report: {shown(path)}")
        if path.suffix == ".html":
            html = path
            if (size := path.stat().st_size) > write.MOST_PAGE:
                say(f"warning: {shown(path)} has {size / 1e6:.1f} MB, which loads slowly")
    return html


def say(text: str, *, err: bool = False) -> None:
    """Print one line, on standard error if wanted, whatever the text holds."""
    click.echo(one_line(text), err=err)


def row(text: str, *, err: bool = False) -> None:
    """Print one line of a list, laid out in columns: of any length, with its spaces."""
    click.echo(visible(text), err=err)


def name_code() -> None:
    """Look which code this is, and say what isn't known of it."""
    if note := this_code().note:
        say(f"warning: {note}", err=True)
