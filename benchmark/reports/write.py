"""Reports on disk: one folder a profile, and for each suite a CSV, a Markdown file and two pictures (floor 3)."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.image
import numpy as np

from benchmark.files import read_regular, write_atomic
from benchmark.reports import markdown, plots, tidy_csv
from benchmark.reports.frame import collect
from benchmark.reports.gallery import collect_maps
from benchmark.reports.runs import Runs
from benchmark.reports.table import tabulate
from benchmark.store import Store
from benchmark.suite import Suite

_MOST_REPORT = 256 * 2**20  # bytes; an SVG of hundreds of maps is large


def write_reports(
    suites: Sequence[Suite],
    store: Store,
    reports_dir: Path,
    trials: int | None = None,
    *,
    cache_dir: Path | None = None,
) -> list[Path]:
    """Write the reports of these suites from the results in the store; the same results give the same bytes.

    Args:
        suites: suites under one profile.
        store: that profile's results.
        reports_dir: the folder above the profiles' own, ``reports``.
        trials: trials a complete training has; each suite's own number by default.
        cache_dir: where packed images lie, for pictures that show some; without it their places stay empty.

    Returns:
        The files written.

    Raises:
        OSError: a file can't be written.
    """
    written = []
    for path, data in _reports(suites, store, reports_dir, trials, cache_dir):
        write_atomic(path, data)
        written.append(path)
    return written


def stale_reports(
    suites: Sequence[Suite],
    store: Store,
    reports_dir: Path,
    trials: int | None = None,
    *,
    cache_dir: Path | None = None,
) -> list[Path]:
    """The files that :func:`write_reports` would change or add; nothing is written."""
    reports = _reports(suites, store, reports_dir, trials, cache_dir)
    return [path for path, data in reports if not _is_current(path, data)]


def _reports(
    suites: Sequence[Suite], store: Store, reports_dir: Path, trials: int | None, cache_dir: Path | None
) -> Iterator[tuple[Path, bytes]]:
    """Every report's path and content, a suite at a time; a suite is whole before its first file comes."""
    runs = Runs(store)
    for suite in suites:
        frame = collect(suite, runs, trials)
        table = tabulate(suite, frame)
        gallery = collect_maps(suite, runs, cache_dir) if suite.manifest.plot == "maps" else None
        png, svg = plots.images(suite, table, gallery)
        contents = {
            "csv": tidy_csv.render(frame).encode(),
            "md": markdown.render(suite, table).encode(),
            "png": png,
            "svg": svg,
        }
        folder = reports_dir / suite.variant.reports_name
        for ending, data in contents.items():
            yield folder / f"{suite.name}.{ending}", data


def _is_current(path: Path, data: bytes) -> bool:
    try:
        found = read_regular(path, _MOST_REPORT)
    except OSError:
        return False
    return found == data or (path.suffix == ".png" and _same_pixels(found, data))


def _same_pixels(found: bytes, wanted: bytes) -> bool:
    """Whether two PNGs show the same: compression may pack equal pixels differently on another processor."""
    try:
        pixels = matplotlib.image.imread(io.BytesIO(found), format="png")
    except (OSError, SyntaxError, ValueError):  # PIL's ways to say that it is no whole PNG
        return False
    return np.array_equal(pixels, matplotlib.image.imread(io.BytesIO(wanted), format="png"))
