import json
from typing import Any

import pytest
from pydantic import Field, ValidationError, model_validator

from benchmark.runs.schema import Frozen, dotted, fields_at, first_problem, refuse, suggestion
from benchmark.runs.spec import TrainSpec


class Inner(Frozen):
    depth: int
    name: str | None = None


class Outer(Frozen):
    inner: Inner
    maybe: Inner | None = None
    several: list[Inner] = Field(default=[])
    size: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _check(self) -> "Outer":
        if self.size == 13:
            raise refuse("inner.depth", "does not go with thirteen")
        return self


def problem(tree: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(tree)
    path, reason = first_problem(caught.value, Outer)
    return dotted(path), reason


def test_schemas_are_immutable() -> None:
    outer = Outer(inner=Inner(depth=1))
    with pytest.raises(ValidationError):
        outer.size = 2


def test_unknown_key_comes_with_a_suggestion() -> None:
    assert problem({"inner": {"depth": 1}, "szie": 2}) == ("szie", "unknown key; did you mean 'size'?")


def test_unknown_key_like_none_comes_with_what_is_known_there() -> None:
    assert problem({"inner": {"depth": 1, "xyz": 2}}) == ("inner.xyz", "unknown key; known here: depth, name")


def test_unknown_key_in_a_list_names_its_place() -> None:
    path, reason = problem({"inner": {"depth": 1}, "several": [{"depth": 1}, {"depth": 1, "nmae": "x"}]})
    assert (path, reason) == ("several[1].nmae", "unknown key; did you mean 'name'?")


def test_a_misspelt_required_key_is_what_is_named() -> None:
    """Not the key that is missing because of it: that one the reader believes to see in the file."""
    assert problem({"inner": {"dpeth": 1}}) == ("inner.dpeth", "unknown key; did you mean 'depth'?")


def test_missing_key() -> None:
    assert problem({"inner": {}}) == ("inner.depth", "is missing")


@pytest.mark.parametrize("value", ["12", 12.5, True])
def test_types_are_never_converted(value: Any) -> None:
    path, reason = problem({"inner": {"depth": value}})
    assert path == "inner.depth"
    assert "integer" in reason
    assert (json.dumps(value) if isinstance(value, bool) else repr(value)) in reason


def test_bound_is_named_with_the_value() -> None:
    path, reason = problem({"inner": {"depth": 1}, "size": 0})
    assert path == "size"
    assert "greater than or equal to 1" in reason
    assert "0" in reason


def test_refusal_blames_the_place_it_names() -> None:
    assert problem({"inner": {"depth": 1}, "size": 13}) == ("inner.depth", "does not go with thirteen")


def test_reasons_hold_no_jargon_and_one_line() -> None:
    for tree in ({"inner": 3}, {"inner": None}, {"inner": {"depth": [1]}}, {"inner": {"depth": 1}, "several": {}}):
        _, reason = problem(tree)
        assert "pydantic" not in reason
        assert "Input" not in reason
        assert "\n" not in reason


def test_fields_at_walks_through_options_and_lists() -> None:
    assert fields_at(Outer, []) == ["inner", "maybe", "several", "size"]
    assert fields_at(Outer, ["maybe"]) == ["depth", "name"]
    assert fields_at(Outer, ["several", 0]) == ["depth", "name"]
    assert fields_at(Outer, ["size"]) is None
    assert fields_at(Outer, ["nothing", "below"]) is None
    assert "views" in (fields_at(TrainSpec, ["method", "masks"]) or [])


def test_suggestion() -> None:
    assert suggestion("tabel1", ["table1", "figure4"]) == "did you mean 'table1'?"
    assert suggestion("xyz", ["table1", "figure4"]) == "known here: table1, figure4"


@pytest.mark.parametrize(
    ("path", "text"), [([], ""), (["a"], "a"), (["rows", 3, "train", "k"], "rows[3].train.k"), ([0, "a"], "[0].a")]
)
def test_dotted(path: list[str | int], text: str) -> None:
    assert dotted(path) == text
