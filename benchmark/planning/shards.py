"""A plan cut into parts for machines that know nothing of each other."""

from dataclasses import dataclass

from benchmark.planning.estimates import relative_work
from benchmark.planning.plan import Plan
from benchmark.runs.spec import TrainSpec, run_id, with_seed


@dataclass(frozen=True)
class Shard:
    """One of several parts.

    Attributes:
        number: which one, from 1.
        of: how many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        """``2/3``, as it is typed."""
        return f"{self.number}/{self.of}"

    def of_plan(self, plan: Plan) -> Plan:
        """The part of a plan; the parts of all numbers together are the plan, and none has a run of another's.

        The whole plan is cut, whatever is done already, by the work that the built-in table reckons, which is the same
        everywhere: the largest run goes to the part with the least, and so on. So machines agree that see other
        results, have another pace or another device, whose name is part of a cost run's id.
        """
        loads = [0.0] * self.of
        mine = set()
        work = [relative_work(run.spec) for run in plan.runs]
        for position in sorted(range(len(work)), key=lambda position: -work[position]):  # stable: equal ones in turn
            least = loads.index(min(loads))
            loads[least] += work[position]
            if least == self.number - 1:
                mine.add(position)
        runs = tuple(run for position, run in enumerate(plan.runs) if position in mine)
        trained = {
            (cell.suite, run_id(with_seed(run.spec, 0)))
            for run in runs
            if isinstance(run.spec, TrainSpec)
            for cell in run.cells
        }
        return Plan(runs, len(trained), len({name for _, name in trained}))
