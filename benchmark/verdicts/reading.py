"""What verdicts are made of: a printed number beside the trials that a cell can read."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.verdicts.differences import ROUNDING

#: Trials behind every published number.
PUBLISHED_TRIALS = 4


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A printed mean with its spread, or the one that the manifest assumes where none is printed.

    Attributes:
        mean: in the table's units.
        std: the printed spread, taken for a standard deviation with ddof 1; None where none is printed.
        assumed_std: used in its place for the prediction interval and in claims; None where none is assumed.
    """

    mean: float
    std: float | None = None
    assumed_std: float | None = None

    @property
    def upper_std(self) -> float | None:
        """Upper end of the spread as printed or assumed, so that none is zero."""
        spread = self.std if self.std is not None else self.assumed_std
        return None if spread is None else spread + ROUNDING


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One score cell: its place, the paper's number and ours.

    Attributes:
        suite: its suite's name.
        row: as printed.
        column: as printed.
        entry: names the training it reads, whatever the seed.
        prediction: which of the training's predictions it reads; one name where all are equal.
        dataset: the images' name.
        published: the paper's number; None where the paper prints none.
        margin: δ, the margin of equivalence in points.
        lower_is_better: whether it is an error.
        last_epoch: scores by seed, in the table's units.
        best_epoch: likewise, of the epoch that the test set chose.
    """

    suite: str
    row: str
    column: str
    entry: str
    prediction: str
    dataset: str
    published: Printed | None
    margin: float
    lower_is_better: bool = False
    last_epoch: Mapping[int, float]
    best_epoch: Mapping[int, float]

    @property
    def distinct(self) -> tuple[object, ...]:
        """Cells of one suite that share it show one number twice."""
        return self.entry, self.prediction, self.published

    @property
    def sign(self) -> float:
        """+1 where more is better."""
        return -1.0 if self.lower_is_better else 1.0

    def scores(self, epoch: str) -> Mapping[int, float]:
        """Scores by seed of ``last`` or ``best`` epochs."""
        return self.best_epoch if epoch == "best" else self.last_epoch
