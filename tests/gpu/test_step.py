"""Steps replayed from a CUDA graph are the eager ones bit for bit: the test that decides whether graphs are used."""

import multiprocessing
from pathlib import Path

import pytest

from tests.training.steps import CASES, casting_one_by_one, digest, trace

from .here import DEVICE, REHEARSAL, SIZES, STOP_AT

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["fp32", "bf16"] if REHEARSAL else ["fp32", "tf32", "bf16"])
@pytest.mark.parametrize("name", CASES)
def test_a_graph_takes_the_eager_steps(name: str, precision: str, tmp_path: Path) -> None:
    """Over forty of them, with partial last batches and two milestones, stopped and resumed within an epoch."""
    case, spec = CASES[name], CASES[name].spec(precision=precision, **SIZES)
    eager = trace(case, spec, DEVICE, graphs=False)
    assert len(eager.losses) == 16 if REHEARSAL else 40
    replayed = trace(case, spec, DEVICE, graphs=True, stop_at=STOP_AT, file=tmp_path / "checkpoint.pt")
    assert replayed.differs_in(eager) == []


@pytest.mark.parametrize("name", CASES)
def test_bf16_weights_made_at_once_are_autocasts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, spec = CASES[name], CASES[name].spec(precision="bf16", epochs=2, **SIZES)
    at_once = trace(case, spec, DEVICE, graphs=False)
    casting_one_by_one(monkeypatch)
    assert at_once.differs_in(trace(case, spec, DEVICE, graphs=False)) == []


def test_two_processes_give_the_same_bits() -> None:
    arguments = ("SFE with SD", CASES["SFE with SD"].spec(precision="bf16", **SIZES), DEVICE.type)
    with multiprocessing.get_context("spawn").Pool(1) as other:
        assert other.apply(digest, arguments) == digest(*arguments)
