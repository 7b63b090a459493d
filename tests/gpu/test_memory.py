"""What a run takes of a GPU, and what happens where there is too little."""

from pathlib import Path

import pytest
import torch

from benchmark.data.standin import standin
from benchmark.execution.run_folder import EXIT_FAILED
from benchmark.planning.estimates import GPU_CONTEXT_GIB, gpu_memory_gib
from benchmark.runs.axes import Dataset, Method, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training.device import own_stream
from benchmark.training.loop import Training, apply_numerics
from benchmark.training.recorders import recorder
from tests.execution.place import Place, at_step
from tests.training.steps import CASES, SFE

from .here import DEVICE, REHEARSAL, SIZES

pytestmark = pytest.mark.gpu


@pytest.mark.usefixtures("own_process")
def test_a_run_without_memory_is_named_so_and_the_next_one_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CASES["SFE with SD"].spec(**SIZES)
    place = Place(tmp_path, spec, device=DEVICE.type)
    with monkeypatch.context() as patch:
        at_step(patch, 2, lambda: torch.empty(2**50, dtype=torch.uint8, device=DEVICE))  # a pebibyte
        assert place.run() == EXIT_FAILED
    assert place.failure().status == "out_of_memory"
    assert place.run() == 0
    assert len(place.result().history) == spec.schedule.epochs


@pytest.mark.skipif(REHEARSAL, reason="a processor's allocator counts nothing")
@pytest.mark.parametrize(
    ("method", "graphs", "precision"),
    [
        (Method(), False, "fp32"),
        (SFE, True, "fp32"),
        (Method(rotations=4), True, "bf16"),
    ],
)
def test_a_run_takes_no_more_than_is_estimated(method: Method, graphs: bool, precision: str) -> None:
    """The last batch is as large as CIFAR's, 80 images of 128. The allocator knows nothing of CUDA's context."""
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar100", source="standin", train_images=5 * 128 + 80, test_images=1000),
        network=Network(family="resnet", depth=110),
        method=method,
        schedule=Schedule(epochs=1, batch_size=128, learning_rate=0.02),
        numerics=Numerics.model_validate({"precision": precision}),
    )
    apply_numerics(spec.numerics)
    torch.cuda.reset_peak_memory_stats()
    with own_stream(DEVICE):
        record = recorder(DEVICE) if graphs else None
        training = Training(spec, standin(spec.dataset), DEVICE, record=record)
        training.run(lambda _: None)
    assert training.replaying == graphs
    peak_gib = torch.cuda.max_memory_reserved() / 2**30
    assert 0.3 < peak_gib < gpu_memory_gib(spec, graphs=graphs) - GPU_CONTEXT_GIB
