"""Numbers and names as the page writes them."""

from benchmark.suites.manifest import PAPER_SUITES

Ends = tuple[float, float]
MINUS = "−"


def number(value: float, decimals: int = 2) -> str:
    """With a real minus; never ``−0.00``."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", MINUS)


def signed(value: float, decimals: int = 2) -> str:
    """With its sign: ``+0.28``, ``−0.28``, and ``+0.00`` for what rounds to nothing."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", MINUS)


def between(ends: Ends, decimals: int = 2, *, sign: bool = True) -> str:
    """``−0.60 to +0.05``."""
    form = signed if sign else number
    return " to ".join(form(end, decimals) for end in ends)


def p_value(p: float) -> str:
    """``p = 0.013``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def percent(value: float) -> str:
    """An overhead: ``+21.3 %``."""
    return f"{signed(value, 1)} %"


def suite_label(name: str) -> str:
    """``Table 1``, ``Figure 4``; a suite of nobody's paper by its own name."""
    if name not in PAPER_SUITES:
        return name
    return f"{name[:-1].capitalize()} {name[-1]}"


def tables(names: list[str]) -> str:
    """``Tables 1, 2, 5``, ``Table 3``, ``Tables 1, 5, 6``, ``Figure 4``."""
    labels = list(dict.fromkeys(map(suite_label, names)))
    if len(labels) > 1 and all(label.startswith("Table ") for label in labels):
        return "Tables " + ", ".join(label.removeprefix("Table ") for label in labels)
    return ", ".join(labels)
