"""What is said of a part of a claim."""

import pytest

from benchmark.reports.sentences import gain
from benchmark.suites.claims import Kind
from benchmark.verdicts.questions import Cost, Finding, Question
from tests.verdicts.made import reading

FOUND = Finding(
    direction="supported", difference=0.5, interval95=(0.1, 0.9), bound95=(0.2, 0.8), paired95=(0.3, 0.7), trials=4
)


def asked(kind: Kind, *entries: str) -> Question:
    cells = tuple(reading([1.0], entry=entry) for entry in entries)
    return Question(claim="1", label="part", suite="table1", statement="said", kind=kind, cells=cells)


@pytest.mark.parametrize(
    ("kind", "paired", "text"),
    [
        ("greater", False, "+0.50 [+0.10 to +0.90]"),
        ("greater", True, "+0.50 [+0.30 to +0.70]"),
        ("size", True, "+0.50 [+0.30 to +0.70]"),
        ("not_greater", True, "+0.50 [+0.20 to +0.80]"),
        ("within", False, "+0.50 [+0.20 to +0.80]"),
        ("best", False, "+0.50 [+0.10 to +0.90]"),
        ("trend", False, "ρ = +0.50 [+0.10 to +0.90]"),
    ],
)
def test_a_gain_stands_with_what_decides_its_kind(kind: Kind, paired: bool, text: str) -> None:
    found = Finding(**{**FOUND.__dict__, "paired": paired})
    assert gain(asked(kind, "same", "same"), found) == text


def test_costs_and_nothing() -> None:
    ratio = Question(
        claim="4", label="SFE time", suite="table3", statement="said", kind="ratio",
        cost=Cost(printed_percent=24.1, percent=25.0),
    )  # fmt: skip
    assert gain(ratio, Finding(difference=1.25, interval95=(1.2, 1.3))) == "×1.250 [1.200 to 1.300]"
    assert gain(ratio, Finding(difference=1.25)) == "×1.250"
    assert gain(ratio, Finding()) == ""
