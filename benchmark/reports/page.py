"""The page of a profile, ``index.html``: gathered from the same judged cells as every other report."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.errors import StoreError, UserError
from benchmark.reports.judged import JudgedSuite, judge_suite
from benchmark.reports.paper import Paper
from benchmark.reports.renderers.html.material import Material
from benchmark.reports.standing import failed_of
from benchmark.results.store import Result, Store
from benchmark.results.trials import Trials
from benchmark.suites.manifest import PAPER_SUITES, find_manifests, suite_names
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import load_suite

#: Where a page lies in its profile's folder.
NAME = "index.html"


def material(
    paper: Paper, others: tuple[JudgedSuite, ...], trials: Trials, plots: Mapping[str, bytes], reports_dir: Path
) -> Material:
    """What the page is made of, whichever suites a command named.

    Args:
        paper: all of the paper's suites, judged.
        others: see :func:`others_with_results`.
        trials: the results of the profile.
        plots: SVG files of the suites that have results.
        reports_dir: the folder above the profiles' own.
    """
    return Material(
        paper=paper,
        suites=paper.suites,
        others=others,
        failures=_failures((*paper.suites, *others), trials.store),
        plots=plots,
        beside=_beside(trials.store, reports_dir),
    )


def others_with_results(
    variant: Variant, trials: Trials, judged: Sequence[JudgedSuite] = ()
) -> tuple[JudgedSuite, ...]:
    """The project's further suites that have results under a variant; those that its settings don't fit are none.

    Args:
        variant: profile and settings.
        trials: the results of the profile.
        judged: suites that are judged already.
    """
    by_path = {one.suite.path: one for one in judged}
    found = []
    for path in find_manifests([name for name in suite_names() if name not in PAPER_SUITES]):
        try:
            one = by_path.get(path) or judge_suite(load_suite(path, variant, "any"), trials)
        except UserError:
            continue
        if has_results(one):
            found.append(one)
    return tuple(found)


def has_results(one: JudgedSuite) -> bool:
    """Whether any cell of a suite has a trial."""
    return any(cell.results for cell in one.cells.values())


def _failures(suites: tuple[JudgedSuite, ...], store: Store) -> dict[str, Result | None]:
    """Failed runs that some cell waits for."""
    failed = store.failed()
    waiting = {name for one in suites for cell in one.cells.values() for name in failed_of(one, cell, failed)}
    found: dict[str, Result | None] = {}
    for name in sorted(waiting):
        try:
            found[name] = store.load_failure(name)
        except StoreError:
            found[name] = None
    return found


def _beside(store: Store, reports_dir: Path) -> str | None:
    """The results' folder as seen from the page, where both lie in one place under their usual names."""
    results, reports = store.folder.parent.resolve(), reports_dir.resolve()
    if results.parent != reports.parent:
        return None
    return Path(os.path.relpath(results / store.folder.name, reports / "profile")).as_posix()
