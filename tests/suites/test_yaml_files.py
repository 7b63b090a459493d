"""What a word of YAML is read as: numbers are decimal, everything that is not surely something else is a word."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.suites.profiles import parse_setting
from benchmark.suites.yaml_files import parse_yaml
from benchmark.system.paths import SUITES
from tests.places import ROOT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("no", "No", "yes", "on", "off", "y", "1:30", "010", "0o12", "0x10", "0b1", "1_0")),
        *((word, word) for word in ("2024-01-01", "12:30:45", ".inf", ".nan", "1.2.3", "e5", ".", "1e", "=", "<")),
        *((word, word) for word in ("+", "+-1", "1,5", "٣", "0" * 20, f"0x{'f' * 5000}")),
        ("0", 0),
        ("110", 110),
        ("-5", -5),
        ("+5", 5),
        ("9" * 18, 10**18 - 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("2.5e+3", 2500.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'110'", "110"),
        ('"no"', "no"),
        ("!!str 110", "110"),
        ("!!float 1", 1.0),
        ("{110: no, on: 1, 1.0: a, true: b}", {"110": "no", "on": 1, "1.0": "a", "true": "b"}),
        ("{a: &x {1: 2}, b: {<<: *x, 3: 4}}", {"a": {"1": 2}, "b": {"1": 2, "3": 4}}),
    ],
)
def test_what_a_word_is(text: str, value: Any) -> None:
    found = parse_yaml(text)
    assert (type(found), found) == (type(value), value)


def test_zero_has_no_sign() -> None:
    assert str(parse_yaml("-0.0")) == "0.0"  # or one training would have two run ids


@pytest.mark.parametrize(
    "text", ["9" * 19, "9" * 5000, "!!int 0x10", "!!bool yes", "!!timestamp 2024-01-01", "!!set {a}", "{1: a, '1': b}"]
)
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not valid YAML"):
        parse_yaml(text)


@pytest.mark.parametrize("path", [*SUITES.rglob("*.yaml"), *(ROOT / "examples").glob("*.yaml")], ids=lambda p: p.name)
def test_the_projects_own_files_say_the_same_to_other_readers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert json.dumps(parse_yaml(text)) == json.dumps(yaml.safe_load(text))


@pytest.mark.parametrize(
    "texts",
    [
        ("schedule.learning_rate=1", "schedule.learning_rate=1.0", "schedule.learning_rate=1e0"),
        ("schedule.learning_rate=0.1", "schedule.learning_rate=.1", "schedule.learning_rate=1e-1"),
        ("schedule.weight_decay=0", "schedule.weight_decay=-0.0", "schedule.weight_decay=0e5"),
        ("schedule.decay_at=[0.5, 0.75]", "schedule.decay_at=[.50,75e-2]"),
        ("beta_on=last", "choices.beta_on=last", "beta_on='last'"),
    ],
)
def test_one_value_written_in_several_ways_has_one_label(texts: tuple[str, ...]) -> None:
    assert len({parse_setting(text).label for text in texts}) == 1
