"""bf16 weights made at once are those that autocast makes one by one, and so is all that comes of them."""

import pytest
import torch
from torch import nn

from benchmark.training.shadows import Shadows

from .steps import CASES, begin, casting_one_by_one, trace

pytestmark = pytest.mark.usefixtures("own_numerics")

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", CASES)
def test_no_digit_differs_from_autocasts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CASES[name].spec(precision="bf16", epochs=2)
    ours = trace(CASES[name], spec, CPU, graphs=False)
    casting_one_by_one(monkeypatch)
    assert ours.differs_in(trace(CASES[name], spec, CPU, graphs=False)) == []


def test_only_bf16_has_them() -> None:
    case = CASES["baseline"]
    assert begin(case, case.spec(precision="bf16"), CPU, graphs=False).shadows
    assert begin(case, case.spec(), CPU, graphs=False).shadows is None


def test_the_weights_are_back_whatever_happens() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Linear(2, 2))
    before = list(model.parameters())
    shadows = Shadows(model)
    kinds: list[torch.dtype] = []

    def fail_within() -> None:
        with shadows.instead():
            kinds.extend(parameter.dtype for parameter in model.parameters())
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        fail_within()
    assert kinds == [torch.bfloat16] * 2 + [torch.float32] * 2 + [torch.bfloat16] * 2
    assert all(one is other for one, other in zip(model.parameters(), before, strict=True))


def test_a_weight_that_nothing_used_gets_no_gradient() -> None:
    used, unused = nn.Linear(2, 2), nn.Linear(2, 2)
    shadows = Shadows(nn.ModuleList([used, unused]))
    with shadows.instead():
        torch.autograd.backward(used(torch.ones(1, 2, dtype=torch.bfloat16)).sum())
    shadows.return_gradients()
    assert [weight.grad is None for weight in (*used.parameters(), *unused.parameters())] == [False, False, True, True]
    assert used.weight.grad is not None
    assert used.weight.grad.dtype == torch.float32
    assert all(shadow.grad is None for shadow in shadows._shadows), "they hold no memory between two steps"
