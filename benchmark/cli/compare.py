"""``compare``: whether two sets of results say the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import json_option, results_option
from benchmark.cli.output import say
from benchmark.errors import UserError
from benchmark.execution.places import store_of
from benchmark.results.store import Store
from benchmark.suites.manifest import find_manifests
from benchmark.suites.profiles import PROFILE_NAMES, Variant, load_variant
from benchmark.system.files import user_path

if TYPE_CHECKING:
    from benchmark.verdicts.compare import Compared


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@results_option
@json_option
def compare(first: str, second: str, suites: tuple[str, ...], results_dir: Path, form: str) -> None:
    """Hold the results B against A, cell by cell and claim by claim, paired by seed.

    A and B are a profile with its settings (reduced, paper+numerics.precision=bf16), or such a folder of another
    results folder (../lab2/results/reduced). Nothing is written.

    For example: run_suite.py compare reduced reduced+beta_on=last table1
    """
    from benchmark.reports.paper import judge_all
    from benchmark.results.trials import Trials
    from benchmark.suites.suite import load_suites
    from benchmark.verdicts.compare import compare_cells

    variants, stores = zip(*(_side(text, results_dir) for text in (first, second)), strict=True)
    paths = find_manifests(list(suites) or ["all"])
    one, other = (
        judge_all(load_suites(paths, variant, "any"), Trials(store))
        for variant, store in zip(variants, stores, strict=True)
    )
    epochs = (variants[0].epoch_reported, variants[1].epoch_reported)
    cells = {
        a.suite.name: compare_cells(list(a.readings.values()), list(b.readings.values()), epochs)
        for a, b in zip(one.suites, other.suites, strict=True)
    }
    judged = all(variant.judges_claims for variant in variants)
    claims = [
        {"claim": a.claim, "statement": a.statement, "first": a.verdict.word, "second": b.verdict.word}
        for a, b in zip(one.claims, other.claims, strict=True)
        if judged
    ]
    if form == "json":
        tree = {"cells": {name: [asdict(cell) for cell in found] for name, found in cells.items()}, "claims": claims}
        click.echo(json.dumps(tree, indent=1))
        return
    _print(cells, claims, (first, second))
    if not judged:
        names = [variant.reports_name for variant in variants if not variant.judges_claims]
        say(f"claims: not judged (profile {' and '.join(dict.fromkeys(names))})")


def _print(
    cells: Mapping[str, Sequence["Compared"]], claims: Sequence[Mapping[str, str]], names: Sequence[str]
) -> None:
    say(f"{names[1]} less {names[0]}, with 95 % intervals; paired by seed where both have the seeds")
    silent = 0
    for suite, found in cells.items():
        for cell in found:
            if cell.difference is None or cell.interval95 is None:
                silent += 1
                continue
            low, high = cell.interval95
            how = f"{cell.paired} pairs" if cell.paired else f"{cell.trials[0]} and {cell.trials[1]} trials"
            place = f"{suite}: {cell.row} / {cell.column}"
            say(f"{cell.word:<10} {cell.difference:+7.2f} [{low:+.2f} to {high:+.2f}]  {place} ({how})")
    if silent:
        say(f"{silent} cells have fewer than two trials on a side")
    for claim in claims:
        if "not enough runs" not in (claim["first"], claim["second"]):
            same = "the same" if claim["first"] == claim["second"] else "NOT the same"
            say(f"claim {claim['claim']:<3} {claim['first']} and {claim['second']}: {same}")


def _side(text: str, results_dir: Path) -> tuple[Variant, Store]:
    """A variant by the name of its folder, and its results."""
    path = user_path(text)
    profile, *settings = path.name.split("+")
    if profile not in PROFILE_NAMES:
        raise UserError(f"{text}: should end with a profile's name, {', '.join(PROFILE_NAMES)}, and settings behind +")
    variant, bare = load_variant(profile, settings), path.name == text
    store = store_of(variant, results_dir if bare else path.parent)
    if not bare and not store.folder.exists():
        raise UserError(f"{text}: there is no folder {store.folder}")
    return variant, store
