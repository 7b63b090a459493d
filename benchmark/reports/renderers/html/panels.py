"""Everything about one cell: what is said of it, its trials and curves, where they come from, how to run it again."""

import re
import shlex
import statistics
from typing import Any

from markupsafe import Markup

from benchmark.reports.commands import variant_words
from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.numbers import as_printed
from benchmark.reports.origins import mixed
from benchmark.reports.renderers.html.curves import Line, Lines, draw, line_of
from benchmark.reports.renderers.html.figures import (
    between,
    number,
    p_value,
    percent,
    signed,
    suite_label,
)
from benchmark.reports.renderers.html.material import Material, where
from benchmark.reports.renderers.html.model import CellView, Panel, TrialRow
from benchmark.reports.standing import entry_of, seconds_of, short
from benchmark.reports.table import TableCell
from benchmark.results.store import Result
from benchmark.runs.spec import TrainSpec
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.reading import Reading
from benchmark.wording import duration, one_line

#: The best epoch's scores decide nothing where the last one's are reported.
_EPOCHS = ("Last epoch", "Best epoch (the test set chose it)")
_ORIGIN = {
    "code": "Code",
    "torch": "PyTorch",
    "device": "Device",
    "data_digest": "Images",
    "environment": "Environment",
}
_COMMANDS = ("What trains it", "trains its first trial again and compares")
_OF_COST = {"memory_mib": "Memory (MiB)", "seconds_per_step": "Time (s a step)"}


def panel(one: JudgedSuite, cell: JudgedCell, view: CellView, material: Material, lines: Lines) -> Panel:
    """One cell's panel; ``lines`` collects the curves that it draws."""
    curve, curve_says = _curve(one, cell, lines)
    shown = material.tables[one.suite.name].cells[view.row, view.column]
    return Panel(
        cell=view,
        where=suite_label(one.suite.name),
        sentences=sentences(one, cell, shown, material),
        paper=_paper(one, cell, shown),
        trials=tuple(_trial(cell, shown, result, material) for result in cell.results),
        value_names=(_OF_COST[cell.cell.reads], "Overhead") if cell.cell.is_cost else _EPOCHS,
        curve=curve,
        curve_says=curve_says,
        provenance=_provenance(cell),
        choices=_choices(cell),
        **_commands(one, cell),
        shared=tuple(
            (where(place), material.anchors[place])
            for place in material.readers[entry_of(cell)]
            if place != (one.suite.name, view.row, view.column)
        ),
    )


# ------------------------------------------------------------------ the verdict


def sentences(one: JudgedSuite, cell: JudgedCell, shown: TableCell, material: Material) -> tuple[str, ...]:
    """What is said of a cell, the verdict first."""
    verdict, reading = cell.verdict, cell.reading
    if not material.judged:
        return (f"Not held against the paper: profile {material.variant.reports_name} is another protocol.",)
    strong = "strongly " if verdict.strong else ""
    word = f"{strong}{verdict.word}"
    found = [f"{word[0].upper()}{word[1:]}: {verdict.reason}."]
    if reading is None:
        return (*found, *_cost_sentence(shown))
    if verdict.difference is not None:
        found.append(_distance(verdict, reading))
    found += [text for text in (_tests(verdict), _readings(verdict), _prediction(verdict, reading, one)) if text]
    if verdict.trials_needed is not None:
        needed = verdict.trials_needed
        settle = (
            f"{needed} trials would settle it" if needed != "none" else "No number of trials up to 64 would settle it"
        )
        found.append(f"{settle}, if means and spreads stayed as they are.")
    return tuple(found)


def _distance(verdict: Verdict, reading: Reading) -> str:
    assert verdict.difference is not None
    text = f"Ours less the paper's: {signed(verdict.difference)} points"
    if verdict.interval90:
        text += f", 90 % interval {between(verdict.interval90)}"
    return f"{text}; the margin is ±{reading.margin:g}."


def _tests(verdict: Verdict) -> str:
    if verdict.p_equivalence is None or verdict.p_difference is None or verdict.p_difference_holm is None:
        return ""
    return (
        f"Two one-sided tests of equivalence {p_value(verdict.p_equivalence)}; Welch's test of a difference "
        f"{p_value(verdict.p_difference)}, after Holm over the suite {p_value(verdict.p_difference_holm)}."
    )


def _readings(verdict: Verdict) -> str:
    text = ""
    if verdict.robust == "yes":
        text = "Every other reading of ±, and spreads pooled over the table, give the same word."
    elif verdict.robust:
        text = f"† Another word under another reading of ±: {verdict.robust}."
    if verdict.best_epoch and verdict.best_epoch != verdict.word:
        text += f" By the best epochs it would be {verdict.best_epoch}."
    return text.strip()


def _prediction(verdict: Verdict, reading: Reading, one: JudgedSuite) -> str:
    scores = reading.scores(one.suite.variant.epoch_reported)
    if verdict.prediction95 is None or not scores:
        return ""
    low, high = verdict.prediction95
    inside = low <= statistics.fmean(scores.values()) <= high
    assumed = ", spread assumed" if reading.published and reading.published.std is None else ""
    said = "as it does" if inside else "and it does not"
    return f"By the paper alone our mean should fall between {number(low)} and {number(high)}{assumed}, {said}."


