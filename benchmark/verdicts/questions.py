"""What is asked of trials and what is found: the parts of a claim, with nothing decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.suites.claims import Kind
from benchmark.verdicts.reading import Reading

Answer = Literal["supported", "contradicted", "absent", "undecided", "not enough runs"]
Agreement = Literal["agrees", "differs", "unknown"]
Ends = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One cost of a method beside its table's first one.

    Attributes:
        printed_percent: the overhead that the paper prints.
        percent: ours; None without a measurement that compares.
        trials: 1 where the cell has a measurement, one that compares or not; else 0.
        step_ratios: of the method's steps to the baseline's, turn by turn; empty for memory.
    """

    printed_percent: float
    percent: float | None
    trials: int = 0
    step_ratios: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """A part of a claim with all that it reads.

    Attributes:
        claim: the claim's number.
        label: the part's name.
        suite: where it is asked.
        statement: the claim in words.
        kind: how it is decided.
        cells: A, then B or the others; for a trend the column's cells in order.
        bound: M of ``not_greater`` and ``within``, in points.
        settings: of a trend, one a cell.
        rising: which way a trend is claimed to go.
        cost: of a ``ratio``.
    """

    claim: str
    label: str
    suite: str
    statement: str
    kind: Kind
    cells: tuple[Reading, ...] = ()
    bound: float = 0.0
    settings: tuple[float, ...] = ()
    rising: bool = True
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is found of one part; None where the rules give nothing.

    ``p`` is the part's own in the claim's correction for contradiction, ``p_absent`` in that for absence; ``paired``
    says that the difference by seed decides, and not Welch's.
    """

    direction: Answer | None = None
    size: Agreement | None = None
    size_strict: Agreement | None = None
    word: Answer | None = None
    p: float = 1.0
    p_absent: float = 1.0
    difference: float | None = None
    interval95: Ends | None = None
    bound95: Ends | None = None
    paired95: Ends | None = None
    paired: bool = False
    correlation: float | None = None
    probability_better: float | None = None
    trials_needed: int | str | None = None
    trials: int = 0
