"""Readings made by hand."""

from collections.abc import Mapping, Sequence

from benchmark.verdicts.reading import Printed, Reading


def seeds(values: Sequence[float]) -> dict[int, float]:
    return dict(enumerate(values))


def reading(
    scores: Sequence[float] | Mapping[int, float] = (),
    printed: tuple[float, float | None] | None = None,
    *,
    entry: str = "e",
    best: Sequence[float] | None = None,
    assumed: float | None = None,
    margin: float = 1.0,
    error: bool = False,
    prediction: str = "single",
    row: str = "r",
    column: str = "c",
    dataset: str = "cifar100",
) -> Reading:
    last = dict(scores) if isinstance(scores, Mapping) else seeds(scores)
    return Reading(
        suite="table1",
        row=row,
        column=column,
        entry=entry,
        prediction=prediction,
        dataset=dataset,
        published=None if printed is None else Printed(mean=printed[0], std=printed[1], assumed_std=assumed),
        margin=margin,
        lower_is_better=error,
        last_epoch=last,
        best_epoch=last if best is None else seeds(best),
    )
