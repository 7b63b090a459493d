"""Where an invocation finds and keeps things: suites, results, the scratch folders of its runs, packed images."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UserError
from benchmark.results.store import Store
from benchmark.suites.manifest import find_manifests
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite, load_suites
from benchmark.system.folders import why_no_folder, why_unusable, why_unwritable


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders of one invocation.

    Attributes:
        runs: scratch folders of the runs: jobs, logs, checkpoints.
        cache: packed datasets.
        data: the publishers' files; None where nobody said.
        weights: where final weights are kept; None where they aren't.
    """

    runs: Path
    cache: Path
    data: Path | None
    weights: Path | None = None


def load(names: tuple[str, ...], variant: Variant, results_dir: Path, device: str) -> tuple[list[Suite], Store]:
    """The named suites (all of the paper's without a name) and the results of their profile.

    ``device`` is the model that cost runs measure, or :data:`~benchmark.suites.suite.ANY_DEVICE`.
    """
    return load_suites(find_manifests(list(names) or ["all"]), variant, device), store_of(variant, results_dir)


def store_of(variant: Variant, results_dir: Path) -> Store:
    """The results of a profile with its settings.

    Raises:
        UserError: something else lies in their folder's place.
    """
    store = Store(results_dir / variant.results_name)
    if reason := why_no_folder(store.folder):
        raise UserError(f"{store.folder} {reason}; results should lie there")
    return store


def run_folders(scratch_dir: Path, store: Store) -> Path:
    """Scratch folders of a results folder; two results folders never share one."""
    digest = hashlib.sha256(os.fsencode(store.folder.resolve())).hexdigest()[:8]
    return scratch_dir / "runs" / f"{store.folder.name}-{digest}"


def image_cache(scratch_dir: Path) -> Path:
    """The folder below which packed images lie."""
    return scratch_dir / "data"


def require_usable(folders: Mapping[str, Path]) -> None:
    """Find out before anything is read or made that a folder can't be.

    Args:
        folders: by what is to be written there.

    Raises:
        UserError: one can't.
    """
    for what, folder in folders.items():
        if reason := why_unusable(folder):
            raise UserError(f"{reason}; {what} should go to {folder}")


def require_writable(folder: Path, what: str) -> None:
    """Find out before anything is trained that a folder can't be written.

    Raises:
        UserError: it can't.
    """
    if reason := why_unwritable(folder):
        raise UserError(f"{folder}: {what} can't be written there: {reason}")
