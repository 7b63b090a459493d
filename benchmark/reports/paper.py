"""The whole paper under one variant: its claims answered, its cells judged, what is missing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.planning.plan import make_plan
from benchmark.reports.readings import Place, questions_of, readings_of, verdicts_of
from benchmark.results.trials import Runs
from benchmark.suites.manifest import find_manifests
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite, load_suite
from benchmark.verdicts.cells import Verdict
from benchmark.verdicts.claims import Answered, answer
from benchmark.verdicts.overall import Overall, overall


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What all of the paper's suites say together.

    Attributes:
        variant: profile and settings.
        suites: all of the paper's, in its order.
        claims: answered from whatever results there are.
        verdicts: of every suite's score cells, by suite, then row and column.
        overalls: distances from the paper, a suite each and ``all``; empty where numbers aren't judged.
        runs: planned runs by suite, done and all.
        failed: runs that wait as failed.
    """

    variant: Variant
    suites: tuple[Suite, ...]
    claims: tuple[Answered, ...]
    verdicts: Mapping[str, Mapping[Place, Verdict]]
    overalls: tuple[Overall, ...]
    runs: Mapping[str, tuple[int, int]]
    failed: int

    @property
    def words(self) -> Counter[str]:
        """How many printed scores have each verdict."""
        return Counter(verdict.word for of in self.verdicts.values() for verdict in of.values())


def paper_suites(variant: Variant, loaded: Sequence[Suite] = ()) -> tuple[Suite, ...]:
    """All of the paper's suites, those taken over that are read already."""
    by_path = {suite.path: suite for suite in loaded}
    return tuple(by_path.get(path) or load_suite(path, variant) for path in find_manifests(["all"]))


def whole_paper(variant: Variant, runs: Runs, loaded: Sequence[Suite] = ()) -> Paper:
    """Judge everything that the paper says.

    Args:
        variant: profile and settings.
        runs: the results of the profile.
        loaded: suites that are read already.
    """
    suites = paper_suites(variant, loaded)
    epoch = variant.epoch_reported
    readings = {suite.name: readings_of(suite, runs) for suite in suites}
    overalls: tuple[Overall, ...] = ()
    if variant.against_paper:
        each = [overall(name, list(cells.values()), epoch) for name, cells in readings.items()]
        every = [cell for cells in readings.values() for cell in cells.values()]
        overalls = (*each, overall("all", every, epoch))
    completed = set(runs.names)
    plans = {suite.name: make_plan([suite], completed) for suite in suites}
    together = make_plan(suites, completed)
    counted = {name: (len(plan.runs) - len(plan.missing), len(plan.runs)) for name, plan in plans.items()}
    counted["all"] = (len(together.runs) - len(together.missing), len(together.runs))
    failed = runs.store.failed()
    return Paper(
        variant=variant,
        suites=suites,
        claims=tuple(answer(questions_of(suites, suites, runs, readings), epoch)),
        verdicts={suite.name: verdicts_of(suite, readings[suite.name]) for suite in suites},
        overalls=overalls,
        runs=counted,
        failed=sum(run.run_id in failed for run in together.missing),
    )
