"""A suite's cells as its table and the grid show them."""

from collections.abc import Sequence

from markupsafe import Markup

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.origins import mixed
from benchmark.reports.renderers.html import bars
from benchmark.reports.renderers.html.figures import between, mean_and_spread, percent, signed
from benchmark.reports.renderers.html.marks import key, mark, shape, tone
from benchmark.reports.renderers.html.material import Material, network_words
from benchmark.reports.renderers.html.model import CellView, State
from benchmark.reports.sentences import NOT_ROBUST
from benchmark.reports.standing import best_places, measured, scores_of, summary_of, wanted
from benchmark.runs.metrics import OVERHEADS
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.summary import Summary


def cell_views(one: JudgedSuite, material: Material) -> dict[tuple[str, str], CellView]:
    """Every cell of a suite."""
    best = best_places(one)
    views = _Views(one, material)
    return {
        place: views.view(cell, best=("ours", *place) in best, best_paper=("paper", *place) in best)
        for place, cell in one.cells.items()
    }


def state_of(verdict: Verdict, *, has_runs: bool, at: str = "") -> State:
    """A verdict as a mark; without one, whether anything was run is all that it says."""
    below = (verdict.difference or 0.0) < 0
    name = shape(verdict.word, strong=verdict.strong, has_runs=has_runs, below=below)
    word = f"strongly {verdict.word}" if verdict.strong else verdict.word
    if verdict.word == "no verdict":
        word = f"no verdict, {'has runs' if has_runs else 'not run'}"
    return State(mark=mark(name, verdict.word), word=word + at, tone=tone(verdict.word))


class _Views:
    """The cells of one suite; scales are those of the whole suite or row."""

    def __init__(self, one: JudgedSuite, material: Material) -> None:
        self.one, self.material = one, material
        self.rows: dict[str, list[float]] = {}
        for (row, _), cell in one.cells.items():
            if cell.reading is not None:
                self.rows.setdefault(row, []).extend(scores_of(one, cell))

    def view(self, cell: JudgedCell, *, best: bool, best_paper: bool) -> CellView:
        place = cell.cell
        summary, judged = summary_of(self.one, cell), self.material.judged
        short = summary is not None and summary.trials < wanted(self.one, cell)
        failed = self.material.failed_of(self.one, cell)
        return CellView(
            anchor=self.material.anchors[self.one.suite.name, place.row, place.column],
            row=place.row,
            column=place.column,
            ours=mean_and_spread(summary, place.reads) if summary else "",
            best=best,
            chips=self.chips(cell, summary, len(failed)),
            paper=_paper(cell) if judged else None,
            printed=mean_and_spread(place.published, place.reads) if judged and place.published else "",
            best_paper=best_paper,
            difference=self.difference(cell, summary),
            picture=self.picture(cell, summary),
            state=state_of(cell.verdict, has_runs=summary is not None),
            incomplete=short or summary is None,
            filters=self.filters(cell, summary, short, bool(failed)),
            words=f"{place.row} {place.column} {network_words(cell)}".lower(),
        )

    def chips(self, cell: JudgedCell, summary: Summary | None, failed: int) -> tuple[str, ...]:
        full = wanted(self.one, cell)
        found = [f"{summary.trials} of {full}"] if summary and summary.trials < full else []
        if cell.verdict.robust not in (None, "yes"):
            found.append(NOT_ROBUST)
        if mixed(cell.results):
            found.append("mixed")
        found += [f"failed {failed}"] if failed else []
        return tuple(found + (["unreadable"] if cell.not_counted else []))

    def filters(self, cell: JudgedCell, summary: Summary | None, short: bool, failed: bool) -> tuple[str, ...]:
        found = [key(cell.verdict.word)]
        if short:
            found.append("incomplete")
        elif summary is not None:
            found.append("complete")
        else:
            found.append("not-run")
        return tuple(found + (["failed"] if failed else []))

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


def _paper(cell: JudgedCell) -> str:
    published = cell.cell.published
    if cell.cell.is_cost:
        return _overheads(cell)
    return "paper gives none" if published is None else f"paper {mean_and_spread(published, cell.cell.reads)}"


def _overheads(cell: JudgedCell) -> str:
    """A cost's second line: percent beside the printed percent, since only these compare."""
    published = cell.cell.published
    ours = measured(cell, OVERHEADS[cell.cell.reads])
    text = "" if ours is None else f"{percent(ours)}; "
    if published is None:
        return f"{text}not in the paper"
    printed = "" if published.overhead_percent is None else f" ({percent(published.overhead_percent)})"
    return f"{text}paper {mean_and_spread(published, cell.cell.reads)}{printed}"


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
