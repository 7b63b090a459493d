"""Who records the steps of a training."""

import pytest
import torch

from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.training import recorders

from . import tape


@pytest.fixture(autouse=True)
def nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RECORDER_VARIABLE, raising=False)


def test_a_processor_records_nothing_by_itself() -> None:
    with pytest.raises(RuntimeError, match="a cpu records no graphs"):
        recorders.recorder(torch.device("cpu"))


def test_an_environment_variable_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    assert recorders.recorder(torch.device("cpu")) is tape.record


@pytest.mark.parametrize("current", [0, 7])
def test_a_gpu_records_on_a_stream_of_its_own_alone(current: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "default_stream", lambda _: 0)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: current)
    if current == 0:
        with pytest.raises(RuntimeError, match="a stream of their own"):
            recorders.recorder(torch.device("cuda"))
    else:
        assert recorders.recorder(torch.device("cuda")) is recorders.cuda_recorder
