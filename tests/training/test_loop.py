import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from benchmark.data.packed import ImageSet
from benchmark.data.source import load
from benchmark.errors import DivergedError
from benchmark.runs.axes import Dataset, Masks, Method, Mixing, Network, Numerics, Schedule
from benchmark.runs.spec import PROTOCOL, TrainSpec
from benchmark.training import checkpoint
from benchmark.training.loop import Training, apply_numerics, learning_rate

CPU = torch.device("cpu")
WRN = Network(family="wrn", depth=10, width=1)
SFE = Method(classifiers=2, beta=0.5, masks=Masks(views=4))
SFE_SD = Method(classifiers=2, beta=0.5, masks=Masks(views=4), distillation=True)
CIFAR10 = Dataset(name="cifar10", source="standin", train_images=20, test_images=10)
#: the cheapest images there are
TINY = Dataset(name="stanford_dogs", source="standin", input_size=16, train_images=20, test_images=10)


@pytest.fixture(scope="module", autouse=True)
def numerics() -> Iterator[None]:
    """Every test computes as a worker does."""
    before = torch.get_deterministic_debug_mode()
    apply_numerics(Numerics())
    yield
    torch.set_deterministic_debug_mode(before)


def spec_of(
    method: Method | None = None,
    *,
    dataset: Dataset = TINY,
    mixing: Mixing | None = None,
    epochs: int = 2,
    batch_size: int = 8,
    rate: float = 0.1,
    numerics: Numerics | None = None,
) -> TrainSpec:
    return TrainSpec(
        protocol=PROTOCOL,
        dataset=dataset,
        network=WRN,
        method=method or Method(),
        mixing=mixing or Mixing(),
        schedule=Schedule(epochs=epochs, batch_size=batch_size, learning_rate=rate),
        numerics=numerics or Numerics(),
    )


def training_of(spec: TrainSpec) -> Training:
    return Training(spec, images_of(spec), CPU)


def images_of(spec: TrainSpec) -> ImageSet:
    return load(spec.dataset, None, Path("no-cache"))


def nothing(training: Training) -> None:
    pass


def trained(spec: TrainSpec, after_step: Callable[[Training], None] = nothing) -> Training:
    training = training_of(spec)
    training.run(after_step)
    return training


# ------------------------------------------------------------------ the schedule


@pytest.mark.parametrize(
    ("epochs", "drops"),
    [(300, (150, 225)), (6, (3, 4)), (5, (2, 3)), (4, (2, 3)), (3, ()), (1, ())],
)
def test_the_rate_drops_tenfold_at_each_milestone(epochs: int, drops: tuple[int, ...]) -> None:
    schedule = Schedule(epochs=epochs, batch_size=8, learning_rate=0.5)
    expected, rate = [], 0.5
    for epoch in range(epochs):
        if epoch in drops:
            rate /= 10
        expected.append(rate)
    assert [learning_rate(schedule, epoch) for epoch in range(epochs)] == pytest.approx(expected)


def test_the_optimiser_gets_the_rate_of_the_epoch() -> None:
    used = []
    spec = spec_of(epochs=4, batch_size=20)
    training = trained(spec, lambda t: used.append(t.optimizer.param_groups[0]["lr"]))
    assert used == pytest.approx([0.1, 0.1, 0.01, 0.001])
    assert [entry["learning_rate"] for entry in training.history] == pytest.approx(used)
    assert [entry["epoch"] for entry in training.history] == [1, 2, 3, 4]


def test_steps_are_sgd_by_hand() -> None:
    # momentum 0.9, weight decay 1e-4 on every parameter, no Nesterov, the last partial batch kept
    spec = spec_of(epochs=1, batch_size=8)
    training = training_of(spec)
    model = copy.deepcopy(training.model).train()
    velocity = [torch.zeros_like(parameter) for parameter in model.parameters()]
    losses, sizes = [], []
    for images, labels, _ in training.batches.epoch(0, 8):
        loss = F.cross_entropy(model(images).joint[0][0], labels)
        model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter, moving in zip(model.parameters(), velocity, strict=True):
                assert parameter.grad is not None
                moving.mul_(0.9).add_(parameter.grad + 1e-4 * parameter)
                parameter.sub_(0.1 * moving)
        losses.append(loss.item())
        sizes.append(len(labels))
    training.run(nothing)
    assert sizes == [8, 8, 4]
    mean_loss = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / 20
    assert training.history[0]["train_loss"] == pytest.approx(mean_loss, rel=1e-4)
    for (name, ours), theirs in zip(training.model.named_parameters(), model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5), name


# ------------------------------------------------------------------ a run


