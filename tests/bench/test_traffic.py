import pytest
import torch

from benchmark.bench.measure import VARIANTS
from benchmark.bench.traffic import Traffic, bandwidth, step_bytes
from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset, Network, Numerics
from benchmark.runs.spec import PROTOCOL, CostSpec
from benchmark.training.loop import apply_numerics
from tests.places import ROOT

CPU = torch.device("cpu")


def test_what_operations_read_and_write_counts_and_views_do_not() -> None:
    one, other = torch.ones(4, 8), torch.ones(4, 8)  # 128 bytes each
    counted = []
    for work in (
        lambda: one + other,
        lambda: one.add_(other),
        lambda: one.view(8, 4).transpose(0, 1),
        lambda: torch.empty(1000),
        lambda: one + torch.ones(1).expand(4, 8),
        lambda: torch._foreach_add_([one, other], 1.0),
    ):
        traffic = Traffic()
        with traffic:
            work()
        counted.append(traffic.bytes)
    assert counted == [3 * 128, 3 * 128, 0, 0, 4 + 128 + 4 + 128, 4 * 128]


def counted_bytes(depth: int, batch_size: int, precision: str = "fp32") -> dict[str, int]:
    spec = CostSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="cifar100", source="standin", train_images=2 * batch_size, test_images=4),
        network=Network(family="resnet", depth=depth),
        batch_size=batch_size,
        steps=1,
        device="this one",
        variants=VARIANTS if depth < 110 else [VARIANTS[0], VARIANTS[2]],
        numerics=Numerics.model_validate({"precision": precision}),
    )
    apply_numerics(spec.numerics)
    return step_bytes(spec, standin(spec.dataset), CPU)


@pytest.mark.usefixtures("own_numerics")
def test_bytes_of_a_step() -> None:
    """Weights and momentum weigh more than at a batch of 128."""
    found = counted_bytes(20, 8)
    over = {name: count / found["baseline"] for name, count in found.items()}
    assert 1 < over["SFE"] < 1.1
    assert 2 < over["SFE as Listing 1"] < 2.5  # of a network so shallow
    assert 3.3 < over["SLA"] < 4


@pytest.mark.usefixtures("own_numerics")
def test_the_documents_figures_are_those_that_are_counted() -> None:
    """Bytes grow by as much with each image: two small batches tell those of a large one."""
    told = []
    for precision in ("fp32", "bf16"):
        two, three = (counted_bytes(110, images, precision) for images in (2, 3))
        told += [
            f"{(two[name] + 126 * (three[name] - two[name])) / 1e9:.1f}" for name in ("baseline", "SFE as Listing 1")
        ]
    text = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    said = "fp32 the count says {} GB for the baseline and {} for Listing 1, in bf16 {} and {};".format(*told)
    assert said in text, said


def test_the_memorys_speed_is_that_of_some_machine() -> None:
    assert 1e8 < bandwidth(CPU) < 1e13
