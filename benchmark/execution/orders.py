"""What an engine is asked to start for a run, and what its worker is told."""

from benchmark.execution.attempts import Attempt
from benchmark.execution.executors.contract import Order
from benchmark.execution.places import Places
from benchmark.execution.run_folder import Job, worker_command, worker_environment
from benchmark.results.code import this_code

#: Minutes of work that a lost machine may cost; a GPU's are dear, and may be lent.
CHECKPOINT_MINUTES = {"cpu": 5.0, "cuda": 2.0}


def order(attempt: Attempt, places: Places, *, timeout_min: float | None, graphs: bool) -> Order:
    """Leave a run's worker its job, and say how to start it.

    Raises:
        OSError: the job can't be written.
    """
    folder, spec = attempt.folder, attempt.run.spec
    folder.order(
        Job(
            run_id=attempt.name,
            spec=spec,
            results_folder=str(attempt.store.folder.resolve()),
            data_dir=str(places.data.resolve()) if places.data else None,
            cache_dir=str(places.cache.resolve()),
            device=attempt.device,
            checkpoint_minutes=CHECKPOINT_MINUTES[attempt.device],
            timeout_min=timeout_min,
            graphs=graphs,
            weights_dir=str(places.weights.resolve()) if places.weights else None,
            code=this_code(),
        )
    )
    attempt.begin()
    place = folder.folder.resolve()
    return Order(
        run_id=attempt.name,
        folder=place,
        command=tuple(worker_command(place)),
        environment=worker_environment(spec.numerics.threads),
        log=place / folder.log.name,
        need=attempt.need,
    )
