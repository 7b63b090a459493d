"""``numerics.compiled``: what the compiler traces is the eager step, up to rounding.

Its code generation, minutes on a CPU, is PyTorch's own and not repeated here.
"""

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from benchmark.data.standin import standin
from benchmark.runs.axes import Dataset, Masks, Method, Mixing, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training import loop
from benchmark.training.loop import Training, apply_numerics

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def numerics() -> Iterator[None]:
    before = torch.get_deterministic_debug_mode()
    apply_numerics(Numerics())
    yield
    torch.set_deterministic_debug_mode(before)
    torch.compiler.reset()


def trained(*, compiled: bool) -> Training:
    spec = TrainSpec(
        protocol=PROTOCOL,
        dataset=Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=20, test_images=8),
        network=Network(family="wrn", depth=10, width=1),
        method=Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True),
        mixing=Mixing(mixup_alpha=1.0),
        schedule=Schedule(epochs=4, batch_size=8, learning_rate=0.01),
        numerics=Numerics(compiled=compiled),
    )
    training = Training(spec, standin(spec.dataset), CPU)
    training.run(lambda _: None)
    return training


def assert_same(one: Training, other: Training) -> None:
    for ours, theirs in zip(one.history, other.history, strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-4)
        assert ours["learning_rate"] == theirs["learning_rate"]
    for (name, mine), its in zip(one.model.named_parameters(), other.model.parameters(), strict=True):
        assert (mine - its).norm() <= 1e-2 * its.norm() + 1e-4, name
    assert one.model.state_dict().keys() == other.model.state_dict().keys()


def test_the_compiler_is_deterministic_where_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    config = pytest.importorskip("torch._inductor.config")
    for compiled, deterministic in ((True, True), (True, False), (True, True), (False, True)):
        apply_numerics(Numerics(compiled=compiled, deterministic=deterministic))
        assert config.deterministic == (compiled and deterministic)
    older = SimpleNamespace()  # a release that has no such setting
    monkeypatch.setitem(sys.modules, "torch._inductor.config", older)
    apply_numerics(Numerics(compiled=True))
    assert not vars(older)


def test_traced_steps_are_the_eager_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    # the compiler's tracing without its code generation: batches of 8, the last of 4, the rate's two steps
    graphs: list[int] = []

    def counting(module: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        graphs.append(len(inputs))
        return torch._dynamo.backends.debugging.aot_eager(module, inputs)

    monkeypatch.setattr(loop, "compiled", lambda f, _: torch.compile(f, dynamic=False, backend=counting))
    traced = trained(compiled=True)
    assert len(graphs) == 1  # full batches alone, without a break, and nothing is compiled twice
    assert_same(traced, trained(compiled=False))
