"""Which reports belong on disk: those that are there, and those of suites with results there."""

from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import UserError
from benchmark.planning.plan import make_plan
from benchmark.results.store import Store
from benchmark.suites.manifest import PAPER_SUITES, find_manifests, suite_names
from benchmark.suites.profiles import VARIANT_NAME, Variant, load_variant
from benchmark.suites.suite import Suite, load_suite
from benchmark.system.files import is_there

_ENDINGS = ("csv", "md", "tex", "png", "svg")
#: Of the whole paper, whichever suites were asked for.
_SUMMARY = "summary"


def variants_on_disk(results_dir: Path, reports_dir: Path) -> tuple[list[Variant], list[str]]:
    """Profiles, with their settings, that have a folder of results or of reports.

    Returns:
        what they are, and folders whose name does not tell the settings.
    """
    names: dict[str, None] = {}
    for place in (results_dir, reports_dir):
        folders = [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []
        names |= dict.fromkeys(sorted(folder.name for folder in folders if VARIANT_NAME.fullmatch(folder.name)))
    found, unclear = [], []
    for name in names:
        profile, *settings = name.split("+")
        try:
            variant = load_variant(profile, settings)
        except UserError:
            variant = None
        if variant is not None and variant.reports_name == name:
            found.append(variant)
        else:
            unclear.append(name)
    return found, unclear


def suites_on_disk(variant: Variant, store: Store, reports_dir: Path) -> list[Suite]:
    """The suites that ``report`` is to have written for a variant; all of the paper's where there are results alone.

    Args:
        variant: a profile with its settings.
        store: its results.
        reports_dir: the folder above those of all variants.
    """
    folder, completed, fitting = reports_dir / variant.reports_name, store.completed(), []
    for path in find_manifests(suite_names()):
        reported = any(is_there(folder / f"{path.stem}.{ending}") for ending in _ENDINGS)
        try:
            suite = load_suite(path, variant, device="any")
        except UserError:
            if reported:
                raise
            continue  # settings that it has nothing of
        if reported or make_plan([suite], completed).totals()["done"]:
            fitting.append(suite)
    if not fitting and completed:
        return [load_suite(path, variant, device="any") for path in find_manifests(list(PAPER_SUITES))]
    return fitting


def of_other_manifests(variant: Variant, reports_dir: Path, suites: Sequence[Suite]) -> list[Path]:
    """Reports in a variant's folder that none of these suites has."""
    known = {_SUMMARY, *suite_names(), *(suite.name for suite in suites)}
    folder = reports_dir / variant.reports_name
    return sorted(path for path in folder.glob("*.md") if path.stem not in known)
