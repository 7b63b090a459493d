from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.execution.executors.contract import Need
from benchmark.execution.executors.slurm_commands import minutes
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


@pytest.mark.parametrize("time", ["0:01:00", "2:00", "3", 3, "0-0:03", "00:03:00"])
def test_a_time_in_whatever_form_leaves_time_to_train(time: str | int) -> None:
    with pytest.raises(ValidationError, match="take 4 minutes at least"):
        SlurmSettings(slurm={"time": time})
    with pytest.raises(ValidationError, match="take 4 minutes at least"):
        SlurmSettings(slurm={"additional_parameters": {"time": time}})


@pytest.mark.parametrize("time", ["0:04:00", "4:00", "3:30", "1-0", "1-0:30", "infinite", "UNLIMITED", 0, "0"])
def test_what_is_long_enough_passes(time: str | int) -> None:
    assert SlurmSettings(slurm={"time": time}).too_short(None) is None


def test_a_partition_may_leave_too_little_as_well() -> None:
    assert "take 4 minutes at least" in (SlurmSettings(slurm={"time": 60}).too_short(2) or "")
    assert "take 3 minutes at least" in (SlurmSettings(slurm={"signal_delay_s": 30}).too_short(2) or "")
    assert SlurmSettings(slurm={"signal_delay_s": 0}).too_short(2) is None


@pytest.mark.parametrize(
    ("text", "means"),
    [("90", 90), ("90:00", 90), ("1:30:00", 90), ("1-12", 2160), ("1-12:30", 2190), ("1-12:30:00", 2190), ("0:30", 1)],
)
def test_times_are_read_as_slurm_does(text: str, means: int) -> None:
    assert (minutes(text), minutes("infinite"), minutes("soon")) == (means, None, None)


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
