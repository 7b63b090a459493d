from typing import Any

import pytest

from benchmark.execution.reproduction import Reproduction, compare
from benchmark.results.store import Result
from tests.made import MACHINE, result, spec

OTHER = {**MACHINE, "device": "another CPU"}


FIRST = {"first_losses": [5.0, 21.0]}


def again(loss: float = 0.0, accuracy: float = 70.0, **cost: Any) -> Result:
    """The run of seed 0, made again, its losses off by a part of themselves."""
    made = result(spec(), accuracy)
    history = [{**entry, "train_loss": entry["train_loss"] * (1 + loss)} for entry in made.history]
    cost = cost or {"first_losses": [5.0, 21.0 * (1 + loss)]}
    return made.model_copy(update={"history": history, "cost": cost})


def compared(other: Result, seeds: int = 4, **machine: Any) -> Reproduction:
    other = other.model_copy(update={"provenance": result(provenance={**MACHINE, **machine}).provenance})
    trials = {seed: result(spec(seed), 70.0 + seed / 10) for seed in range(seeds)}
    return compare(result(cost=FIRST), other, trials)


def test_on_the_same_machine_every_bit_is_compared() -> None:
    found = compared(again())
    assert (found.unlike, found.same) == ([], True)
    assert [check.found for check in found.checks] == ["the same", "equal to the last bit in 3 epochs"]


@pytest.mark.parametrize("loss", [1e-15, 0.5])
def test_there_the_last_bit_counts(loss: float) -> None:
    found = compared(again(loss))
    assert not found.same
    assert found.checks[-1].found == "epoch 1 is the first to differ"
    assert not compared(again(accuracy=70.001)).same


def test_other_code_is_no_excuse() -> None:
    assert compared(again(), code={"release": "0.2.0", "commit": "f00", "dirty": True}).unlike == []


@pytest.mark.parametrize(
    "machine",
    [
        {"device": "another CPU"},
        {"packages": {"torch": "2.12.0"}},
        {"packages": {"torch": "2.11.0", "numpy": "3.0"}},
        {"environment": {"ATEN_CPU_CAPABILITY": "avx2"}},
    ],
)
def test_elsewhere_the_first_loss_must_be_near_and_the_accuracy_among_the_seeds(machine: dict[str, Any]) -> None:
    near = compared(again(9e-4, 70.3), **machine)
    assert near.same
    assert len(near.unlike) == 1
    assert [check.what.split(",")[0] for check in near.checks] == [
        "images",
        "losses of the first steps",
        "single_last_epoch",
    ]
    assert [check.same for check in compared(again(1.1e-3, 70.3), **machine).checks] == [True, False, True]
    assert [check.same for check in compared(again(0, 74.0), **machine).checks] == [True, True, False]


def test_bits_that_are_equal_all_the_same_say_more() -> None:
    found = compared(again(), device="another CPU")
    assert len(found.unlike) == 1
    assert [check.what for check in found.checks] == ["images", "every digit of metrics and history"]


def test_results_of_before_have_no_first_losses() -> None:
    found = compared(again(0.5, 70.3, train_seconds=3.0), device="another CPU")
    assert [check.same for check in found.checks] == [True, None, True]
    assert found.same


def test_one_trial_gives_no_interval() -> None:
    found = compared(again(0, 50.0), seeds=1, device="another CPU")
    assert [check.same for check in found.checks] == [True, True, None]
    assert found.same
    assert "no interval" in found.checks[-1].found


def test_other_images_are_another_run() -> None:
    assert [check.same for check in compared(again(), data_digest="sha256:4567").checks] == [False, True]


def test_a_run_of_several_machines_promises_no_bits() -> None:
    sessions = [{"device": device, "torch": "2.11.0"} for device in ("a CPU", "another CPU")]
    committed = result(provenance={**MACHINE, "sessions": sessions})
    found = compare(committed, result(), {0: committed})
    assert found.unlike == ["device: a CPU, committed a CPU, another CPU"]
