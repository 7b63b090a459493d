"""A bench as JSON, as a table and as a picture, ``reports/bench/<device>-….{json,md,png}``."""

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.bench.setup import OURS, REFERENCE
from benchmark.system.files import write_atomic
from benchmark.wording import counted

#: Up to this share of processor time lost to others a bench counts as undisturbed.
QUIET = 0.05

_BLUE, _GREY = "#3b6ea8", "#999999"


def write_bench(numbers: dict[str, Any], folder: Path) -> list[Path]:
    """Write a bench's three files in place of an older one's of the same device, network, batch and numerics."""
    setup = numbers["setup"]
    words = [setup["precision"], *(["compiled"] if setup["compiled"] else [])]
    return save(numbers, words, folder, render, draw(numbers))


def save(
    numbers: dict[str, Any],
    words: list[str],
    folder: Path,
    render: Callable[[dict[str, Any], str], str],
    picture: bytes,
) -> list[Path]:
    """Write numbers, the table that ``render`` makes beside the picture's name, and the picture.

    Files are named by the device, network, batch and threads of the numbers, and by these words.
    """
    setup = numbers["setup"]
    words = [
        numbers["device"],
        setup["network"],
        f"batch {setup['batch_size']}",
        counted(setup["threads"], "thread"),
        *words,
    ]
    name = re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")
    paths = [folder / f"{name}.{kind}" for kind in ("json", "md", "png")]
    contents = (json.dumps(numbers, indent=1) + "\n").encode(), render(numbers, paths[2].name).encode(), picture
    for path, content in zip(paths, contents, strict=True):
        write_atomic(path, content)
    return paths


def render(numbers: dict[str, Any], picture: str) -> str:
    """The table to read: absolute figures, then the ratios, which compare between machines."""
    setup = numbers["setup"]
    lines = heading(numbers, f"![seconds a step, images a second]({picture})")
    lines += disturbance(numbers["disturbance"])
    lines += clocks([numbers["gpu"]]) if "gpu" in numbers else []
    for block in (numbers["steps"], numbers.get("carried")):
        lines += _steps(block, setup["compiled"]) if block else []
    lines += epochs(numbers["epochs"], setup) if "epochs" in numbers else []
    return "\n".join(lines + _ratios(numbers["ratios"])) + "\n"


def heading(numbers: dict[str, Any], picture: str) -> list[str]:
    """What was measured on what, when and by which command."""
    setup = numbers["setup"]
    return [
        f"# How fast it is: {setup['network']} on {numbers['device']}",
        "",
        f"`{numbers['command']}`, {counted(setup['threads'], 'thread')}, {numbers['provenance']['end'][:10]}, "
        f"torch {numbers['provenance']['packages']['torch']}",
        "",
        picture,
    ]


def disturbance(lost: dict[str, float] | None) -> list[str]:
    """How much of the processor others had meanwhile, as far as the system says."""
    if lost is None:
        return []
    verdict = "" if sum(lost.values()) <= QUIET else " **That is a disturbed measurement: take it again in quiet.**"
    return [
        "",
        f"Of the processor time asked for meanwhile, {lost['withheld']:.0%} was withheld by the host of a virtual "
        f"machine and {lost['others']:.0%} went to other processes.{verdict}",
    ]


def clocks(sessions: Sequence[dict[str, Any]]) -> list[str]:
    """Between what the GPU's clocks and temperature lay where something was begun or done, as far as it says."""
    asked = [found for session in sessions for at in ("at_start", "at_end") if (found := session[at])]
    ranges = []
    for name, what in (("sm_mhz", "MHz"), ("memory_mhz", "MHz of its memory"), ("celsius", "°C")):
        if known := [found[name] for found in asked if found[name] is not None]:
            ranges.append(f"{min(known)} to {max(known)} {what}")
    return ["", f"The GPU was at {', '.join(ranges)}."] if ranges else []


def readings(block: dict[str, Any]) -> str:
    """How many readings, of how many steps each."""
    in_a_row = block.get("steps_in_a_row", 1)  # early benches have none
    each = f" of {in_a_row} steps in a row" if in_a_row > 1 else ""
    return counted(block["steps"], "reading" if each else "step") + each


