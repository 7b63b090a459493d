import gc
from collections.abc import Iterator

import pytest
import torch

from benchmark.runs.axes import Numerics
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.training.loop import apply_numerics

from .here import DEVICE, REHEARSAL


@pytest.fixture(autouse=True)
def as_a_worker_computes(own_numerics: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With its settings from the first; what a test leaves on the GPU goes with it."""
    if REHEARSAL:
        monkeypatch.setenv(RECORDER_VARIABLE, "tests.training.tape:record")
    apply_numerics(Numerics())
    yield
    gc.collect()  # a training refers to itself
    if DEVICE.type == "cuda":
        torch.cuda.empty_cache()