def test_a_run_learns() -> None:
    dataset = Dataset(name="cifar10", source="standin", train_images=200, test_images=100)
    training = trained(spec_of(SFE, dataset=dataset, epochs=3, batch_size=10))
    metrics, first = training.metrics(), training.history[0]
    assert metrics["single_last_epoch"] > 50  # chance: 10
    assert metrics["aggregated_last_epoch"] > 50
    assert training.history[-1]["train_loss"] < 0.5 * first["train_loss"]


PREDICTIONS = {
    "single",
    "aggregated",
    "aggregated_probabilities",
    "aggregated_final_head",
    "aggregated_final_head_probabilities",
}


@pytest.mark.parametrize(
    ("method", "predictions"),
    [(Method(), PREDICTIONS), (SFE, PREDICTIONS), (SFE_SD, PREDICTIONS | {"distilled"})],
    ids=["baseline", "sfe", "sfe-sd"],
)
def test_metrics_are_the_contracts(method: Method, predictions: set[str]) -> None:
    training = trained(spec_of(method))
    metrics = training.metrics()
    assert set(metrics) == {f"{name}_{when}_epoch" for name in predictions for when in ("last", "best")}
    for name in predictions:
        seen = [entry[name] for entry in training.history]
        assert all(0 <= value <= 100 for value in seen)
        assert metrics[f"{name}_last_epoch"] == seen[-1]
        assert metrics[f"{name}_best_epoch"] == max(seen)


def test_the_best_epoch_need_not_be_the_last() -> None:
    training = training_of(spec_of())
    training.history = [
        {"epoch": e, "learning_rate": 0.1, "train_loss": 1.0, "single": s} for e, s in ((1, 7.0), (2, 3.0))
    ]
    assert training.metrics() == {"single_last_epoch": 3.0, "single_best_epoch": 7.0}


def test_a_baselines_predictions_are_all_equal() -> None:
    dataset = Dataset(name="cifar10", source="standin", train_images=40, test_images=40)
    for entry in trained(spec_of(dataset=dataset)).history:
        assert len({entry[name] for name in PREDICTIONS}) == 1


def test_one_spec_gives_one_result() -> None:
    spec = spec_of(SFE_SD, mixing=Mixing(cutout_size=4, mixup_alpha=1.0))
    first, second = trained(spec), trained(spec)
    assert first.history == second.history
    assert first.metrics() == second.metrics()
    other = trained(spec.model_copy(update={"seed": 1}))
    assert other.history[0]["train_loss"] != first.history[0]["train_loss"]


def test_methods_see_the_same_batches() -> None:
    baseline, sfe = training_of(spec_of()), training_of(spec_of(SFE_SD))
    for ours, theirs in zip(baseline.batches.epoch(1, 8), sfe.batches.epoch(1, 8), strict=True):
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("rate", [1e6])  # the largest that a spec takes
def test_a_loss_that_is_no_number_ends_the_run(rate: float) -> None:
    with pytest.raises(DivergedError, match="loss of epoch 1 is"):
        trained(spec_of(SFE, rate=rate))
    assert DivergedError.status == "diverged"


@pytest.mark.parametrize("name", ["weight", "running_var"])
def test_a_last_step_that_breaks_the_network_ends_the_run(name: str) -> None:
    """The loss of a step is that of the network before it: the last step's ruin shows in the network alone."""

    def break_it(training: Training) -> None:
        if training.step == training.steps:
            tensors = training.model.state_dict()
            chosen = next(key for key in tensors if key.endswith(name))
            tensors[chosen].fill_(float("inf"))

    with pytest.raises(DivergedError, match="not finite after epoch 1"):
        trained(spec_of(epochs=1), break_it)


@pytest.mark.parametrize(
    ("spec", "golden"),
    [
        (spec_of(dataset=CIFAR10), [2.41376, 2.22718]),
        (spec_of(SFE_SD, dataset=CIFAR10, mixing=Mixing(cutout_size=16, mixup_alpha=1.0)), [8.30352, 8.24380]),
    ],
    ids=lambda value: value.label if isinstance(value, TrainSpec) else "",
)
def test_golden_runs(spec: TrainSpec, golden: list[float]) -> None:
    # Other instruction sets round otherwise, by about 1e-4 after these six steps. If this fails, the numbers
    # of an unchanged spec have changed: raise PROTOCOL.
    losses = [entry["train_loss"] for entry in trained(spec).history]
    assert losses == pytest.approx(golden, rel=1e-3)


def test_cost_counts_training_steps() -> None:
    cost = trained(spec_of(epochs=2, batch_size=8)).cost()
    assert cost["steps"] == 6
    assert cost["seconds_per_step"] == pytest.approx(cost["train_seconds"] / 6)
    assert cost["train_seconds"] > 0


