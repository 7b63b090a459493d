"""Whether a training that was made again says the same as the committed one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard

from benchmark.results.plausible import is_number
from benchmark.results.record import Epoch, epochs_of, printed
from benchmark.results.store import Result
from benchmark.verdicts.next_trial import prediction95

#: How far the first steps' losses may be off on another machine, relative to themselves.
FIRST_LOSS = 1e-3
_LAST = "_last_epoch"
#: What must be the same for digits to be the same; the code is not among it, see CONTRIBUTING.md.
_ALIKE = ("device", "torch", "environment")


@dataclass(frozen=True)
class Check:
    """One thing that was compared.

    Attributes:
        what: in words.
        same: whether it holds; None where it can't be told.
        found: both sides.
    """

    what: str
    same: bool | None
    found: str


@dataclass(frozen=True)
class Reproduction:
    """A run and the same one made again.

    Attributes:
        run_id: which.
        unlike: what differs between the two machines; without anything every bit should be the same.
        checks: what was compared.
    """

    run_id: str
    unlike: Sequence[str]
    checks: Sequence[Check]

    @property
    def same(self) -> bool:
        """Whether nothing that was compared differs."""
        return all(check.same is not False for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "same": self.same}


def compare(committed: Result, again: Result, trials: Mapping[int, Result]) -> Reproduction:
    """Hold a training that was made again against the committed one.

    On the same kind of processor with the same versions every digit must be the same. Elsewhere the rounding
    differs, and with it each step a little more: the first steps' losses must be near, and the last epoch's
    accuracies where one more trial should fall.

    Args:
        committed: a training's result.
        again: the same run, made here.
        trials: committed ones of the same entry, by seed.
    """
    unlike = _unlike(committed, again)
    ours, theirs = again.provenance.data_digest, committed.provenance.data_digest
    images = Check("images", ours == theirs, "the same" if ours == theirs else f"{ours}, committed {theirs}")
    pairs = list(zip(epochs_of(committed.history), epochs_of(again.history), strict=False))
    bits = _bits(committed, again, pairs)
    checks = _near(committed, again, trials) if unlike and not bits.same else [bits]
    return Reproduction(committed.run_id, unlike, [images, *checks])


def _unlike(committed: Result, again: Result) -> list[str]:
    here, there = again.provenance.origin(), committed.provenance.origin()
    found = [
        f"{name}: {', '.join(here[name])}, committed {', '.join(there[name])}"
        for name in _ALIKE
        if here[name] != there[name] or len(there[name]) > 1
    ]
    ours, theirs = again.provenance.packages or {}, committed.provenance.packages or {}
    for name in sorted((ours.keys() | theirs.keys()) - {"torch"}):
        if ours.get(name) != theirs.get(name):
            found += [f"{name}: {ours.get(name, 'none')}, committed {theirs.get(name, 'unknown')}"]
    return found


def _bits(committed: Result, again: Result, pairs: Sequence[tuple[Epoch, Epoch]]) -> Check:
    what = "every digit of metrics and history"
    if (committed.metrics, committed.history) == (again.metrics, again.history):
        return Check(what, True, f"equal to the last bit in {len(committed.history)} epochs")
    apart = next((one.epoch for one, other in pairs if one != other), None)
    return Check(what, False, f"epoch {apart} is the first to differ" if apart else "they differ")


def _near(committed: Result, again: Result, trials: Mapping[int, Result]) -> list[Check]:
    names = printed(key.removesuffix(_LAST) for key in again.metrics if key.endswith(_LAST))
    return [_first_losses(committed, again), *(_accuracy(f"{name}{_LAST}", again, trials) for name in names)]


def _first_losses(committed: Result, again: Result) -> Check:
    what = f"losses of the first steps, within {FIRST_LOSS:g} of them"
    before, now = (one.cost.get("first_losses") for one in (committed, again))
    if not (_numbers(before) and _numbers(now)):
        return Check(what, None, "the committed result is of before they were noted")
    off = max(abs(one - other) / max(abs(other), 1e-12) for one, other in zip(now, before, strict=False))
    return Check(what, off <= FIRST_LOSS, f"{_listed(now)}, committed {_listed(before)}: at most {off:.1e} of it apart")


def _numbers(value: Any) -> TypeGuard[list[float]]:
    return isinstance(value, list) and bool(value) and all(is_number(one) for one in value)


def _listed(losses: Sequence[float]) -> str:
    return " and ".join(f"{loss:.6g}" for loss in losses)


def _accuracy(metric: str, again: Result, trials: Mapping[int, Result]) -> Check:
    scores = {seed: float(one.metrics[metric]) for seed, one in trials.items() if metric in one.metrics}
    what, value = f"{metric}, within the prediction interval of the seeds", float(again.metrics[metric])
    if (interval := prediction95(list(scores.values()))) is None:
        return Check(what, None, f"{value:.2f} %; a single committed trial gives no interval")
    low, high = interval
    seeds = ", ".join(str(seed) for seed in sorted(scores))
    return Check(what, low <= value <= high, f"{value:.2f} %, interval {low:.2f} to {high:.2f} % of seeds {seeds}")
