"""What a completed result must look like beyond its schema."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from benchmark.results.provenance import Provenance, Session
from benchmark.results.store import Result
from benchmark.runs.metrics import METRICS, NO_PREDICTIONS, from_history
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.wording import shortened

_ASTRONOMICAL = 1e15  # sums of anything below are finite
_PROVENANCE = ("code", "packages", "device", "data_digest", "precision", "threads", "start", "end")


def problem_of(result: Result) -> str | None:
    """The first thing in a completed result that can't be; None where all is well."""
    for name in _PROVENANCE:
        if getattr(result.provenance, name) in (None, "", {}):
            return f"provenance.{name} is missing"
    if problem := _times_problem(result.provenance) or _maps_problem(result):
        return problem
    if isinstance(result.spec, CostSpec):
        return _cost_problem(result.spec, result.metrics)
    return _history_problem(result.spec, result.history) or _metrics_problem(result)


def _times_problem(provenance: Provenance) -> str | None:
    """Of the whole and of each session; one session's are by another machine's clock than the next one's."""
    stretches: list[tuple[str, Provenance | Session]] = [("", provenance)]
    stretches += [(f"sessions[{number}].", one) for number, one in enumerate(provenance.sessions)]
    for where, one in stretches:
        times = []
        for name in ("start", "end"):
            if (text := getattr(one, name)) is None:  # early sessions
                continue
            if (time := moment(text)) is None:
                return f"provenance.{where}{name} is {shortened(repr(text), 60)}, which is no time"
            times.append(time)
        if times != sorted(times):
            return f"{'session ' + where[9:-2] if where else 'it'} ended before it began"
    return None


def moment(text: str) -> datetime.datetime | None:
    """A time in ISO 8601; UTC where it names no zone, None where it is no time."""
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def _maps_problem(result: Result) -> str | None:
    """As many as the spec asks for, or as there are test images, of images and classes that there are."""
    spec, images = result.spec, result.provenance.images
    asked = spec.activation_maps if isinstance(spec, TrainSpec) else 0
    if result.activation_maps is not None and not asked:
        return "it holds activation maps that its spec does not ask for"
    wanted, found = min(asked, images.test) if images else asked, result.activation_maps or []
    if len(found) != wanted:
        return f"it holds {len(found)} activation maps, and its spec asks for {wanted}"
    classes = spec.dataset.facts.classes
    for one in found:
        if images and one.image >= images.test:
            return f"an activation map is of image {one.image}, and there are {images.test}"
        if classes and max(one.label, one.predicted) >= classes:
            return f"an activation map is of class {max(one.label, one.predicted)}, and there are {classes}"
    return None


def _history_problem(spec: TrainSpec, history: list[dict[str, Any]]) -> str | None:
    epochs = spec.schedule.epochs
    if len(history) != epochs:
        return f"its history has {len(history)} entries for {epochs} epochs"
    for number, entry in enumerate(history, start=1):
        if entry.get("epoch") != number:
            return f"entry {number} of its history is of epoch {entry.get('epoch')!r}"
        if set(entry) != set(history[0]) or not set(NO_PREDICTIONS) < set(entry):
            return f"epoch {number} of its history has other numbers than a training writes"
    if all(_are_usual(name, [entry[name] for entry in history]) for name in history[0]):
        return None  # as nearly always: to look at each number takes half of a report's reading
    for number, entry in enumerate(history, start=1):
        for name, value in entry.items():
            if not is_number(value):
                return f"{name} of epoch {number} is {value!r}, which is no number"
            if name not in NO_PREDICTIONS and not METRICS["accuracy_last_epoch"].allows(value):
                return f"{name} of epoch {number} is {value!r}, which is no percentage"
    return None


def _are_usual(name: str, values: Sequence[Any]) -> bool:
    """Whether one number of all epochs is surely as it can be."""
    if not set(map(type, values)) <= {int, float} or not 0 <= min(values) <= max(values) < _ASTRONOMICAL:
        return False
    if not sum(values) < _ASTRONOMICAL:  # one of them is no number
        return False
    return name in NO_PREDICTIONS or METRICS["accuracy_last_epoch"].allows(max(values))


def _metrics_problem(result: Result) -> str | None:
    wanted = from_history(result.history)
    for name in sorted(wanted.keys() | result.metrics.keys()):
        found, should = result.metrics.get(name), wanted.get(name)
        if found != should:
            return f"metrics.{name} is {found!r}, but by its history {should!r}"
    return None


def _cost_problem(spec: CostSpec, metrics: Mapping[str, Any]) -> str | None:
    names = [variant.name for variant in spec.variants]
    if sorted(metrics) != sorted(names):
        return f"it measures {', '.join(sorted(metrics))} instead of {', '.join(sorted(names))}"
    for name, block in metrics.items():
        if not isinstance(block, dict):
            return f"metrics.{name} is no block of numbers"
        for key, value in block.items():
            if not is_number(value):
                return f"metrics.{name}.{key} is {value!r}, which is no number"
            if key in METRICS and not METRICS[key].allows(value):
                return f"metrics.{name}.{key} is {value!r}"
        if "seconds_per_step" not in block:
            return f"metrics.{name}.seconds_per_step is None"
    return None


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value from a file can be reckoned with: no truth value, NaN or infinity, nothing astronomical."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _ASTRONOMICAL
