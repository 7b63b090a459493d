"""What was measured on a device: its benches and completed results, as paces."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark.planning.estimates import GPU_CONTEXT_GIB, Spec, image_work, native_size
from benchmark.planning.pace import BENCH, RESULTS, Pace, Seen, kind_of
from benchmark.results.plausible import is_number
from benchmark.results.provenance import Provenance, Session
from benchmark.results.store import MOST_RESULT, Store
from benchmark.runs.axes import Method, Network, Numerics
from benchmark.runs.catalogue import NETWORKS
from benchmark.runs.spec import RUN_SPEC, TrainSpec, run_id, with_seed, words_and_seed
from benchmark.system.files import MOST_TEXT, read_regular

#: Results that are read for their pace; reading all of a paper's would take seconds.
_RESULTS_READ = 20
#: Seeds among which a measured one is looked for.
_SEEDS = 16
#: What a run may take beyond the peak that another seed of it had.
_MORE = 1.1


def pace_of(
    device: str, *, gpu: bool, graphs: bool = False, benches: Path, results: Path, specs: Sequence[Spec]
) -> Pace:
    """What is known of a device.

    Args:
        device: its model, as :mod:`benchmark.system.hardware` names it.
        gpu: whether it is one.
        graphs: whether trainings are to replay recorded steps.
        benches: the folder of JSON files that ``bench`` writes.
        results: the results of a profile; those of other profiles lie beside it.
        specs: the runs that estimates are for.
    """
    pace = Pace(device, gpu, graphs)
    from_benches = (seen for path in sorted(benches.glob("*.json")) for seen in bench_paces(path, device))
    paths = itertools.islice(_promising(results, specs), _RESULTS_READ)
    from_results = (seen for path in paths if (seen := result_pace(path, pace)) is not None)
    return Pace(device, gpu, graphs, [*from_benches, *from_results])


def bench_paces(path: Path, device: str) -> list[Seen]:
    """The paces that a bench of this device has measured; none where it is another's, or no bench."""
    try:
        bench = json.loads(read_regular(path, MOST_TEXT))
        return list(_paces(bench)) if bench["device"] == device else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # or somebody's edit
        return []


def _paces(bench: dict[str, Any]) -> Iterator[Seen]:
    setup = bench["setup"]
    network = Network.model_validate(dict(NETWORKS[setup["network"]]))
    threads = setup["threads"] if bench["provenance"]["device_kind"] == "cpu" else 1
    methods = {"baseline": Method()}  # early benches name no others'
    methods |= {name: Method.model_validate(tree) for name, tree in bench.get("methods", {}).items()}
    for precision, compiled, graphs, name, seconds in _timed(bench):
        if name in methods and is_number(seconds) and seconds > 0:
            size = {"batch_size": setup["batch_size"], "image_size": native_size(network)}
            numerics = Numerics(precision=precision, compiled=compiled)
            work = setup["batch_size"] * image_work(network, methods[name], native_size(network))
            yield Seen(
                kind_of(network, methods[name], numerics, graphs=graphs, **size), threads * seconds / work, BENCH
            )


def _timed(bench: dict[str, Any]) -> Iterator[tuple[Any, bool, bool, str, Any]]:
    """Precision, compiled, graphs, method and seconds of each kind of steps."""
    setup = bench["setup"]
    if "matrix" in bench:
        for cell in bench["matrix"]["cells"]:
            mode = cell["mode"]
            yield cell["precision"], mode == "compiled", mode == "graph", cell["method"], cell.get("seconds_per_step")
        return
    for name, block in bench["steps"]["variants"].items():
        compiled, graphs = bool(setup.get("compiled")), bool(setup.get("graphs"))
        yield setup["precision"], compiled, graphs, name, block["seconds_per_step"]


def result_pace(path: Path, pace: Pace) -> Seen | None:
    """The pace of a completed training; None where another device trained it, or the file tells nothing."""
    try:
        tree = json.loads(read_regular(path, MOST_RESULT))
        spec, seconds = RUN_SPEC.validate_python(tree["spec"]), tree["cost"]["train_seconds"]
        made = Provenance.model_validate(tree["provenance"])
        graphs = {session.graphs == "on" for session in made.sessions or [Session()]}
        if not isinstance(spec, TrainSpec) or run_id(spec) != path.stem or not is_number(seconds) or seconds <= 0:
            return None
        if made.origin()["device"] != [pace.device] or len(graphs) > 1:
            return None
        return pace.seen_training(spec, seconds, source=RESULTS, graphs=graphs.pop())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _promising(results: Path, specs: Sequence[Spec]) -> Iterator[Path]:
    """Result files by what they tell of these runs: each network first, then each method, then further seeds.

    The profile's own come before those of other profiles. Names alone are looked at.
    """
    networks = {spec.network.label for spec in specs}
    own: list[tuple[str, str, Path]] = []
    others: list[tuple[str, str, Path]] = []
    for path in sorted(results.parent.glob("*/*.json")):
        words, _ = words_and_seed(path.stem)
        network = next((label for label in networks if f"-{label}-" in words), None)
        if network is not None:
            (own if path.parent.name == results.name else others).append((network, words, path))
    given: set[Path] = set()
    for column in range(3):
        seen: set[str | Path] = set()
        for found in [*own, *others]:
            if found[column] not in seen and found[2] not in given:
                given.add(found[2])
                yield found[2]
            seen.add(found[column])


def memory_of(store: Store, specs: Iterable[Spec], *, gpu: bool, graphs: bool = False) -> dict[str, float]:
    """GiB of its device's memory that a run takes, where another seed of it was measured; by the id of seed 0.

    One result a kind of run is read, the first seed that has one.

    Args:
        store: the completed results.
        specs: the runs in question.
        gpu: whether their device is one; a processor's memory is a process's.
        graphs: whether trainings are to replay recorded steps, which takes more.
    """
    names = {run_id(with_seed(spec, 0)): spec for spec in specs if isinstance(spec, TrainSpec)}
    done, found = store.completed() if names else set(), {}
    for name, spec in names.items():
        of_seeds = (run_id(with_seed(spec, seed)) for seed in range(_SEEDS))
        measured = next((other for other in of_seeds if other in done), None)
        if measured and (gib := _peak_gib(store.path(measured), gpu=gpu, graphs=graphs)):
            found[name] = _MORE * gib
    return found


def _peak_gib(path: Path, *, gpu: bool, graphs: bool) -> float | None:
    """The peak of a completed training; None where it was trained on or by something else, or does not say."""
    try:
        tree = json.loads(read_regular(path, MOST_RESULT))
        made = Provenance.model_validate(tree["provenance"])
        replayed = {session.graphs == "on" for session in made.sessions or [Session()]}
        of_this_kind = (made.device_kind == "cuda") == gpu and replayed == {graphs}
        peak = tree["cost"]["reserved_peak_mib" if gpu else "process_peak_mib"]
        return (peak / 1024 + (GPU_CONTEXT_GIB if gpu else 0.0)) if of_this_kind and is_number(peak) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
