"""What the page is made of, gathered once: every cell judged, failures on record, files that lie beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from benchmark.reports.judged import JudgedCell, JudgedSuite
from benchmark.reports.paper import Paper
from benchmark.reports.renderers.html.figures import suite_label
from benchmark.reports.renderers.html.slug import addresses
from benchmark.reports.standing import entry_of, failed_of
from benchmark.reports.table import Table, tabulate
from benchmark.results.store import Result
from benchmark.suites.profiles import Variant

Place = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything that the page says is worked out from this.

    Attributes:
        paper: claims, verdicts and counts of the paper's suites.
        suites: those suites, judged, in their order.
        others: further suites with results.
        failures: failed runs by their id; None for a record that can't be read.
        plots: SVG files by suite.
        beside: the results' folder as seen from the page's; None where they don't lie together.
    """

    paper: Paper
    suites: tuple[JudgedSuite, ...]
    others: tuple[JudgedSuite, ...] = ()
    failures: Mapping[str, Result | None]
    plots: Mapping[str, bytes]
    beside: str | None

    @property
    def variant(self) -> Variant:
        """Profile and settings."""
        return self.paper.variant

    @property
    def judged(self) -> bool:
        """Whether cells are held against the paper."""
        return self.variant.against_paper

    @property
    def every(self) -> tuple[JudgedSuite, ...]:
        """The paper's suites, then the others."""
        return (*self.suites, *self.others)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """Every suite as it is printed, by its name."""
        return {one.suite.name: tabulate(one) for one in self.every}

    @cached_property
    def anchors(self) -> Mapping[Place, str]:
        """The address of every cell."""
        return addresses((one.suite.name, row, column) for one in self.every for row, column in one.cells)

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """Those that the paper's cells read, each once, by id."""
        found = {r.run_id: r for one in self.suites for cell in one.cells.values() for r in cell.results}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def readers(self) -> Mapping[str, tuple[Place, ...]]:
        """The cells that read each entry."""
        found: dict[str, list[Place]] = {}
        for one in self.every:
            for (row, column), cell in one.cells.items():
                found.setdefault(entry_of(cell), []).append((one.suite.name, row, column))
        return {entry: tuple(places) for entry, places in found.items()}

    def failed_of(self, one: JudgedSuite, cell: JudgedCell) -> tuple[str, ...]:
        """The cell's runs that wait as failed."""
        return failed_of(one, cell, self.failures)


def network_words(cell: JudgedCell) -> str:
    """The network and images behind a cell, for those who search."""
    spec = cell.cell.spec
    return f"{spec.network.label} {spec.dataset.name}"


def where(place: Place) -> str:
    """A cell's place in words: ``Table 6, K = 1 + 32 / Layer3 SI``."""
    return f"{suite_label(place[0])}, {place[1]} / {place[2]}"
