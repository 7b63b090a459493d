"""What a runner records of a run whose worker could not do so itself."""

from benchmark import provenance
from benchmark.jobs import RunFolder
from benchmark.spec import RunSpec
from benchmark.spec import run_id as id_of
from benchmark.store import SCHEMA_VERSION, Failure, Result, Status, Store


def record_failure(store: Store, folder: RunFolder, spec: RunSpec, device: str, status: Status, reason: str) -> None:
    """Note the end of an attempt in the run's folder, and why it failed in the store.

    Raises:
        OSError: it can't be written.
    """
    folder.note_attempt(status)
    store.put(
        Result(
            schema_version=SCHEMA_VERSION,
            run_id=id_of(spec),
            spec=spec,
            status=status,
            metrics={},
            history=[],
            cost={},
            provenance=provenance.of_run(spec, device, None, None),
            failure=Failure(reason=reason, log_tail=folder.log_tail(), log_file=str(folder.log)),
        )
    )
