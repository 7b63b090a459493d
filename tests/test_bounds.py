"""Every number that somebody can write has an upper bound: what nobody means is refused, not reckoned with."""

from collections.abc import Iterator
from typing import Any, get_args

import click
import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

import benchmark.cli
from benchmark.cli.options import count
from benchmark.execution.run_folder import Job, Progress
from benchmark.results.record import ActivationMap
from benchmark.runs.spec import RUN_SPEC
from benchmark.suites.manifest import Manifest, Published
from benchmark.suites.profiles import Profile
from tests.cli.test_folders import commands
from tests.runs.test_spec import COST, SD

MODELS = (Job, Progress, Manifest, Profile, ActivationMap)


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part, seen)


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def numbers() -> Iterator[tuple[str, str, list[Any]]]:
    """Each field that holds numbers, with all that bounds them."""
    seen: set[type[BaseModel]] = set()
    for root in MODELS:
        for model in models(root, seen):
            for name, field in model.model_fields.items():
                found = list(parts(field.annotation))
                if any(part in (int, float) for part in found):
                    inside = [m for part in found if isinstance(part, FieldInfo) for m in part.metadata]
                    yield model.__name__, name, [*field.metadata, *inside]


def test_every_number_of_every_schema_has_an_upper_bound() -> None:
    found = list(numbers())
    assert {"Dataset", "Schedule", "Mixing", "Manifest", "CostSpec", "Job"} <= {model for model, _, _ in found}
    exceptions = {("Result", "history"), ("ActivationMap", "map"), ("Manifest", "published")}
    for model, name, bounds in found:
        bounded = any(hasattr(bound, "le") or hasattr(bound, "lt") for bound in bounds)
        assert bounded or (model, name) in exceptions, f"{model}.{name}"


@pytest.mark.parametrize("tree", [{"kind": "train", **SD}, COST], ids=["training", "cost"])
def test_a_run_of_huge_numbers_is_none(tree: dict[str, Any]) -> None:
    RUN_SPEC.validate_python(tree)
    for path in number_paths(tree):
        with pytest.raises(ValidationError):
            RUN_SPEC.validate_python(replaced(tree, path, 10**12))


def number_paths(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield (*at, key)
        yield from number_paths(value, (*at, key))


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(tree, list):
        return [replaced(v, tuple(rest), value) if i == first else v for i, v in enumerate(tree)]
    return tree | {first: replaced(tree[first], tuple(rest), value)}


def test_every_number_of_every_command_has_bounds() -> None:
    numeric = [
        parameter.type
        for one in commands(benchmark.cli.cli)
        for parameter in one.params
        if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
    ]
    assert len(numeric) > 10
    for kind in numeric:
        assert isinstance(kind, click.IntRange | click.FloatRange)
        assert kind.max is not None
        assert kind.min is not None
        wrong: list[Any] = ["1_0", "1e999", "9" * 30, "9" * 5000, "0x10", "nan"]
        for value in wrong:
            with pytest.raises(click.BadParameter):
                kind.convert(value, None, None)


def test_a_count_is_decimal() -> None:
    convert: Any = count(most=10).convert
    assert [convert(value, None, None) for value in ("010", "4", 4)] == [10, 4, 4]
    with pytest.raises(click.BadParameter, match="no whole number in plain digits"):
        convert("4.0", None, None)


@pytest.mark.parametrize("text", ["9" * 400, "74.21 ± " + "9" * 400, "٣", "1e5", f"1.{'0' * 400}"])
def test_printed_numbers_are_of_sane_length(text: str) -> None:
    with pytest.raises(ValueError, match="should read like"):
        Published.parse(text)
