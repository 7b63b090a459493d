"""A bench's matrix as JSON, as a table and as a picture, ``reports/bench/<device>-…-matrix.{json,md,png}``."""

from pathlib import Path
from typing import Any

from benchmark.bench.matrix import MEASURED
from benchmark.bench.setup import REFERENCE
from benchmark.bench.write import bars, clocks, disturbance, epochs, heading, readings, save


def write_matrix(numbers: dict[str, Any], folder: Path) -> list[Path]:
    """Write the three files in place of an older matrix's of the same device, network and batch."""
    return save(numbers, ["matrix"], folder, render, draw(numbers))


def render(numbers: dict[str, Any], picture: str) -> str:
    """The table to read, with a sentence for each combination that could not be measured."""
    setup, matrix = numbers["setup"], numbers["matrix"]
    lines = heading(numbers, f"![milliseconds a step]({picture})") + disturbance(numbers["disturbance"])
    measured = [cell for cell in matrix["cells"] if cell["state"] == MEASURED]
    lines += clocks([cell["gpu"] for cell in measured if "gpu" in cell])
    kinds, rows = (sorted({of(cell) for cell in measured}) for of in (lambda cell: cell["memory_kind"], readings))
    speed = matrix["bytes_per_second"]
    limit = "not known" if speed is None else f"measured by copying: {speed / 1e9:,.0f} GB/s, read and written"
    lines += [
        "",
        f"Training steps at batch {setup['batch_size']}: medians and quartiles of {' or '.join(rows) or 'none'}, "
        "methods in turn in a process for each mode and precision, compiled ones in a process each. *Graph* steps are "
        f"recorded once and replayed. Memory: {' or '.join(kinds) or 'not measured'}. The *limit* is the time in which "
        "the memory moves what an eager step's operations read and write; compiled steps move less, so they may pass "
        f"it. The memory's speed is {limit}.",
        "",
        "| steps | precision | method | ms a step | over baseline | peak memory (MiB) | over baseline | of the limit |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(cell) for cell in measured]
    loops = matrix["loops"]
    lines += epochs(loops, setup) + _loops(loops, setup) if loops["state"] == MEASURED else []
    return "\n".join(lines + _not_measured(matrix)) + "\n"


def _row(cell: dict[str, Any]) -> str:
    lower, median, upper = (1000 * cell[f"seconds_per_step{of}"] for of in ("_lower_quartile", "", "_upper_quartile"))
    over = [_ratio(cell.get(f"{what}_over_baseline")) for what in ("time", "memory")]
    share = f"{cell['share_of_bandwidth_limit']:.0%}" if "share_of_bandwidth_limit" in cell else ""
    time = f"{median:.2f} ({lower:.2f} to {upper:.2f})"
    words = (
        cell["mode"],
        cell["precision"],
        cell["method"],
        time,
        over[0],
        f"{cell['memory_mib']:.0f}",
        over[1],
        share,
    )
    return f"| {' | '.join(words)} |"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _loops(loops: dict[str, Any], setup: dict[str, Any]) -> list[str]:
    """The same epochs by the step, beside the table above."""
    each = {name: 1000 * setup["batch_size"] / speed for name, speed in loops["images_per_second"].items()}
    times = ", ".join(
        f"{name} {ms:.2f} ms ({ms / each[REFERENCE]:.3f} of the reference loop's)" for name, ms in each.items()
    )
    return ["", f"A step of these epochs, data and all: {times}."]


def _not_measured(matrix: dict[str, Any]) -> list[str]:
    """Combinations that lack numbers, those of one reason together."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell in [*matrix["cells"], {**matrix["loops"], "mode": "epochs", "precision": "", "method": "reference loop"}]:
        if cell["state"] != MEASURED:
            label = " ".join(filter(None, (cell["mode"], cell["precision"])))
            found.setdefault((label, f"{cell['state']}: {cell['why']}"), []).append(cell["method"])
    if not found:
        return []
    lines = [f"- {label} ({', '.join(methods)}): {why}" for (label, why), methods in found.items()]
    return ["", "Not measured:", "", *lines]


def draw(numbers: dict[str, Any]) -> bytes:
    """A panel of bars a precision: milliseconds a step by mode and method."""
    panels: dict[str, dict[str, float]] = {}
    for cell in numbers["matrix"]["cells"]:
        if cell["state"] == MEASURED:
            bar = f"{cell['mode']}, {cell['method']}"
            panels.setdefault(f"ms a step, {cell['precision']}", {})[bar] = 1000 * cell["seconds_per_step"]
    most = max(map(len, panels.values()), default=1)
    return bars(list(panels.items()) or [("nothing measured yet", {})], 1.0 + 0.22 * most)
