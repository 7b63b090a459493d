"""The whole paper on one card: its claims, every printed number as a mark, and how much has been run."""

from collections.abc import Mapping, Sequence

from benchmark.reports.figures.canvas import Canvas
from benchmark.reports.figures.palette import HAIRLINE, INK, LOW, MUTED
from benchmark.reports.figures.seals import SEALS, seal
from benchmark.reports.figures.text import cut, width, wrapped
from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.paper import Paper
from benchmark.reports.sentences import about_claims

#: Units; two pixels each.
WIDTH, HEIGHT, _MARGIN = 640.0, 320.0, 20.0
_LEFT_ENDS, _RIGHT = 286.0, 306.0
_PITCH, _HALF, _SMALL, _TITLE = 10.0, 3.9, 6.5, 11.0

#: Each claim in a few words; of a claim that is not here its statement is cut.
SHORT: Mapping[str, str] = {
    "1": "SFE's single inference beats the baseline",
    "2": "Aggregated inference adds nothing",
    "3": "Self-distillation alone beats the baseline",
    "4": "SFE costs little, SLA costs much",
    "5": "SFE comes close to SLA",
    "6": "SFE improves Cutout, Mixup and SLA",
    "7": "Three gains as large as printed",
    "8a": "The earlier the transformation, the better",
    "8b": "Later layers gain as K grows",
    "8c": "After Layer1, K = 5 is best",
    "9a": "Two classifiers beat one and three",
    "9b": "The pretext task helps any number",
    "10": "Accuracy declines as β grows",
}


def scoreboard(paper: Paper) -> Canvas:
    """1280 × 640 pixels."""
    sentence = about_claims(paper)
    canvas = Canvas(WIDTH, HEIGHT, title=f"Self-supervised Feature Enhancement, reproduced. {sentence}")
    _head(canvas, paper, sentence)
    _claims(canvas, paper)
    _grid(canvas, paper)
    _foot(canvas, paper)
    return canvas


def _head(canvas: Canvas, paper: Paper, sentence: str) -> None:
    name = paper.variant.reports_name
    canvas.text(
        _MARGIN, 22, f"Self-supervised Feature Enhancement · reproduction · profile {name}", _SMALL, colour=MUTED
    )
    machinery = paper.variant.profile.judges == "nothing"
    text = "This shows that the machinery runs; nothing is judged." if machinery else sentence
    for index, line in enumerate(wrapped(text, _TITLE, WIDTH - 2 * _MARGIN, bold=True, lines=2)):
        canvas.text(_MARGIN, 39 + 14 * index, line, _TITLE, bold=True)


def _claims(canvas: Canvas, paper: Paper) -> None:
    canvas.text(_MARGIN, 76, "What the paper claims", 8, bold=True)
    for index, claim in enumerate(paper.claims):
        y = 88 + 14.6 * index
        word = claim.verdict.word if paper.variant.judges_claims else "not judged"
        seal(canvas, word, _MARGIN + 5, y, 5)
        decided = SEALS[word].how == "solid"
        short = SHORT.get(claim.claim, claim.statement)
        right = f"{word}, {claim.verdict.supported} of {claim.verdict.parts}" if word != "not judged" else word
        beside = width(right, _SMALL) + 8
        text = cut(f"{claim.claim}  {short}", 7, _LEFT_ENDS - _MARGIN - 16 - beside)
        canvas.text(_MARGIN + 16, y + 2.6, text, 7, colour=INK if decided else MUTED)
        canvas.text(_LEFT_ENDS, y + 2.6, right, _SMALL, "end", colour=SEALS[word].colour)


# ------------------------------------------------------------------ the numbers


def _grid(canvas: Canvas, paper: Paper) -> None:
    canvas.text(_RIGHT, 76, "Every printed number" if paper.variant.against_paper else "Every number", 8, bold=True)
    x, y, lowest = _RIGHT, 90.0, 90.0
    for judged in paper.suites:
        lines = _lines(judged)
        across = max(max(map(len, lines)) * _PITCH, width(_label(judged), _SMALL))
        if x > _RIGHT and x + across > WIDTH - _MARGIN:
            x, y = _RIGHT, lowest + 14
        canvas.text(x, y, _label(judged), _SMALL, colour=MUTED)
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                if cell is not None:
                    _cell(canvas, judged, cell, x + _PITCH * (column + 0.5), y + 9 + _PITCH * row)
        lowest = max(lowest, y + 9 + _PITCH * len(lines))
        x += across + 14
    _words(canvas, paper, lowest + 6)


