"""A suite's cells as its table and the grid show them."""

from collections.abc import Sequence

from markupsafe import Markup

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.numbers import as_printed
from benchmark.reports.origins import mixed
from benchmark.reports.renderers.html import bars
from benchmark.reports.renderers.html.figures import between, percent, signed
from benchmark.reports.renderers.html.marks import key, mark, shape, tone
from benchmark.reports.renderers.html.material import Material, network_words
from benchmark.reports.renderers.html.model import CellView, State
from benchmark.reports.sentences import NOT_ROBUST
from benchmark.reports.standing import scores_of
from benchmark.reports.table import TableCell
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.summary import Summary


def cell_views(one: JudgedSuite, material: Material) -> dict[tuple[str, str], CellView]:
    """Every cell of a suite."""
    views, table = _Views(one, material), material.tables[one.suite.name]
    return {place: views.view(cell, table.cells[place]) for place, cell in one.cells.items()}


def state_of(verdict: Verdict, *, has_runs: bool) -> State:
    """A verdict as a mark; without one, whether anything was run is all that it says."""
    below = (verdict.difference or 0.0) < 0
    name = shape(verdict.word, strong=verdict.strong, has_runs=has_runs, below=below)
    word = f"strongly {verdict.word}" if verdict.strong else verdict.word
    if verdict.word == "no verdict":
        word = f"no verdict, {'has runs' if has_runs else 'not run'}"
    return State(mark=mark(name, verdict.word), word=word, tone=tone(verdict.word))


class _Views:
    """The cells of one suite; scales are those of the whole suite or row."""

    def __init__(self, one: JudgedSuite, material: Material) -> None:
        self.one, self.material = one, material
        self.rows: dict[str, list[float]] = {}
        for (row, _), cell in one.cells.items():
            if cell.reading is not None:
                self.rows.setdefault(row, []).extend(scores_of(one, cell))

    def view(self, cell: JudgedCell, shown: TableCell) -> CellView:
        place, summary, judged = cell.cell, shown.summary, self.material.judged
        failed = self.material.failed_of(self.one, cell)
        return CellView(
            anchor=self.material.anchors[self.one.suite.name, place.row, place.column],
            row=place.row,
            column=place.column,
            ours=as_printed(shown.metric, summary) if summary else "",
            best=shown.best_ours,
            chips=_chips(cell, shown, len(failed)),
            paper=_paper(shown) if judged else None,
            printed=as_printed(shown.metric, shown.published) if judged and shown.published else "",
            best_paper=shown.best_published,
            difference=self.difference(cell, summary),
            picture=self.picture(cell, summary),
            state=state_of(cell.verdict, has_runs=summary is not None),
            incomplete=not shown.is_complete,
            filters=_filters(cell, shown, bool(failed)),
            words=f"{place.row} {place.column} {network_words(cell)}".lower(),
        )

    def difference(self, cell: JudgedCell, summary: Summary | None) -> str:
        if not self.material.judged or cell.cell.is_cost:
            return ""
        return "" if cell.verdict.difference is None or summary is None else signed(cell.verdict.difference)

    # -------------------------------------------------------------- bars

    def picture(self, cell: JudgedCell, summary: Summary | None) -> Markup | None:
        """The bar of a cell; a cost has none, its overheads stand there."""
        if summary is None or cell.cell.is_cost:
            return None
        if not self.material.judged:
            return self.strip(cell, summary)
        published, reading = cell.cell.published, cell.reading
        if published is None or reading is None or summary.trials < 2:
            return None
        trials = [score - published.mean for score in scores_of(self.one, cell)]
        verdict, margin = cell.verdict, reading.margin
        assumed = published.std is None and verdict.prediction95 is not None
        band = (-margin, margin)
        if assumed and verdict.prediction95:
            band = (verdict.prediction95[0] - published.mean, verdict.prediction95[1] - published.mean)
        return bars.distance(
            trials=trials,
            mean=summary.mean - published.mean,
            interval=verdict.interval90,
            reach=(-bars.CELL_REACH * margin, bars.CELL_REACH * margin),
            band=band,
            dashed=assumed,
            word=verdict.word,
            says=_in_words(verdict, margin, assumed, band),
        )

    def strip(self, cell: JudgedCell, summary: Summary) -> Markup | None:
        scores = self.rows.get(cell.cell.row, [])
        low, high = min(scores), max(scores)
        if high - low < 1e-9:
            return None
        pad = 0.04 * (high - low)
        trials = scores_of(self.one, cell)
        says = f"trials from {min(trials):.2f} to {max(trials):.2f}, the row's from {low:.2f} to {high:.2f}"
        return bars.strip(trials=trials, mean=summary.mean, reach=(low - pad, high + pad), says=says)


def _in_words(verdict: Verdict, margin: float, assumed: bool, band: tuple[float, float]) -> str:
    parts = [f"ours less the paper's {signed(verdict.difference or 0.0)}"]
    if verdict.interval90:
        parts.append(f"90 % interval {between(verdict.interval90)}")
    parts.append(f"prediction interval {between(band)}, spread assumed" if assumed else f"margin ±{margin:g}")
    return "; ".join(parts)


def _chips(cell: JudgedCell, shown: TableCell, failed: int) -> tuple[str, ...]:
    found = []
    if shown.summary and not shown.is_complete:
        found.append(f"{shown.summary.trials} of {shown.trials_wanted}")
    if cell.verdict.robust not in (None, "yes"):
        found.append(NOT_ROBUST)
    if mixed(cell.results):
        found.append("mixed")
    found += [f"failed {failed}"] if failed else []
    return tuple(found + (["unreadable"] if cell.not_counted else []))


def _filters(cell: JudgedCell, shown: TableCell, failed: bool) -> tuple[str, ...]:
    begun = "incomplete" if shown.summary else "not-run"
    return (key(cell.verdict.word), "complete" if shown.is_complete else begun, *(["failed"] if failed else []))


def _paper(shown: TableCell) -> str:
    if shown.is_cost:
        return _overheads(shown)
    return "paper gives none" if shown.published is None else f"paper {as_printed(shown.metric, shown.published)}"


def _overheads(shown: TableCell) -> str:
    """A cost's second line: percent beside the printed percent, since only these compare."""
    text = "" if shown.overhead_percent is None else f"{percent(shown.overhead_percent)}; "
    if shown.published is None:
        return f"{text}not in the paper"
    printed = shown.published.overhead_percent
    overhead = "" if printed is None else f" ({percent(printed)})"
    return f"{text}paper {as_printed(shown.metric, shown.published)}{overhead}"


def stacked(suites: Sequence[JudgedSuite]) -> list[tuple[float, str, str]]:
    """Every judged cell's distance from the paper in margins, with its shape and word."""
    found: list[tuple[float, str, str]] = []
    for one in suites:
        for cell in one.cells.values():
            verdict, reading = cell.verdict, cell.reading
            if reading is None or verdict.difference is None or verdict.word == "no verdict":
                continue
            name = shape(verdict.word, strong=verdict.strong, below=verdict.difference < 0)
            found.append((verdict.difference / reading.margin, name, verdict.word))
    return found
