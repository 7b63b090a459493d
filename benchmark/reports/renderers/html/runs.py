"""The section on runs: what failed, is missing, unreadable or mixed, and what is newest."""

import re
import shlex

from benchmark.reports.commands import variant_words
from benchmark.reports.origins import mixed
from benchmark.reports.renderers.html.figures import suite_label
from benchmark.reports.renderers.html.heading import ended, left
from benchmark.reports.renderers.html.material import Material
from benchmark.reports.renderers.html.model import FailedRun, RunsView
from benchmark.results.store import Result
from benchmark.wording import one_line, some

_LOG_LINES, _LOG_LENGTH, _NEWEST = 20, 300, 10
#: A path of some machine in a log, of which its file's name is enough.
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\'\":,()]+)+[/\\]([^\s/\\'\":,()]+)")


def runs_view(material: Material) -> RunsView:
    """Everything that a maintainer looks for."""
    failures = material.failures
    return RunsView(
        table=tuple(_table(material)),
        failed=tuple(_failed(name, failures[name]) for name in sorted(failures)),
        unreadable=tuple(
            sorted({name for one in material.every for cell in one.cells.values() for name in cell.not_counted})
        ),
        mixed=tuple(_mixed(material)),
        newest=tuple(_newest(material)),
        left=_left(material),
        first_command=shlex.join(["python", "run_suite.py", "table1", *variant_words(material.variant)]),
    )


def _left(material: Material) -> str:
    text = left(material.paper)
    return "Nothing is left to run." if text == "nothing" else f"Left to run: {text}."


def _table(material: Material) -> list[tuple[str, str, int, int, int]]:
    labels = {one.suite.name: suite_label(one.suite.name) for one in material.suites} | {"all": "All together"}
    runs, failed = material.paper.runs, material.paper.failed
    return [
        (label, "" if name == "all" else name, runs[name][1], runs[name][0], failed[name])
        for name, label in labels.items()
    ]


def _failed(name: str, result: Result | None) -> FailedRun:
    if result is None or result.failure is None:
        return FailedRun(run_id=name, status="failed", reason="Its record can't be read.", log=())
    log = [tidy(line) for line in result.failure.log_tail[-_LOG_LINES:]]
    return FailedRun(
        run_id=name, status=result.status.replace("_", " "), reason=tidy(result.failure.reason), log=tuple(log)
    )


def tidy(line: str) -> str:
    """A line of somebody's log: short, visible, without a machine's folders."""
    return one_line(_PATH.sub(r"\1", line[: 20 * _LOG_LENGTH]), _LOG_LENGTH)


def _mixed(material: Material) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for one in material.every:
        for (row, column), cell in one.cells.items():
            if text := mixed(cell.results):
                found.setdefault(text, []).append(f"{suite_label(one.suite.name)}, {row} / {column}")
    return [(one_line(text), some(cells)) for text, cells in found.items()]


def _newest(material: Material) -> list[tuple[str, str, str]]:
    latest = sorted(material.results, key=lambda result: (ended(result), result.run_id), reverse=True)[:_NEWEST]
    return [
        (
            ended(result).replace("T", " ")[:16],
            result.run_id,
            one_line(", ".join(result.provenance.origin()["device"]), 120),
        )
        for result in latest
    ]
