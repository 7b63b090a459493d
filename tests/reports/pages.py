"""Results for whole pages: none; a quarter of the paper with all that can go wrong; all of it. No training anywhere."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import StoreError
from benchmark.planning.plan import make_plan
from benchmark.reports import page
from benchmark.reports.figures import draw, svg
from benchmark.reports.judged import judge_suite
from benchmark.reports.paper import whole_paper
from benchmark.reports.renderers.html.render import render
from benchmark.reports.table import tabulate
from benchmark.results.provenance import Provenance
from benchmark.results.store import Failure, Result, Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import CostSpec, TrainSpec, run_id
from benchmark.suites.manifest import PAPER_SUITES
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite
from tests.made import MACHINE
from tests.reports import fakes

PREDICTIONS = (
    "single",
    "aggregated",
    "aggregated_probabilities",
    "aggregated_final_head",
    "aggregated_final_head_probabilities",
    "distilled",
)
H100: Mapping[str, Any] = {
    **MACHINE,
    "code": {"release": "0.1.0", "commit": "58408444bedfa4cc0f1f6c7aea17a2e3008ff5e7", "dirty": False},
    "device": "NVIDIA H100 80GB HBM3",
    "device_kind": "cuda",
}
#: What a crashed program, or somebody's manifest, may hold.
HOSTILE = "</script><img src=x onerror=alert(1)> \"'` javascript:alert(1) \u202e\u2066&amp;"


class Memory(Store):
    """Results that no disk holds, for pages of hundreds of runs; ``broken`` are files that can't be read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.results: dict[str, Result] = {}
        self.failures: dict[str, Result] = {}
        self.broken: set[str] = set()

    def completed(self) -> set[str]:
        return set(self.results)

    def failed(self) -> set[str]:
        return self.failures.keys() - self.results.keys()

    def load(self, name: str) -> Result:
        if name in self.broken:
            raise StoreError(self.path(name), "is no JSON")
        return self.results[name]

    def load_failure(self, name: str) -> Result:
        return self.failures[name]

    def put(self, result: Result) -> None:
        (self.results if result.status == "completed" else self.failures)[result.run_id] = result


def suites(profile: str = "paper") -> list[Suite]:
    return [fakes.under(profile, name) for name in PAPER_SUITES]


def complete(store: Store) -> None:
    """Every run of the paper, most of them near the printed numbers."""
    for result in all_results():
        store.put(result)
    _costs(store)


def partial(store: Memory, runs: int = 61) -> None:
    """So many runs of a paper under way: a failure, cells of one trial, trials of two devices, an unreadable file."""
    found = all_results()
    keen = [r for r in found if r.spec.dataset.name == "cifar100" and r.spec.network.depth == 110]
    first = [r for r in keen if "mixup" not in r.run_id][: runs - 5]
    rest = [r for r in found if r not in first]
    single = [r for r in rest if _seed(r) == 0 and r.spec.network.depth == 164][:3]
    several = [r for r in rest if r.spec.network.depth == 164 and _seed(r) in (1, 2)][: runs - len(first) - 3]
    for result in first:
        store.put(result)
    for result in single:
        store.put(result)
    other = Provenance.model_validate({**H100, "device": "NVIDIA A100-SXM4-40GB"})
    for result in several:
        store.put(result.model_copy(update={"provenance": other}))
    broken = first[0]
    store.broken.add(broken.run_id)
    fail(store, next(r for r in rest if "densenet" in r.run_id))


def _seed(result: Result) -> int:
    assert isinstance(result.spec, TrainSpec)
    return result.spec.seed


def fail(store: Store, result: Result) -> None:
    """Let a run wait as failed, with a log that no page may take for its own."""
    log = [f"/home/somebody/sfe/train.py: {HOSTILE}", *(f"line {n} of C:\\Users\\me\\run.log" for n in range(40))]
    failure = Failure(reason=f"CUDA error in /opt/venv/lib/torch/nn.py: {HOSTILE}", log_tail=log, log_file="/tmp/x/log")
    store.put(result.model_copy(update={"status": "crashed", "metrics": {}, "history": [], "failure": failure}))


