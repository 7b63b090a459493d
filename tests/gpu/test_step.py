"""Steps replayed from a CUDA graph are the eager ones bit for bit.

These tests decide whether graphs are used, so none is here that has to hold without them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.runs.spec import TrainSpec
from benchmark.system.helper import Helper
from tests.training.steps import CASES, digest, trace

from .here import DEVICE, REHEARSAL, SIZES, STEPS, STOP_AT

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["bf16"] if REHEARSAL else ["fp32", "tf32", "bf16"])
@pytest.mark.parametrize("name", ["SFE with SD", "SLA with Cutout and Mixup"] if REHEARSAL else CASES)
def test_a_graph_takes_the_eager_steps(name: str, precision: str, tmp_path: Path) -> None:
    """Over forty of them, with partial last batches and two milestones, stopped and resumed within an epoch."""
    case, spec = CASES[name], CASES[name].spec(precision=precision, **SIZES)
    eager = trace(case, spec, DEVICE, graphs=False)
    assert len(eager.losses) == STEPS
    replayed = trace(case, spec, DEVICE, graphs=True, stop_at=STOP_AT, file=tmp_path / "checkpoint.pt")
    assert replayed.differs_in(eager) == []


def digests(name: str, spec: TrainSpec, kind: str) -> Iterator[str]:
    yield digest(name, spec, kind)


def test_two_processes_give_the_same_bits() -> None:
    spec = CASES["SFE with SD"].spec(precision="bf16", epochs=2 if REHEARSAL else 4, **SIZES)
    arguments = ("SFE with SD", spec, DEVICE.type)
    with Helper("another process", digests, *arguments) as other:  # ends with this one, as a pool's would not
        assert other.ask() == digest(*arguments)
