from typing import Any

import pytest

from benchmark.execution.executors.contract import Need
from benchmark.execution.executors.slurm_settings import SlurmSettings


def need(gpus: float = 0.0, **changes: Any) -> Need:
    return Need(**{"memory_gib": 1.5, "gpus": gpus, "threads": 2} | changes)


def parameters(need: Need, runs: int = 1, longest: int | None = None, **slurm: Any) -> dict[str, Any]:
    return SlurmSettings(slurm=slurm).parameters([need] * runs, longest, [])


def test_a_job_takes_what_its_runs_do() -> None:
    found = parameters(need(), 3)
    assert (found["cpus_per_task"], found["mem"]) == (6, "7680M")
    assert found["srun_args"] == ["--cpus-per-task=6"]
    assert "gpus_per_node" not in found
    assert "exclusive" not in found


def test_a_gpu_is_whole_however_many_share_it() -> None:
    assert parameters(need(1 / 3), 3)["gpus_per_node"] == 1
    assert parameters(need(1.0))["gpus_per_node"] == 1


def test_who_wants_to_be_alone_has_the_node() -> None:
    assert parameters(need(alone=True))["exclusive"] is True


def test_settings_win_over_what_is_reckoned() -> None:
    found = parameters(need(1.0), gres="gpu:a100:1", mem_per_cpu="4G", time="2-00:00:00", cpus_per_task=8)
    assert found["gres"] == "gpu:a100:1"
    assert not {"gpus_per_node", "mem"} & found.keys()
    assert (found["time"], found["cpus_per_task"], found["srun_args"]) == ("2-00:00:00", 8, ["--cpus-per-task=8"])


def test_time_is_a_day_or_what_the_partition_allows() -> None:
    assert [parameters(need(), longest=longest)["time"] for longest in (None, 600, 6000)] == [1440, 600, 1440]


def test_nodes_that_were_found_unusable_are_left_out() -> None:
    settings = SlurmSettings(slurm={"exclude": "a"})
    assert settings.parameters([need()], None, ["b", "c"])["exclude"] == "a,b,c"
    assert SlurmSettings().parameters([need()], None, ["b"])["exclude"] == "b"


@pytest.mark.parametrize(
    ("runs_per_job", "takes", "runs"),
    [(None, need(), 1), (4, need(), 4), (None, need(0.25), 4), (None, need(1 / 3), 3), (4, need(1.0, alone=True), 1)],
)
def test_how_many_runs_share_a_job(runs_per_job: int | None, takes: Need, runs: int) -> None:
    assert SlurmSettings(runs_per_job=runs_per_job).runs_in_a_job(takes) == runs
