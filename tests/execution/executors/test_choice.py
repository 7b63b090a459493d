from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.execution.executors.choice import Choice, make
from benchmark.execution.executors.contract import Handle
from benchmark.execution.executors.known import engine_of
from benchmark.execution.executors.local import LocalExecutor


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (
            {"engine": "ray", "changes": ["address=http://127.0.0.1:1"]},
            "no Ray answers at http://127.0.0.1:1: Connection",
        ),
        (
            {"engine": "ray", "changes": ["adress=http://a:1"]},
            "--executor-set adress=http://a:1: adress: unknown key; did",
        ),
        ({"engine": "ray", "changes": ["address=nowhere"]}, "address: "),
        ({"engine": "slurm", "config": Path("none.yaml")}, "none.yaml: can't be read: No such file"),
        ({"engine": "local", "changes": ["poll_s=1"]}, "--executor local has no settings"),
    ],
)
def test_what_can_not_be_reached_or_read_is_said(choice: dict[str, Any], says: str, tmp_path: Path) -> None:
    if choice["engine"] == "ray":
        pytest.importorskip("ray")
    with pytest.raises(UserError) as caught:
        make(Choice(**choice), tmp_path)
    assert says in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_no_slurm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="--executor slurm: sbatch is not here; run this on a login node"):
        make(Choice(engine="slurm"), tmp_path)


def test_a_slurm_that_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    for name in ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol"):
        (tmp_path / name).write_text("#!/bin/sh\nexec /bin/sleep 60\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("benchmark.execution.executors.slurm_commands.ANSWER_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"scontrol does not answer within 0\.2 seconds"):
        make(Choice(engine="slurm"), tmp_path)


def test_a_partition_whose_jobs_would_get_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    said = {"scontrol": "echo 'ClusterName = here'", "sinfo": "echo 'short*|2:00|1|(null)'"}
    for name in ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{said.get(name, '')}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="the partition's jobs last 2 minutes: a worker hears of its end 90 s ahead"):
        make(Choice(engine="slurm"), tmp_path)
    make(Choice(engine="slurm", changes=["slurm_signal_delay_s=0"]), tmp_path)


def test_the_engine_of_a_worker_that_somebody_left(tmp_path: Path) -> None:
    assert isinstance(engine_of(Handle(engine="local", place="x", job="1 2 cpu"), tmp_path), LocalExecutor)