def _label(judged: JudgedSuite) -> str:
    name = judged.suite.name
    return f"{name[:-1].capitalize()} {name[-1]}"


def _lines(judged: JudgedSuite) -> list[list[JudgedCell | None]]:
    """Score cells in rows and columns as printed; tall ones with few columns lie on their side."""
    rows = [row.name for row in judged.suite.manifest.rows]
    columns = [column.name for column in judged.suite.manifest.columns]
    scores = {place: cell for place, cell in judged.cells.items() if cell.reading is not None}
    columns = [column for column in columns if any((row, column) in scores for row in rows)]
    rows = [row for row in rows if any((row, column) in scores for column in columns)]
    if len(columns) < 3 and len(rows) > 2 * len(columns):
        return [[scores.get((row, column)) for row in rows] for column in columns]
    return [[scores.get((row, column)) for column in columns] for row in rows]


def _cell(canvas: Canvas, judged: JudgedSuite, cell: JudgedCell, x: float, y: float) -> None:
    word = word_of(judged, cell)
    partial = SEALS[word].how != "dashed" and len(cell.results) < judged.suite.trials
    seal(canvas, word, x, y, _HALF, partial=partial, up=(cell.verdict.difference or 0.0) > 0)


def word_of(judged: JudgedSuite, cell: JudgedCell) -> str:
    """The verdict where the profile gives any, else whether there are runs."""
    if judged.suite.variant.against_paper and cell.verdict.word != "no verdict":
        return cell.verdict.word
    return "has runs" if cell.results else "no verdict"


def _words(canvas: Canvas, paper: Paper, y: float) -> None:
    """What the marks say, and how often."""
    found = [word_of(one, cell) for one in paper.suites for cell in one.cells.values() if cell.reading is not None]
    named = {"no verdict": "no verdict", "has runs": "runs, no verdict"}
    if not paper.variant.against_paper:
        named = {"no verdict": "not run", "has runs": "has runs"}
    x = _RIGHT
    for word in SEALS:
        if count := found.count(word):
            text = f"{named.get(word, word)} {count}"
            if x + 12 + width(text, _SMALL) > WIDTH - _MARGIN:
                x, y = _RIGHT, y + 13
            seal(canvas, word, x + 4, y + 4, _HALF)
            canvas.text(x + 11, y + 6.4, text, _SMALL)
            x += 11 + width(text, _SMALL) + 12


# ------------------------------------------------------------------ the runs


def _foot(canvas: Canvas, paper: Paper) -> None:
    done, planned = paper.runs["all"]
    left, right, y = _MARGIN, WIDTH - _MARGIN, HEIGHT - 28
    canvas.box(left, y, right, y + 5, HAIRLINE)
    reached = left + (right - left) * done / max(planned, 1)
    canvas.box(left, y, reached, y + 5, INK)
    failed = (right - left) * paper.failed["all"] / max(planned, 1)
    if failed:
        canvas.box(reached, y, min(reached + max(failed, 1.5), right), y + 5, LOW)
    text = f"{done} of {planned} runs" + (f", {paper.failed['all']} failed" if failed else "")
    canvas.text(left, y + 16, text, 7)
    devices = _devices(paper.suites)
    if devices:
        room = right - left - width(text, 7) - 20
        canvas.text(right, y + 16, cut(f"on {', '.join(devices)}", 7, room), 7, "end", colour=MUTED)


def _devices(suites: Sequence[JudgedSuite]) -> list[str]:
    """What the results were made on, most first."""
    results = {result.run_id: result for one in suites for cell in one.cells.values() for result in cell.results}
    counts: dict[str, int] = {}
    for result in results.values():
        for device in result.provenance.origin()["device"]:
            counts[device] = counts.get(device, 0) + 1
    return sorted(counts, key=lambda device: (-counts[device], device))
