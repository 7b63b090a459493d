"""What a runner records of a run whose worker could not do so itself."""

from benchmark.execution.run_folder import RunFolder
from benchmark.results import provenance
from benchmark.results.store import SCHEMA_VERSION, Failure, Result, Status, Store
from benchmark.runs.spec import RunSpec
from benchmark.runs.spec import run_id as id_of


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