def test_bf16_is_near_fp32_and_not_it() -> None:
    exact = trained(spec_of(SFE, epochs=1)).history[0]["train_loss"]
    rough = trained(spec_of(SFE, epochs=1, numerics=Numerics(precision="bf16"))).history[0]["train_loss"]
    assert rough == pytest.approx(exact, rel=0.1)
    assert rough != exact


def test_numerics_are_set_as_the_spec_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "of somebody else")
    apply_numerics(Numerics(threads=2, deterministic=False))
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"  # else PyTorch refuses to be deterministic on a GPU
    try:
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        apply_numerics(Numerics())
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


# ------------------------------------------------------------------ interrupted and resumed


class Stop(Exception):  # noqa: N818 - stands for a signal
    pass


def stop_after(steps: int) -> Callable[[Training], None]:
    def after_step(training: Training) -> None:
        if training.epoch * training.steps + training.step == steps:
            raise Stop

    return after_step


RESUMABLE = [
    spec_of(),
    spec_of(SFE_SD),
    spec_of(SFE, mixing=Mixing(mixup_alpha=1.0)),
    spec_of(mixing=Mixing(cutout_size=4, mixup_alpha=0.2)),
]


@pytest.mark.parametrize("spec", RESUMABLE, ids=lambda spec: spec.label)
def test_a_resumed_run_is_the_undisturbed_one(spec: TrainSpec, tmp_path: Path) -> None:
    undisturbed = trained(spec)
    for step in (1, 3, 5):  # within the first epoch, at its end, within the second
        with pytest.raises(Stop):
            (interrupted := training_of(spec)).run(stop_after(step))
        checkpoint.save(tmp_path / "checkpoint.pt", {"run_id": "x", **interrupted.checkpoint()})
        state = checkpoint.load(tmp_path / "checkpoint.pt", "x")
        assert state is not None
        resumed = training_of(spec)
        resumed.resume(state)
        assert resumed.done == interrupted.done == pytest.approx(step / 6)
        resumed.run(nothing)
        assert resumed.history == undisturbed.history
        assert resumed.metrics() == undisturbed.metrics()
        assert resumed.cost()["first_losses"] == undisturbed.first_losses
        for (name, ours), theirs in zip(
            resumed.model.state_dict().items(), undisturbed.model.state_dict().values(), strict=True
        ):
            assert torch.equal(ours, theirs), name


def test_the_first_losses_are_those_of_the_first_two_steps() -> None:
    spec, sums = spec_of(SFE), list[float]()
    training = trained(spec, lambda training: sums.append(float(training.loss_sum)))
    batch = spec.schedule.batch_size
    assert training.first_losses == pytest.approx([sums[0] / batch, (sums[1] - sums[0]) / batch])


def test_a_checkpoint_of_batch_norms_that_counted_still_fits(tmp_path: Path) -> None:
    spec = spec_of(SFE)
    with pytest.raises(Stop):
        (interrupted := training_of(spec)).run(stop_after(5))
    state = interrupted.checkpoint()
    norms = [name for name in state["model"] if name.endswith("running_var")]
    for name in norms:
        state["model"][name.replace("running_var", "num_batches_tracked")] = torch.tensor(5)
    checkpoint.save(tmp_path / "checkpoint.pt", {"run_id": "x", **state})
    loaded = checkpoint.load(tmp_path / "checkpoint.pt", "x")
    assert loaded is not None
    assert sum(name.endswith("num_batches_tracked") for name in loaded["model"]) == len(norms) > 5
    resumed = training_of(spec)
    resumed.resume(loaded)
    resumed.run(nothing)
    assert resumed.history == trained(spec).history


def test_a_run_interrupted_after_every_step_is_the_undisturbed_one(tmp_path: Path) -> None:
    spec = spec_of(SFE_SD, mixing=Mixing(mixup_alpha=1.0))
    training = training_of(spec)
    for step in range(1, 7):
        with pytest.raises(Stop):
            training.run(stop_after(step))
        checkpoint.save(tmp_path / "checkpoint.pt", {"run_id": "x", **training.checkpoint()})
        state = checkpoint.load(tmp_path / "checkpoint.pt", "x")
        assert state is not None
        training = training_of(spec)
        training.resume(state)
    training.run(nothing)
    undisturbed = trained(spec)
    assert training.history == undisturbed.history
    assert training.metrics() == undisturbed.metrics()
    assert training.cost()["steps"] == undisturbed.cost()["steps"]
    assert training.seconds > 0
