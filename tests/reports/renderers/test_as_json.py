import json

from benchmark.reports.renderers.as_json import as_json
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.suites.profiles import load_variant
from tests.reports.fakes import cell, paper, train


def test_numbers_verdicts_and_claims(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.1, 74.4, 74.0, 74.3])
    tree = json.loads(as_json([suite], suite.variant, Trials(store), None))
    assert set(tree) == {"profile", "suites", "claims", "summary"}
    first = tree["suites"]["table1"][0]
    assert (first["row"], first["mean"], first["trials"], first["verdict"]) == ("ResNet-110", 74.2, 4, "reproduced")
    assert first["mixed"] is None
    assert [tree["claims"][0]["claim"], tree["claims"][-1]["claim"]] == ["1", "10"]
    assert tree["summary"][-1]["suite"] == "all"
    assert tree["summary"][-1]["trainings"] == 1


def test_a_protocol_of_its_own_has_numbers_alone(store: Store) -> None:
    suite = paper("table1", ["schedule.epochs=6"])
    tree = json.loads(as_json([suite], load_variant("paper", ["schedule.epochs=6"]), Trials(store), None))
    assert set(tree) == {"profile", "suites"}