def _steps(block: dict[str, Any], compiled: bool) -> list[str]:
    first, step = next(iter(block["variants"])), "compiled training step" if compiled else "training step"
    lines = [
        "",
        f"One {step} at batch {block['batch_size']}, {block['precision']}: medians and quartiles of {readings(block)}, "
        f"taken in turn. Memory: {block['memory_kind']}.",
        "",
        f"| method | seconds a step | over {first} | peak memory (MiB) | over {first} |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, of in block["variants"].items():
        spread = f"{of['seconds_per_step_lower_quartile']:.3f} to {of['seconds_per_step_upper_quartile']:.3f}"
        lines.append(
            f"| {name} | {of['seconds_per_step']:.3f} ({spread}) | {of['time_overhead_percent']:+.1f} % "
            f"| {of['memory_mib']:.0f} | {of['memory_overhead_percent']:+.1f} % |"
        )
    return lines


def epochs(block: dict[str, Any], setup: dict[str, Any]) -> list[str]:
    """Whole epochs of each loop."""
    start, same = block["start_loss"], "yes" if block["learn_the_same"] else "NO"
    compiled = ", this project compiled" if setup["compiled"] else ""
    order = "in turn" if block.get("in_turn", True) else "one loop after the other"
    lines = [
        "",
        f"Whole epochs of {setup['images']} images, training SFE at batch {setup['batch_size']}, {order}, each loop in "
        f"a process of its own with its own settings{compiled}; the first of each is not counted. All start from the "
        "same weights and masks: before any step the loss of one batch, in fp32, "
        f"is {start[OURS]:.5f} here and {start[REFERENCE]:.5f} in the reference loop. Do the last epoch's losses lie "
        f"within {block['learn_the_same_within']:.0%} of what the reference loop learned: {same}.",
        "",
        "| loop | images a second | seconds of each epoch | training loss, first and last epoch |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, speed in block["images_per_second"].items():
        seconds = ", ".join(f"{taken:.2f}" for taken in block["seconds_per_epoch"][name])
        losses = block["train_loss"][name]
        lines.append(f"| {name} | {speed:.1f} | {seconds} | {losses[0]:.3f}, {losses[-1]:.3f} |")
    return lines


def _ratios(found: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "",
        "Ratios within each turn, median and quartiles, and of the fastest step or epoch of either side, which other "
        "work on the machine disturbed least; memory is measured once.",
        "",
        "| ratio | median | quartiles | of the fastest |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, of in found.items():
        spread = f"{of['lower_quartile']:.3f} to {of['upper_quartile']:.3f}" if "lower_quartile" in of else ""
        fastest = f"{of['of_the_fastest']:.3f}" if "of_the_fastest" in of else ""
        lines.append(f"| {name} | {of['ratio']:.3f} | {spread} | {fastest} |")
    return lines


def draw(numbers: dict[str, Any]) -> bytes:
    """Two panels of bars: seconds a step by method, images a second by loop."""
    steps = {name: of["seconds_per_step"] for name, of in numbers["steps"]["variants"].items()}
    panels = [(f"seconds a step, {numbers['steps']['precision']}", steps)]
    if "epochs" in numbers:
        panels.append(("images a second, training SFE", numbers["epochs"]["images_per_second"]))
    return bars(panels, 2.4)


def bars(panels: Sequence[tuple[str, dict[str, float]]], height: float) -> bytes:
    """A PNG of horizontal bars, panels beside each other; other people's ways stand in grey."""
    figure = Figure(figsize=(4.2 * len(panels), height), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), place)
        names = list(values)[::-1]
        colours = [_GREY if "Listing 1" in name or "reference" in name else _BLUE for name in names]
        drawn = axes.barh(names, [values[name] for name in names], color=colours)
        axes.bar_label(drawn, fmt="%.3g", padding=2, fontsize=8)
        axes.set_title(title, fontsize=9)
        axes.margins(x=0.15)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
    return picture.getvalue()
