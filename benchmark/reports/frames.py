"""Results as tidy frames for people who compute: one row a number, without torch."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.errors import StoreError
from benchmark.reports.judged import judge_suite
from benchmark.reports.paper import judge_all
from benchmark.reports.renderers import paper_csv
from benchmark.results.plausible import is_number
from benchmark.results.store import Result, Store
from benchmark.results.trials import Trials
from benchmark.suites.manifest import PAPER_SUITES, find_manifests
from benchmark.suites.profiles import load_profile, load_variant
from benchmark.suites.suite import load_suites
from benchmark.system.paths import ROOT

_RESULTS = ROOT / "results"
_LEADING = ["run_id", "kind", "variant", "metric", "value"]


def read_results(profile: str = "paper", results_dir: Path | str = _RESULTS) -> pd.DataFrame:
    """Every completed run, one row a run and metric.

    Args:
        profile: the folder's name below ``results_dir``, for instance ``reduced``.
        results_dir: where results lie.

    Returns:
        ``run_id``, ``kind`` (``train`` or ``cost``), ``variant`` (of a cost run), ``metric``, ``value`` (accuracy in
        percent, seconds, MiB), ``device``, ``commit``, and every field of the spec under its path, such as
        ``network.depth`` or ``method.masks.views``. Files that can't be read are left out; ``verify`` names them.

    Raises:
        ManifestError: there is no such profile.
    """
    load_profile(profile.split("+")[0])
    store = Store(Path(results_dir) / profile)
    rows = []
    for name in sorted(store.completed()):
        try:
            rows += list(_rows(store.load(name)))
        except StoreError:
            continue
    fields = list(dict.fromkeys(key for row in rows for key in row if key not in _LEADING))
    return pd.DataFrame(rows, columns=[*_LEADING, *fields])


def read_trials(
    profile: str = "paper",
    suites: Sequence[str] = ("all",),
    settings: Sequence[str] = (),
    results_dir: Path | str = _RESULTS,
) -> pd.DataFrame:
    """Every trial that the cells of some suites read, as ``trials.csv`` has them.

    Args:
        profile: its name.
        suites: names or paths of manifests.
        settings: as behind ``--set``.
        results_dir: where results lie.

    Returns:
        ``suite, row, column, run_id, seed, metric, value, device, commit``, values in the tables' units.
    """
    variant = load_variant(profile, settings)
    trials = Trials(Store(Path(results_dir) / variant.results_name))
    loaded = load_suites(find_manifests(list(suites)), variant, "any")
    rows = [row for suite in loaded for row in paper_csv.trial_rows(judge_suite(suite, trials))]
    return pd.DataFrame(rows, columns=list(paper_csv.TRIAL_COLUMNS)).astype({"seed": "Int64"})  # costs have none


def read_claims(
    profile: str = "paper",
    suites: Sequence[str] = ("all",),
    settings: Sequence[str] = (),
    results_dir: Path | str = _RESULTS,
) -> pd.DataFrame:
    """Claims answered, one row a part, with the columns of ``claims.csv``.

    Args:
        profile: its name.
        suites: names or paths of manifests: any of the paper's for all of its claims, others for their own.
        settings: as behind ``--set``.
        results_dir: where results lie.
    """
    variant = load_variant(profile, settings)
    loaded = load_suites(find_manifests(list(suites)), variant, "any")
    judged = judge_all(loaded, Trials(Store(Path(results_dir) / variant.results_name)))
    claims = [claim for of in judged.own_claims.values() for claim in of]
    if judged.paper and any(suite.name in PAPER_SUITES for suite in loaded):
        claims = [*judged.paper.claims, *claims]
    rows = paper_csv.claim_rows(claims, variant.reports_name)
    return pd.DataFrame(rows, columns=list(paper_csv.CLAIM_COLUMNS))


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    made = result.provenance.origin()
    about = {"device": "; ".join(made["device"]), "commit": "; ".join(made["code"])}
    spec = result.spec.model_dump(mode="json")
    about |= {key: value for key, value in _flat(spec) if key not in ("kind", "variants")}
    for name, value in result.metrics.items():
        block = value if isinstance(value, dict) else {name: value}
        for metric, number in block.items():
            if is_number(number):
                variant = name if isinstance(value, dict) else None
                first = {"run_id": result.run_id, "kind": spec["kind"], "variant": variant}
                yield {**first, "metric": metric, "value": float(number), **about}


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
