"""Claims as manifests declare them: what a paper says in words, taken apart into comparisons of cells."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.runs.schema import MANY, Frozen, refuse

Kind = Literal["greater", "size", "best", "not_greater", "within", "ratio", "trend", "shown"]

#: A cell: its column, within the row at hand; its row and column; or its suite, row and column.
Place = str | list[str]
#: The same, written out.
FullPlace = tuple[str, str, str]


class Part(Frozen):
    """One comparison.

    Attributes:
        label: its name; in ``rows_of`` ``{row}`` stands for the row's.
        kind: how it is decided (docs/statistics.md).
        a: the cell that the claim is about; of a ratio the cost.
        b: what it is compared with; of ``best`` nothing, for that is the rest of A's column.
        margins: M of ``not_greater`` and ``within``, in margins δ of A's row.
        column: of a trend, instead of A and B.
        settings: of a trend, by the rows that it runs over.
        goes: where the trend is claimed to go: of the numbers as they are printed, errors too.
    """

    label: str = Field(default="{row}", min_length=1, max_length=80)
    kind: Kind
    a: Place | None = None
    b: Place | None = None
    margins: float | None = Field(default=None, gt=0, le=MANY)
    column: str | None = None
    settings: dict[str, Annotated[float, Field(ge=-MANY, le=MANY)]] | None = Field(default=None, min_length=2)
    goes: Literal["up", "down"] | None = None

    @model_validator(mode="after")
    def _check(self) -> "Part":
        needed = {"a", "b"}
        needed |= {"margins"} if self.kind in ("not_greater", "within") else set()
        if self.kind in ("best", "ratio"):
            needed = {"a"}
        elif self.kind == "trend":
            needed = {"column", "settings", "goes"}
        for field in ("a", "b", "margins", "column", "settings", "goes"):
            if (getattr(self, field) is not None) != (field in needed):
                raise refuse(field, f"{'is needed' if field in needed else 'has no meaning'} for kind {self.kind}")
        for field in ("a", "b"):
            place = getattr(self, field)
            if isinstance(place, list) and len(place) not in (2, 3):
                raise refuse(field, "is a column, or [row, column], or [suite, row, column]")
        return self

    def places(self, suite: str, row: str | None) -> tuple[FullPlace, ...]:
        """A, then B if there is one, written out.

        Raises:
            ValueError: a bare column where no row is at hand.
        """
        return tuple(_full(place, suite, row) for place in (self.a, self.b) if place is not None)


class ForEachRow(Frozen):
    """The same parts for every row of some suites; their ``a`` and ``b`` name columns."""

    rows_of: list[str] = Field(min_length=1)
    parts: list[Part] = Field(min_length=1)


class Claim(Frozen):
    """One statement, answered in parts; those of kind ``shown`` stand beside it and are not counted."""

    claim: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")
    statement: str = Field(min_length=1, max_length=300)
    parts: list[Part | ForEachRow] = Field(min_length=1)

    def spread_out(self, suite: str, rows: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Part, str, str | None]]:
        """Every part with its suite and, where it was declared for each row, the row; counted parts first.

        Args:
            suite: where the claim stands.
            rows: of every suite by its name.

        Raises:
            KeyError: a suite that isn't there.
        """
        found = [item for part in self.parts for item in _spread_out(part, suite, rows)]
        yield from (item for item in found if item[0].kind != "shown")
        yield from (item for item in found if item[0].kind == "shown")


def _spread_out(
    part: Part | ForEachRow, suite: str, rows: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Part, str, str | None]]:
    if isinstance(part, Part):
        yield part, suite, None
        return
    for name in part.rows_of:
        for row in rows[name]:
            yield from ((each, name, row) for each in part.parts)


def _full(place: Place, suite: str, row: str | None) -> FullPlace:
    if isinstance(place, str):
        if row is None:
            raise ValueError(f"{place!r} names a column; say which row, [row, column]")
        return suite, row, place
    return (suite, place[0], place[1]) if len(place) == 2 else (place[0], place[1], place[2])
