from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.execution.executors.settings import read_settings
from benchmark.execution.executors.slurm_settings import SlurmSettings


def read(tmp_path: Path, text: str, *changes: str) -> SlurmSettings:
    file = tmp_path / "slurm.yaml"
    file.write_text(text)
    return read_settings(SlurmSettings, file, changes, free="slurm_")


def test_a_file_and_changes_over_it(tmp_path: Path) -> None:
    text = "device_name: NVIDIA A\nruns_at_once: 8\nslurm_partition: gpu\nslurm_setup: [module load cuda, export A=1]\n"
    found = read(tmp_path, text, "runs_at_once=3", "slurm_reservation=mine", "slurm_exclusive=true")
    assert (found.device_name, found.runs_at_once, found.runs_per_job) == ("NVIDIA A", 3, None)
    assert found.slurm == {
        "partition": "gpu",
        "setup": ["module load cuda", "export A=1"],
        "reservation": "mine",
        "exclusive": True,
    }


def test_a_time_limit_that_leaves_time_to_train(tmp_path: Path) -> None:
    for text in ("slurm_time: 4", "slurm_time: 2\nslurm_signal_delay_s: 0", "slurm_time: 8:00:00"):
        assert read(tmp_path, text).slurm["time"] in (4, 2, "8:00:00")


def test_nothing_said() -> None:
    assert read_settings(SlurmSettings, None, (), free="slurm_") == SlurmSettings()


@pytest.mark.parametrize(
    ("text", "changes", "says"),
    [
        ("run_at_once: 8", (), "slurm.yaml: run_at_once: unknown key; did you mean 'runs_at_once'?"),
        ("runs_at_once: many", (), "slurm.yaml: runs_at_once: should be a valid integer, not 'many'"),
        ("runs_at_once: 0", (), "slurm.yaml: runs_at_once: should be greater than or equal to 1"),
        ("- a list", (), "slurm.yaml: should hold a mapping"),
        ("slurm_array: 0-9", (), "slurm.yaml: slurm_array: is set by this engine; leave it out"),
        ("slurm_signal: B:USR2@60", (), "slurm_signal: B: ends the job's script"),
        ("slurm_additional_parameters: {signal: 'B:USR2@9'}", (), "slurm_signal: B: ends the job's script"),
        (
            "slurm_time: 3",
            (),
            "slurm_time: a worker hears of its end 90 s ahead, up to a minute more, and would get nowh",
        ),
        ("slurm_time: 2\nslurm_signal: USR2@30", (), "take 3 minutes at least"),
        ("slurm_additional_parameters: 3", (), "slurm_additional_parameters: should be a mapping"),
        ('slurm_comment: "a\\nb"', (), "slurm_comment: should be one line"),
        ("slurm_comment: {a: {b: c}}", (), "slurm.yaml: slurm_comment"),
        ("{}", ("runs_at_once",), "--executor-set runs_at_once: write it as key=value"),
        ("{}", ("runs_at_once=x",), "--executor-set runs_at_once=x: runs_at_once: should be a valid integer"),
        ("{}", ("slurm_gres=[",), "--executor-set slurm_gres=[: the value, "),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, changes: tuple[str, ...], says: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text, *changes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"slurm\.yaml: can't be read: No such file"):
        read_settings(SlurmSettings, tmp_path / "slurm.yaml", (), free="slurm_")
