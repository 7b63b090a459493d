"""What stands below a table, as text whose parts have a kind each; renderers escape and decorate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.reports.origins import in_words
from benchmark.reports.table import Table
from benchmark.results.code import UNCOMMITTED
from benchmark.wording import MOST_NAMED, some


@dataclass(frozen=True)
class Span:
    """Some text of a note, anybody's, as it is."""

    text: str
    kind: Literal["plain", "strong", "code"] = "plain"


Note = tuple[Span, ...]

_VERIFY = Span("python run_suite.py verify", "code")


def notes(footnotes: Sequence[str], table: Table) -> list[Note]:
    """The manifest's own, then what must be known of the results behind the table."""
    own = [(Span(text.strip()),) for text in footnotes]
    return [*own, *_lost(table), *_copies(table), *_mixtures(table), *_doubted(table)]


def _lost(table: Table) -> Iterator[Note]:
    """On the results that count as missing, if there are any."""
    if table.not_counted:
        why = Span(", as they can't be read or contradict themselves: ")
        yield Span("Not counted", "strong"), why, *_files(table.not_counted), Span("; "), _VERIFY, Span(" says why.")


def _copies(table: Table) -> Iterator[Note]:
    for title, copies in table.copies:
        yield (Span(f"{title}: {copies} test images are also among the training images, pixel for pixel."),)


def _mixtures(table: Table) -> Iterator[Note]:
    """On each kind of cell whose trials come from several machines or versions."""
    for what, places in table.mixed.items():
        cells = some([f"{row} / {column}" for row, column in places])
        where = "every cell" if len(places) == len(table.cells) else cells
        names, values = [name for name, _ in what], [value for _, each in what for value in each]
        if names == ["code"] and not any("unknown" in value or UNCOMMITTED in value for value in values):
            # commits alone are mixed, and a change that moves a number would have raised the protocol
            text = f"Trials of several versions of the code in {where}: {in_words(what)}; all of one "
            yield Span(text), Span("protocol", "code"), Span(".")
        else:
            yield Span("Mixed trials", "strong"), Span(f" in {where}: {in_words(what)}.")


def _doubted(table: Table) -> Iterator[Note]:
    """On the results that no commit speaks for, if there are any."""
    if table.code_doubted:
        why = Span(": they name no commit, or one that their code may differ from; ")
        what = Span("Code not known for certain", "strong")
        yield what, Span(" of "), *_files(table.code_doubted), why, _VERIFY, Span(" says why.")


def _files(names: Sequence[str]) -> Iterator[Span]:
    for index, name in enumerate(names[:MOST_NAMED]):
        yield from ([Span(", ")] if index else [])
        yield Span(name, "code")
    if (more := len(names) - MOST_NAMED) > 0:
        yield Span(f" and {more} more")
