"""How long a plan's open runs take, for people."""

from pathlib import Path

from benchmark.execution.status import TimeLeft, open_runs
from benchmark.planning.measured import pace_of
from benchmark.planning.plan import Plan
from benchmark.results.store import Store
from benchmark.system.hardware import Device, gpus
from benchmark.wording import duration


def time_left_of(
    made: Plan, store: Store, folders: Path, device: Device, benches: Path, *, graphs: bool = False
) -> TimeLeft:
    """Of a plan's open runs, by all that was measured on their device."""
    specs = [planned.spec for planned in made.runs]
    gpu = device.kind == "cuda"
    pace = pace_of(device.name, gpu=gpu, graphs=graphs, benches=benches, results=store.folder, specs=specs)
    return TimeLeft.of(pace, open_runs(made, store, folders), len(gpus()) if gpu else 0)


def time_in_words(seconds: float | None) -> str:
    """``unknown`` where nobody has measured the device."""
    return "unknown" if seconds is None else duration(seconds)
