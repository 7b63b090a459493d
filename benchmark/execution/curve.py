"""A run's curve in letters, for a terminal."""

from collections.abc import Sequence

from benchmark.results.record import Epoch, printed

_WIDTH, _HEIGHT = 60, 9
_MARKS = "ox+*#%"
_BLOCKS = "▁▂▃▄▅▆▇█"


def curve(epochs: Sequence[Epoch], whole: int) -> list[str]:
    """Accuracy by epoch, a mark a prediction, and the training loss in a line; nothing before the first epoch.

    Args:
        epochs: so far.
        whole: how many there will be.
    """
    if not epochs:
        return []
    names = printed(epochs[-1].accuracy)
    marks = dict(zip(names, _MARKS * len(names), strict=False))
    values = [epoch.accuracy[name] for epoch in epochs for name in printed(epoch.accuracy)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    rows = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for epoch in epochs:
        column = _place(epoch.epoch - 1, max(whole, epochs[-1].epoch) - 1, _WIDTH)
        for name in printed(epoch.accuracy)[::-1]:  # the first on top
            rows[-1 - _place(epoch.accuracy[name] - low, high - low, _HEIGHT)][column] = marks.get(name, "?")
    ends = {0: f"{high:6.2f} %", _HEIGHT - 1: f"{low:6.2f} %"}
    lines = [f"{ends.get(number, ''):>8} |{''.join(row).rstrip()}" for number, row in enumerate(rows)]
    lines.append(f"{'':>8} +{'-' * _WIDTH}")
    lines.append(f"{'epoch':>8}  1{max(whole, epochs[-1].epoch):>{_WIDTH - 1}}")
    lines.append(f"{'':>10}" + "   ".join(f"{marks[name]} {name} {epochs[-1].accuracy[name]:.2f} %" for name in names))
    return [*lines, f"{'loss':>8}  {epochs[0].train_loss:.4g} {_spark(epochs)} {epochs[-1].train_loss:.4g}"]


def in_words(epoch: Epoch, whole: int) -> str:
    """An epoch in a line."""
    scores = "".join(f"  {name} {epoch.accuracy[name]:.2f} %" for name in printed(epoch.accuracy))
    return f"epoch {epoch.epoch}/{whole}  loss {epoch.train_loss:.4g}{scores}"


def _place(value: float, span: float, places: int) -> int:
    return round(value / span * (places - 1)) if span > 0 else 0


def _spark(epochs: Sequence[Epoch]) -> str:
    """The loss in blocks, at most forty of them."""
    step = max(1, -(-len(epochs) // 40))
    losses = [epoch.train_loss for epoch in epochs[::step]]
    low, span = min(losses), max(losses) - min(losses)
    return "".join(_BLOCKS[_place(loss - low, span, len(_BLOCKS))] for loss in losses)
