"""Reports on disk: one folder a profile.

For each suite a CSV, a Markdown and a LaTeX file, its plot and its curves; for the whole paper its claims, its trials,
a summary, its differences and the page, index.html.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.reports import page
from benchmark.reports.changes import changes
from benchmark.reports.figures import draw, svg
from benchmark.reports.figures.gallery import collect_maps
from benchmark.reports.paper import Judgement, Paper, judge_all
from benchmark.reports.renderers import latex, markdown, paper_csv, summary, tidy_csv
from benchmark.reports.renderers.html.render import MOST_BYTES as MOST_PAGE
from benchmark.reports.renderers.html.render import render as render_page
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.suite import Suite
from benchmark.system.files import read_regular, write_atomic

__all__ = ["MOST_PAGE", "stale_reports", "write_reports"]

_MOST_REPORT = 256 * 2**20  # bytes; an SVG of hundreds of maps is large


def write_reports(
    suites: Sequence[Suite],
    store: Store,
    reports_dir: Path,
    trials: int | None = None,
    *,
    cache_dir: Path | None = None,
    judged: Judgement | None = None,
    told: Callable[[str], object] = lambda _: None,
) -> list[Path]:
    """Write the reports of these suites from the results in the store; the same results give the same bytes.

    Args:
        suites: suites under one profile.
        store: that profile's results.
        reports_dir: the folder above the profiles' own, ``reports``.
        trials: trials a complete training has; each suite's own number by default.
        cache_dir: where packed images lie, for pictures that show some; without it their places stay empty.
        judged: the suites, where they are judged already.
        told: hears of each cell and claim that changes.

    Returns:
        The files written.

    Raises:
        OSError: a file can't be written.
    """
    written = []
    judged = judged or _judged(suites, store)
    for path, data in _reports(judged, reports_dir, trials, cache_dir) if judged else ():
        _tell(path, data, told)
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
    told: Callable[[str], object] = lambda _: None,
) -> list[Path]:
    """The files that :func:`write_reports` would change or add, and what it would tell; nothing is written."""
    judged = _judged(suites, store)
    reports = _reports(judged, reports_dir, trials, cache_dir) if judged else ()
    stale = []
    for path, data in reports:
        if not _is_current(path, data):
            _tell(path, data, told)
            stale.append(path)
    return stale


def _tell(path: Path, data: bytes, told: Callable[[str], object]) -> None:
    """Say what a file's new content changes; of one that isn't there, or can't be read, everything is new."""
    if path.suffix != ".csv":
        return
    try:
        before = read_regular(path, _MOST_REPORT).decode()
    except (OSError, UnicodeDecodeError):
        return
    for line in changes(path.stem, before, data.decode()):
        told(line)


def _judged(suites: Sequence[Suite], store: Store) -> Judgement | None:
    return judge_all(suites, Trials(store)) if suites else None


def _reports(
    judged: Judgement, reports_dir: Path, trials: int | None, cache_dir: Path | None
) -> Iterator[tuple[Path, bytes]]:
    """Every report's path and content, a suite at a time; a suite is whole before its first file comes."""
    for one in judged.suites:
        suite = one.suite
        table = tabulate(one, trials)
        gallery = collect_maps(suite, judged.trials, cache_dir) if suite.manifest.plot == "maps" else None
        contents = {
            "csv": tidy_csv.render(one, trials).encode(),
            "md": markdown.render(suite, table, judged.own_claims.get(suite.name, ())).encode(),
            **draw.of_suite(one, table, gallery),
            "tex": latex.table(one, table).encode(),
        }
        if suite.name not in PAPER_SUITES:
            contents["trials.csv"] = paper_csv.trials([one]).encode()
        if own := judged.own_claims.get(suite.name):
            contents["claims.csv"] = paper_csv.claims(own, suite.variant.reports_name).encode()
        for ending, data in contents.items():
            yield reports_dir / suite.variant.reports_name / f"{suite.name}.{ending}", data
    if judged.paper is not None:
        yield from _whole_paper(judged.paper, reports_dir)
        yield _page(judged, judged.paper, reports_dir)


def _page(judged: Judgement, paper: Paper, reports_dir: Path) -> tuple[Path, bytes]:
    """The page, whichever suites were asked for."""
    others = page.others_with_results(paper.variant, judged.trials, judged.suites)
    shown = [one for one in (*paper.suites, *others) if page.has_results(one) and one.suite.manifest.plot != "maps"]
    plots = {one.suite.name: svg.render(draw.canvas_of(one, tabulate(one))) for one in shown}
    html = render_page(page.material(paper, others, judged.trials, plots, reports_dir))
    return reports_dir / paper.variant.reports_name / page.NAME, html.encode()


def _whole_paper(paper: Paper, reports_dir: Path) -> Iterator[tuple[Path, bytes]]:
    """What is always of all the paper's suites, whichever were asked for."""
    variant = paper.variant
    contents = {
        "claims.tex": latex.claims(paper),
        "claims.csv": paper_csv.claims(paper.claims, variant.reports_name),
        "trials.csv": paper_csv.trials(paper.suites),
        "summary.md": summary.render(paper),
    }
    if variant.against_paper:
        contents["summary.csv"] = paper_csv.summary(paper.overalls)
    for name, text in contents.items():
        yield reports_dir / variant.reports_name / name, text.encode()
    for name, data in draw.of_paper(paper).items():
        yield reports_dir / variant.reports_name / name, data


def _is_current(path: Path, data: bytes) -> bool:
    try:
        found = read_regular(path, _MOST_REPORT)
    except OSError:
        return False
    return found == data or (path.suffix == ".png" and _same_pixels(found, data))


def _same_pixels(found: bytes, wanted: bytes) -> bool:
    """Whether two PNGs show the same: compression may pack equal pixels differently on another processor."""
    try:
        one, other = (
            np.asarray(Image.open(io.BytesIO(data), formats=["PNG"]).convert("RGB")) for data in (found, wanted)
        )
    except (OSError, SyntaxError, ValueError):  # PIL's ways to say that it is no whole PNG
        return False
    return np.array_equal(one, other)