def _cost_sentence(shown: TableCell) -> tuple[str, ...]:
    ours, published = shown.overhead_percent, shown.published
    if ours is None or published is None or published.overhead_percent is None:
        return ()
    return (f"Overhead {percent(ours)}, in the paper {percent(published.overhead_percent)}.",)


def _paper(one: JudgedSuite, cell: JudgedCell, shown: TableCell) -> str:
    published, source = shown.published, one.suite.manifest.source
    if published is None:
        return f"The paper prints no number here. Source: {source}."
    overhead = "" if published.overhead_percent is None else f" ({percent(published.overhead_percent)})"
    assumed = cell.reading and cell.reading.published and cell.reading.published.assumed_std
    spread = f"; no spread is printed, ± {assumed:g} assumed" if published.std is None and assumed else ""
    return f"The paper prints {as_printed(shown.metric, published)}{overhead}{spread}: {source}."


# ------------------------------------------------------------------ trials and curves


def _trial(cell: JudgedCell, shown: TableCell, result: Result, material: Material) -> TrialRow:
    seed = result.spec.seed if isinstance(result.spec, TrainSpec) else None
    if seed is None:
        last = as_printed(shown.metric, shown.summary) if shown.summary else ""
        best = "" if shown.overhead_percent is None else percent(shown.overhead_percent)
    else:
        assert cell.reading is not None
        last, best = number(cell.reading.last_epoch[seed]), number(cell.reading.best_epoch[seed])
    seconds = seconds_of(result)
    file = f"{result.run_id}.json"
    return TrialRow(
        seed="none" if seed is None else str(seed),
        last=last,
        best=best,
        took="; ".join([*([] if seconds is None else [duration(seconds)]), *_devices(cell, result)]),
        file=file,
        link=None if material.beside is None else f"{material.beside}/{file}",
    )


def _devices(cell: JudgedCell, result: Result) -> list[str]:
    """A trial's devices, where not all trials have the one that stands below them."""
    each = [one.provenance.origin()["device"] for one in cell.results]
    return [] if all(devices == each[0] for devices in each) else result.provenance.origin()["device"]


def _curve(one: JudgedSuite, cell: JudgedCell, lines: Lines) -> tuple[Markup | None, str]:
    if cell.reading is None:
        return None, ""
    error, prediction = cell.reading.lower_is_better, cell.reading.prediction
    found: list[Line] = []
    for seed, result in sorted(cell.by_seed.items()):
        line = line_of(result.run_id, seed, result.history, prediction) or line_of(
            result.run_id, seed, result.history, cell.cell.reads
        )
        if line:
            found.append(line)
    shown = cell.cell.published.mean if one.suite.variant.against_paper and cell.cell.published else None
    picture = draw(found, prediction, lines, error=error, paper=shown)
    if picture is None:
        return None, ""
    kind = "error" if error else "accuracy"
    dashes = "; dashes are the paper's number" if shown is not None else ""
    seeds = ", ".join(str(line.seed) for line in found)
    return picture, f"Test {kind} (%) over the epochs, seeds {seeds}; ticks are falls of the learning rate{dashes}."


# ------------------------------------------------------------------ where it comes from


def _provenance(cell: JudgedCell) -> str:
    if not cell.results:
        return ""
    origins = [result.provenance.origin() for result in cell.results]
    found = []
    for name, label in _ORIGIN.items():
        values = list(dict.fromkeys(short(value) for one in origins for value in one[name]))
        text = ", ".join(values)
        found.append((label, text.replace("+uncommitted", ", with uncommitted changes") if name == "code" else text))
    found.append(("Precision", ", ".join(dict.fromkeys(result.spec.numerics.precision for result in cell.results))))
    if differing := mixed(cell.results):
        found.append(("Mixed", differing))
    return " · ".join(f"{name} {one_line(text, 300)}" for name, text in found)


def _choices(cell: JudgedCell) -> tuple[tuple[str, str], ...]:
    """Named choices and numerics that are not the defaults."""
    spec = cell.cell.spec
    groups = [spec.numerics, *([spec.choices] if isinstance(spec, TrainSpec) else [])]
    return tuple(
        (name, str(value)) for group in groups for name, value in group.model_dump(exclude_defaults=True).items()
    )


def _commands(one: JudgedSuite, cell: JudgedCell) -> dict[str, Any]:
    """What trains the cell's runs, then what trains the first of them again, beside it, and compares.

    A measurement comes out anew each time.
    """
    place = " / ".join(re.sub(r"([*?\[])", r"[\1]", name) for name in (cell.cell.row, cell.cell.column))
    begin, end = ["python", "run_suite.py"], variant_words(one.suite.variant)
    words = [[*begin, one.suite.name, "--only", place, *end]]
    if cell.results and not cell.cell.is_cost:
        words.append([*begin, "reproduce", cell.results[0].run_id, *end])
    commands = tuple(shlex.join(one_line(word, 600) for word in command) for command in words)
    return {"commands": commands, "commands_for": " · ".join(_COMMANDS[: len(commands)])}
