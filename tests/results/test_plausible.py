from typing import Any

import pytest

from benchmark.results.plausible import is_number, problem_of
from benchmark.results.store import Store
from tests.made import MACHINE, result, spec
from tests.reports.fakes import measure, paper


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"history": []}, "0 entries for 3 epochs"),
        ({"history": [*result().history[:2], {**result().history[2], "epoch": 4}]}, "of epoch 4"),
        ({"history": [*result().history[:2], {**result().history[2], "single": 100.5}]}, "no percentage"),
        ({"history": [*result().history[:2], {**result().history[2], "train_loss": 1e999}]}, "no number"),
        ({"history": [{**result().history[0], "train_loss": float("nan")}, *result().history[1:]]}, "is nan, which"),
        ({"history": [*result().history[:2], {**result().history[2], "train_loss": 10**400}]}, "no number"),
        ({"history": [*result().history[:2], {**result().history[2], "learning_rate": True}]}, "no number"),
        ({"history": [*result().history[:2], {"epoch": 3}]}, "other numbers"),
        ({"metrics": {"single_last_epoch": 69.0}}, "single_best_epoch is None"),
        ({"metrics": {"single_last_epoch": 69.0, "single_best_epoch": 70.5}}, "by its history 70.0"),
        ({"provenance": {**MACHINE, "data_digest": None}}, "data_digest is missing"),
    ],
)
def test_what_no_training_leaves(changes: dict[str, Any], words: str) -> None:
    assert problem_of(result()) is None
    assert words in str(problem_of(result(**changes)))


def session(start: int, end: int) -> dict[str, str]:
    return {"start": f"2026-01-01T0{start}:00:00+00:00", "end": f"2026-01-01T0{end}:00:00+00:00"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"end": "2001-01-01T00:00:00+00:00"}, "it ended before it began"),
        ({"start": "yesterday"}, "provenance.start is 'yesterday', which is no time"),
        ({"start": "2026-01-01T00:00:00"}, None),  # without a zone it is UTC
        ({"sessions": [session(0, 1), session(3, 2)]}, "session 1 ended before it began"),
        ({"sessions": [session(5, 6), session(2, 3), {}]}, None),  # by the clocks of two machines; an early one
        ({"sessions": [{"start": "never"}]}, "provenance.sessions[0].start is 'never', which is no time"),
        ({}, None),
    ],
)
def test_a_run_begins_before_it_ends(changes: dict[str, Any], problem: str | None) -> None:
    assert problem_of(result(provenance={**MACHINE, **changes})) == problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"memory_mib": 0}, "metrics.SFE.memory_mib is 0"),
        ({"seconds_per_step": -0.1}, "metrics.SFE.seconds_per_step is -0.1"),
        ({"seconds_per_step_lower_quartile": 0.0}, "metrics.SFE.seconds_per_step_lower_quartile is 0.0"),
        ({"time_overhead_percent": -100.0}, "metrics.SFE.time_overhead_percent is -100.0"),
        ({"seconds_per_step": None}, "metrics.SFE.seconds_per_step is None, which is no number"),
        ({"another": -5}, None),
    ],
)
def test_what_no_measurement_leaves(store: Store, change: dict[str, Any], problem: str | None) -> None:
    measure(store, paper("table3"))
    (name,) = store.completed()
    found = store.load(name)
    metrics = {**found.metrics, "SFE": {**found.metrics["SFE"], **change}}
    assert problem_of(found.model_copy(update={"metrics": metrics})) == problem


def test_nobody_keeps_maps_that_were_not_asked_for() -> None:
    maps = [{"image": 0, "label": 0, "predicted": 0, "map": [[1.0]]}]
    assert problem_of(result(activation_maps=maps)) == "it holds activation maps that its spec does not ask for"


@pytest.mark.parametrize("value", [True, None, "1", float("nan"), float("inf"), -float("inf"), 1e15, 10**400])
def test_what_can_not_be_reckoned_with_is_no_number(value: object) -> None:
    assert not is_number(value)
    assert all(map(is_number, (0, -1.5, 1e14)))


@pytest.mark.parametrize(
    ("maps", "problem"),
    [
        (None, "it holds 0 activation maps, and its spec asks for 2"),
        ([{}], "it holds 1 activation maps, and its spec asks for 2"),
        ([{}, {}, {}], "it holds 3 activation maps, and its spec asks for 2"),
        ([{}, {"image": 99_000_000}], "an activation map is of image 99000000, and there are 10000"),
        ([{}, {"label": 100}], "an activation map is of class 100, and there are 100"),
        ([{}, {"predicted": 999_999}], "an activation map is of class 999999, and there are 100"),
        ([{}, {"image": 9999, "label": 99}], None),
    ],
)
def test_maps_are_as_many_and_of_what_the_spec_asks_for(maps: list[dict[str, Any]] | None, problem: str | None) -> None:
    one = {"image": 0, "label": 0, "predicted": 0, "map": [[1.0]]}
    provenance = {**MACHINE, "images": {"train": 50_000, "test": 10_000, "test_in_train": 0}}
    found = [{**one, **changes} for changes in maps] if maps is not None else None
    assert problem_of(result(spec(activation_maps=2), activation_maps=found, provenance=provenance)) == problem


def test_of_few_test_images_there_are_as_many_maps() -> None:
    one = {"image": 0, "label": 0, "predicted": 0, "map": [[1.0]]}
    provenance = {**MACHINE, "images": {"train": 50_000, "test": 1, "test_in_train": 0}}
    assert problem_of(result(spec(activation_maps=2), activation_maps=[one], provenance=provenance)) is None