def all_results() -> list[Result]:
    """A result for every training run of the paper, in the order of its plan; costs are left out."""
    loaded = suites()
    plan = make_plan(loaded, set())
    printed = _printed(loaded)
    trainings = [run.spec for run in plan.runs if isinstance(run.spec, TrainSpec)]
    return [_trained(spec, printed) for spec in trainings]


def _printed(loaded: Iterable[Suite]) -> dict[tuple[str, str], float]:
    """The accuracy that the paper prints of an entry's prediction."""
    found: dict[tuple[str, str], float] = {}
    for suite in loaded:
        for cell in suite.cells:
            if isinstance(cell.spec, TrainSpec) and cell.published:
                mean = cell.published.mean
                accuracy = 100 - mean if suite.manifest.metric == "error" else mean
                found.setdefault((run_id(cell.spec), cell.reads), accuracy)
    return found


def _trained(spec: TrainSpec, printed: Mapping[tuple[str, str], float]) -> Result:
    entry = run_id(spec.model_copy(update={"seed": 0}))
    dice = random.Random(f"{entry} {spec.seed}")
    usual = random.Random(entry).choice([0.0, 0.0, 0.0, 0.1, -0.2, 0.4, -1.6, 1.8])
    level = {name: printed[entry, name] for name in PREDICTIONS if (entry, name) in printed}
    plain = level.get("single") or next(iter(level.values()), 80.0 - 1.5 * (spec.method.beta or 0))
    own = usual + dice.gauss(0, 0.2)
    names = PREDICTIONS if spec.method.distillation else PREDICTIONS[:-1]
    if spec.method.views * spec.method.classifiers == 1:
        level = dict.fromkeys(names, plain)
    ends = {name: level.get(name, plain) + own + (0 if len(level) == 1 else dice.gauss(0, 0.05)) for name in names}
    epochs = spec.schedule.epochs
    history = [_epoch(number, epochs, ends) for number in range(1, epochs + 1)]
    metrics = {f"{name}_last_epoch": history[-1][name] for name in names}
    metrics |= {f"{name}_best_epoch": max(entry[name] for entry in history) for name in names}
    return fakes.result(spec, metrics, train_seconds=3600.0 * (2 + spec.seed / 10)).model_copy(
        update={"history": history, "provenance": Provenance.model_validate(H100)}
    )


def _epoch(number: int, epochs: int, ends: Mapping[str, float]) -> dict[str, float]:
    """A curve that rises, falls back a little and jumps at the decays."""
    decays = (number > epochs // 2) + (number > 3 * epochs // 4)
    share = 1 - (0.55 - 0.25 * decays) * 0.5 ** (8 * number / epochs) - 0.1 * (2 - decays)
    wobble = 0.4 * ((number * 37) % 11 / 11 - 0.5)
    scores = {name: round(end * share + wobble, 2) if number < epochs else round(end, 2) for name, end in ends.items()}
    return {"epoch": number, "learning_rate": 0.1 * 0.1**decays, "train_loss": 4.0 / number, **scores}


def _costs(store: Store) -> None:
    suite = fakes.paper("table3")
    fakes.measure(store, suite, device="NVIDIA H100 80GB HBM3", step_seconds={})
    assert any(isinstance(cell.spec, CostSpec) for cell in suite.cells)


def page_of(store: Store, profile: str = "paper", others: Sequence[Suite] = (), plots: bool = False) -> str:
    """The page of a profile's results."""
    trials = Trials(store)
    whole = whole_paper(load_variant(profile), trials)
    further = tuple(judge_suite(suite, trials) for suite in others) or page.others_with_results(whole.variant, trials)
    shown = [one for one in (*whole.suites, *further) if plots and page.has_results(one)]
    svgs = {one.suite.name: svg.render(draw.canvas_of(one, tabulate(one))) for one in shown}
    return render(page.material(whole, further, trials, svgs, store.folder.parent.parent / "reports"))
