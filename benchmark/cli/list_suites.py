"""``list``: the suites there are."""

import json

import click

from benchmark.cli.options import json_option
from benchmark.cli.output import row
from benchmark.suites.manifest import find_manifests, load_manifest, suite_names


@click.command("list")
@json_option
def list_suites(form: str) -> None:
    """The suites there are. Nothing is written.

    For example: run_suite.py list --format json
    """
    manifests = [load_manifest(path) for path in find_manifests(suite_names())]
    if form == "json":
        click.echo(json.dumps([{"suite": m.suite, "title": m.title, "source": m.source} for m in manifests], indent=1))
        return
    for manifest in manifests:
        row(f"{manifest.suite:<10} {manifest.title}")
