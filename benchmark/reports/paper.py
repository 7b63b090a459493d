"""All that a report says of some suites and of the whole paper, judged once: renderers only write it down."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.planning.plan import make_plan
from benchmark.reports.judged import JudgedSuite, Place, judge_suite
from benchmark.reports.questions import questions_of
from benchmark.reports.standing import failed_runs
from benchmark.results.trials import Trials
from benchmark.suites.manifest import PAPER_SUITES, find_manifests
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
        suites: all of the paper's, in its order, every cell judged.
        claims: answered from whatever results there are.
        overalls: distances from the paper, a suite each and ``all``; empty where numbers aren't judged.
        runs: planned runs by suite and of ``all``, done and all of them.
        failed: runs that wait as failed, likewise.
    """

    variant: Variant
    suites: tuple[JudgedSuite, ...]
    claims: tuple[Answered, ...]
    overalls: tuple[Overall, ...]
    runs: Mapping[str, tuple[int, int]]
    failed: Mapping[str, int]

    @property
    def verdicts(self) -> dict[str, dict[Place, Verdict]]:
        """Of every suite's score cells, by suite, then row and column."""
        return {one.suite.name: one.verdicts for one in self.suites}

    @property
    def words(self) -> Counter[str]:
        """How many printed scores have each verdict."""
        return Counter(verdict.word for of in self.verdicts.values() for verdict in of.values())


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Some suites and the paper.

    Attributes:
        trials: the results that all was read from.
        suites: those asked for.
        paper: all of it; None where settings leave its protocol, which may fit no other suite and answers no claim.
        own_claims: answered claims of the suites asked for that are none of the paper's, by suite.
    """

    trials: Trials
    suites: tuple[JudgedSuite, ...]
    paper: Paper | None
    own_claims: Mapping[str, tuple[Answered, ...]]

    @property
    def claims(self) -> tuple[Answered, ...]:
        """The paper's and then the suites' own."""
        return (*(self.paper.claims if self.paper else ()), *(one for of in self.own_claims.values() for one in of))


def judge_all(suites: Sequence[Suite], trials: Trials) -> Judgement:
    """Judge some suites under one variant, and the whole paper with them.

    Args:
        suites: those asked for, one at least.
        trials: the results of the profile.

    Raises:
        ManifestError: a claim names a cell that isn't there, or one that does not fit its kind.
    """
    asked = tuple(judge_suite(suite, trials) for suite in suites)
    if not suites[0].variant.keeps_protocol:
        return Judgement(trials=trials, suites=asked, paper=None, own_claims={})
    paper = whole_paper(suites[0].variant, trials, asked)
    known = {one.suite.name: one for one in (*paper.suites, *asked)}
    own = {
        one.suite.name: tuple(answer(questions_of([one], list(known.values())), one.suite.variant.epoch_reported))
        for one in asked
        if one.suite.name not in PAPER_SUITES and one.suite.manifest.claims
    }
    return Judgement(trials=trials, suites=asked, paper=paper, own_claims=own)


def whole_paper(variant: Variant, trials: Trials, judged: Sequence[JudgedSuite] = ()) -> Paper:
    """Judge everything that the paper says.

    Args:
        variant: profile and settings.
        trials: the results of the profile.
        judged: suites that are judged already, by the same variant and results.
    """
    by_path = {one.suite.path: one for one in judged}
    suites = tuple(
        by_path.get(path) or judge_suite(load_suite(path, variant, "any"), trials) for path in find_manifests(["all"])
    )
    epoch = variant.epoch_reported
    overalls: tuple[Overall, ...] = ()
    if variant.against_paper:
        each = [overall(one.suite.name, list(one.readings.values()), epoch) for one in suites]
        every = [cell for one in suites for cell in one.readings.values()]
        overalls = (*each, overall("all", every, epoch))
    runs, failed = _counted([one.suite for one in suites], trials)
    return Paper(
        variant=variant,
        suites=suites,
        claims=tuple(answer(questions_of(suites, suites), epoch)),
        overalls=overalls,
        runs=runs,
        failed=failed,
    )


def _counted(suites: Sequence[Suite], trials: Trials) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Planned runs by suite and of all, done and all; and how many of the missing ones failed.

    Done is what tables can show: a measurement counts on whatever device it was made, a damaged file does not.
    """
    planned = {suite.name: {run.run_id: run.spec for run in make_plan([suite], set()).runs} for suite in suites}
    planned["all"] = {name: spec for runs in planned.values() for name, spec in runs.items()}
    done = {name for name, spec in planned["all"].items() if trials.has(spec)}
    failures = trials.store.failed()
    failed = {name for name, spec in planned["all"].items() if name not in done and failed_runs(spec, failures)}
    return (
        {name: (len(done & runs.keys()), len(runs)) for name, runs in planned.items()},
        {name: len(failed & runs.keys()) for name, runs in planned.items()},
    )
