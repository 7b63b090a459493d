import json
from pathlib import Path

import pytest

from benchmark.reports.paper import judge_all
from benchmark.reports.renderers.as_json import as_json
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from tests.reports.fakes import cell, own, paper, train


def test_numbers_verdicts_and_claims(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.1, 74.4, 74.0, 74.3])
    tree = json.loads(as_json(judge_all([suite], Trials(store))))
    assert set(tree) == {"profile", "suites", "claims", "own_claims", "summary"}
    first = tree["suites"]["table1"][0]
    assert (first["row"], first["mean"], first["trials"], first["verdict"]) == ("ResNet-110", 74.2, 4, "reproduced")
    assert first["mixed"] is None
    assert [tree["claims"][0]["claim"], tree["claims"][-1]["claim"]] == ["1", "10"]
    assert tree["summary"][-1]["suite"] == "all"
    assert tree["summary"][-1]["trainings"] == 1


def test_a_protocol_of_its_own_has_numbers_alone(store: Store) -> None:
    suite = paper("table1", ["schedule.epochs=6"])
    tree = json.loads(as_json(judge_all([suite], Trials(store))))
    assert set(tree) == {"profile", "suites"}


def test_what_looks_like_a_number_stays_text(store: Store, tmp_path: Path) -> None:
    rows = [{"name": name, "train": {"mixing": {"mixup_alpha": n}}} for n, name in enumerate(("1", "nan", "1_0"), 1)]
    part = {"kind": "greater", "label": "1", "a": ["1", "SI"], "b": ["1", "Plain"]}
    suite = own(tmp_path, rows=rows, claims=[{"claim": "1", "statement": "2", "parts": [part]}])
    train(store, cell(suite, "1", "SI"), [76.6, 76.9])
    text = as_json(judge_all([suite], Trials(store)))
    tree = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert list(dict.fromkeys(row["row"] for row in tree["suites"]["mine"])) == ["1", "nan", "1_0"]
    (claim,) = tree["own_claims"]["mine"]
    assert (claim["claim"], claim["part"], claim["statement"], claim["trials"]) == ("1", "1", "2", 0)
    first = tree["suites"]["mine"][0]
    assert (first["mean"], first["std"], first["published_mean"]) == (76.75, pytest.approx(0.3 / 2**0.5), None)
