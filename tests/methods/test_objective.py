"""Eq. 3 to 8 by plain loops over Python numbers."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.methods.mixing import Mixed
from benchmark.methods.network import Logits
from benchmark.methods.objective import Objective, conditional, joint_labels, joint_loss, predictions
from benchmark.runs.axes import Choices, Dataset, Masks, Method, Network, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec

V, B, N = 3, 4, 5
LABELS, PARTNERS = [1, 0, 4, 2], [0, 4, 2, 1]
SHARE = 0.3

Rows = list[list[float]]


def random_logits(heads: int, *, plain: bool = False, seed: int = 0) -> Logits:
    rng = np.random.default_rng(seed)
    joint = [torch.tensor(2 * rng.standard_normal((V, B, N * V)), dtype=torch.float32) for _ in range(heads)]
    single = torch.tensor(2 * rng.standard_normal((B, N)), dtype=torch.float32)
    for tensor in (*joint, single):
        tensor.requires_grad_()
    return Logits(tuple(joint), single if plain else None)


def batch(*, mixup: bool = False) -> Mixed:
    labels, partners = torch.tensor(LABELS), torch.tensor(PARTNERS)
    images = torch.zeros(B, 3, 8, 8)
    return (
        Mixed(images, labels, partners, torch.tensor(SHARE)) if mixup else Mixed(images, labels, None, torch.ones(()))
    )


def objective(
    heads: int, *, beta: float | None = None, distillation: bool = False, choices: Choices | None = None
) -> Objective:
    return Objective(
        TrainSpec(
            protocol=PROTOCOL,
            dataset=Dataset(name="cifar10", source="standin", train_images=8, test_images=8),
            network=Network(family="resnet", depth=11),
            method=Method(classifiers=heads, beta=beta, masks=Masks(views=V - 1), distillation=distillation),
            schedule=Schedule(epochs=1, batch_size=4, learning_rate=0.1),
            choices=choices or Choices(),
        )
    )


# ------------------------------------------------------------------ the formulas


def softmax(row: list[float]) -> list[float]:
    top = max(row)
    powers = [math.exp(value - top) for value in row]
    return [power / sum(powers) for power in powers]


def cross_entropy(row: list[float], label: int) -> float:
    return -math.log(softmax(row)[label])


def eq_5(joint: Tensor, labels: list[int]) -> float:
    rows = joint.tolist()
    losses = [cross_entropy(rows[v][b], labels[b] * V + v) for b in range(B) for v in range(V)]
    return sum(losses) / (V * B)


def eq_7(last: Tensor) -> Rows:
    """P(i | f, j = 1): the columns (i, original view) only."""
    rows = last.tolist()
    return [softmax([rows[0][b][i * V + 0] for i in range(N)]) for b in range(B)]


def eq_8(joint: tuple[Tensor, ...]) -> Rows:
    """z_i over all views of all given classifiers."""
    rows = [one.tolist() for one in joint]
    return [
        [
            sum(rows[c][v][b][i * V + v] for c in range(len(joint)) for v in range(V)) / (len(joint) * V)
            for i in range(N)
        ]
        for b in range(B)
    ]


def mean_probabilities(joint: tuple[Tensor, ...]) -> Rows:
    """What the text says instead of Eq. 8: P(i | f̃_j, j), averaged."""
    rows = [one.tolist() for one in joint]
    views = [(c, v) for c in range(len(joint)) for v in range(V)]
    result = []
    for b in range(B):
        given = [softmax([rows[c][v][b][i * V + v] for i in range(N)]) for c, v in views]
        result.append([sum(one[i] for one in given) / len(views) for i in range(N)])
    return result


def kl(teacher: Rows, student: Rows) -> float:
    return (
        sum(p * math.log(p / q) for ps, qs in zip(teacher, student, strict=True) for p, q in zip(ps, qs, strict=True))
        / B
    )


def approx(value: float) -> float:
    return pytest.approx(value, rel=1e-5)  # type: ignore[return-value]


def same(tensor: Tensor, rows: Rows) -> bool:
    return torch.allclose(tensor, torch.tensor(rows), rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------ labels and losses


def test_joint_labels_count_views_fastest() -> None:
    assert joint_labels(torch.tensor([1, 0, 4]), 3).tolist() == [3, 0, 12, 4, 1, 13, 5, 2, 14]
    assert joint_labels(torch.tensor([1, 0, 4]), 1).tolist() == [1, 0, 4]


def test_every_class_and_view_has_a_label_of_its_own() -> None:
    assert sorted(joint_labels(torch.arange(N), V).tolist()) == list(range(N * V))


def test_joint_loss_is_eq_5() -> None:
    joint = random_logits(1).joint[0]
    assert joint_loss(joint, batch()).item() == approx(eq_5(joint, LABELS))


def test_mixup_mixes_the_loss_of_every_view() -> None:
    joint = random_logits(1).joint[0]
    wanted = SHARE * eq_5(joint, LABELS) + (1 - SHARE) * eq_5(joint, PARTNERS)
    assert joint_loss(joint, batch(mixup=True)).item() == approx(wanted)


def test_losses_are_fp32_whatever_the_logits() -> None:
    logits = random_logits(2, plain=True)
    assert logits.plain is not None
    half = Logits(tuple(one.detach().bfloat16() for one in logits.joint), logits.plain.detach().bfloat16())
    rounded = Logits(tuple(one.float() for one in half.joint), logits.plain.detach().bfloat16().float())
    loss = objective(2, beta=0.5, distillation=True)
    assert loss(half, batch()).dtype == torch.float32
    assert loss(half, batch()).item() == approx(loss(rounded, batch()).item())
    for name, scores in predictions(half).items():
        assert scores.dtype == torch.float32, name


@pytest.mark.parametrize("mixup", [False, True])
def test_one_classifier_has_no_weight(mixup: bool) -> None:
    logits = random_logits(1)
    assert objective(1)(logits, batch(mixup=mixup)).item() == approx(
        joint_loss(logits.joint[0], batch(mixup=mixup)).item()
    )


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 1.0])
def test_beta_reduces_the_penultimate_loss(beta: float) -> None:
    logits = random_logits(2)
    penultimate, last = (eq_5(one, LABELS) for one in logits.joint)
    assert objective(2, beta=beta)(logits, batch()).item() == approx(last + beta * penultimate)


def test_the_choice_beta_on_last_is_eq_6_as_printed() -> None:
    logits = random_logits(2)
    penultimate, last = (eq_5(one, LABELS) for one in logits.joint)
    loss = objective(2, beta=0.25, choices=Choices(beta_on="last"))
    assert loss(logits, batch()).item() == approx(penultimate + 0.25 * last)


def test_with_three_classifiers_both_earlier_losses_carry_beta() -> None:
    logits = random_logits(3)
    first, second, last = (eq_5(one, LABELS) for one in logits.joint)
    assert objective(3, beta=0.25)(logits, batch()).item() == approx(last + 0.25 * (first + second))
    by_equation = objective(3, beta=0.25, choices=Choices(beta_on="last"))
    assert by_equation(logits, batch()).item() == approx(first + second + 0.25 * last)


def test_at_beta_zero_the_penultimate_head_learns_nothing() -> None:
    logits = random_logits(2)
    objective(2, beta=0.0)(logits, batch()).backward()  # type: ignore[no-untyped-call]
    penultimate, last = (one.grad for one in logits.joint)
    assert penultimate is None or not penultimate.any()
    assert last is not None
    assert last.any()


# ------------------------------------------------------------------ self-distillation


@pytest.mark.parametrize("mixup", [False, True])
@pytest.mark.parametrize("source", ["logits", "probabilities"])
@pytest.mark.parametrize("heads", [1, 2])
def test_distillation_adds_cross_entropy_and_kl(heads: int, source: str, mixup: bool) -> None:
    beta = 0.5 if heads > 1 else None
    logits = random_logits(heads, plain=True)
    assert logits.plain is not None
    single = logits.plain.tolist()

    def plain_loss(labels: list[int]) -> float:
        return sum(cross_entropy(row, label) for row, label in zip(single, labels, strict=True)) / B

    teacher = [softmax(row) for row in eq_8(logits.joint)]
    if source == "probabilities":
        teacher = mean_probabilities(logits.joint)
    entropy = plain_loss(LABELS)
    if mixup:  # the cross-entropy is mixed, the KL term has no labels
        entropy = SHARE * plain_loss(LABELS) + (1 - SHARE) * plain_loss(PARTNERS)
    without = objective(heads, beta=beta)(Logits(logits.joint, None), batch(mixup=mixup)).item()
    choices = Choices(distill_from="probabilities") if source == "probabilities" else Choices()
    loss = objective(heads, beta=beta, distillation=True, choices=choices)(logits, batch(mixup=mixup))
    assert loss.item() == approx(without + entropy + kl(teacher, [softmax(row) for row in single]))


@pytest.mark.parametrize("source", ["logits", "probabilities"])
def test_the_teacher_is_detached(source: str) -> None:
    choices = Choices(distill_from="probabilities") if source == "probabilities" else Choices()
    with_plain, without = random_logits(2, plain=True), random_logits(2)
    objective(2, beta=0.5, distillation=True, choices=choices)(with_plain, batch()).backward()  # type: ignore[no-untyped-call]
    objective(2, beta=0.5)(without, batch()).backward()  # type: ignore[no-untyped-call]
    for taught, alone in zip(with_plain.joint, without.joint, strict=True):
        assert taught.grad is not None
        assert alone.grad is not None
        assert torch.equal(taught.grad, alone.grad)
    # d/ds (CE + KL) = (softmax(s) - onehot) + (softmax(s) - P), over the batch
    assert with_plain.plain is not None
    assert with_plain.plain.grad is not None
    teacher = mean_probabilities(with_plain.joint)
    if source == "logits":
        teacher = [softmax(row) for row in eq_8(with_plain.joint)]
    wanted = [
        [(2 * q - (i == LABELS[b]) - teacher[b][i]) / B for i, q in enumerate(softmax(row))]
        for b, row in enumerate(with_plain.plain.tolist())
    ]
    assert same(with_plain.plain.grad, wanted)


# ------------------------------------------------------------------ predictions


def test_conditional_takes_each_views_own_columns() -> None:
    logits = random_logits(2)
    z = conditional(logits.joint)
    assert z.shape == (2, B, N, V)
    for c, b, i, v in np.ndindex(2, B, N, V):
        assert z[c, b, i, v] == logits.joint[c][v, b, i * V + v]


def test_single_inference_is_eq_7() -> None:
    logits = random_logits(2)
    assert same(predictions(logits)["single"].softmax(1), eq_7(logits.joint[-1]))


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_aggregated_inference_is_eq_8(heads: int) -> None:
    logits = random_logits(heads)
    scores = predictions(logits)
    assert same(scores["aggregated"], eq_8(logits.joint))
    assert same(scores["aggregated_probabilities"], mean_probabilities(logits.joint))
    assert same(scores["aggregated_final_head"], eq_8(logits.joint[-1:]))
    assert same(scores["aggregated_final_head_probabilities"], mean_probabilities(logits.joint[-1:]))


def test_the_distilled_prediction_is_the_plain_head() -> None:
    logits = random_logits(1, plain=True)
    assert logits.plain is not None
    assert torch.equal(predictions(logits)["distilled"], logits.plain)
    assert "distilled" not in predictions(random_logits(1))


def test_a_baseline_predicts_the_same_in_every_way() -> None:
    logits = torch.randn(1, B, N, generator=torch.Generator().manual_seed(0))
    scores = predictions(Logits((logits,), None))
    assert set(scores) == {
        "single",
        "aggregated",
        "aggregated_probabilities",
        "aggregated_final_head",
        "aggregated_final_head_probabilities",
    }
    for name, score in scores.items():
        wanted = logits[0].softmax(1) if "probabilities" in name else logits[0]
        assert torch.allclose(score, wanted), name
        assert torch.equal(score.argmax(1), logits[0].argmax(1)), name
