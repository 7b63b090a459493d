"""What docs/result.schema.json promises of result files."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from benchmark.results.store import SCHEMA_VERSION, Failure, Store
from scripts.result_schema import result_schema
from tests.made import result
from tests.places import GOLDEN, ROOT

PUBLISHED = ROOT / "docs" / "result.schema.json"
FILES = [
    *sorted((ROOT / "results").rglob("*.json")),
    *sorted((GOLDEN / f"version{SCHEMA_VERSION}").rglob("*.json")),
]


def test_the_published_schema_is_that_of_the_code() -> None:
    again = "python -m scripts.result_schema > docs/result.schema.json"
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == result_schema(), again


def test_every_result_of_its_version_fits() -> None:
    fits = Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    whole = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    now = [tree for tree in whole if tree["schema_version"] == SCHEMA_VERSION]
    assert now
    for tree in now:
        fits.validate(tree)


def test_completed_and_failed_runs_fit_as_they_are_written(store: Store) -> None:
    fits = Draft202012Validator(result_schema())
    failed = result(status="crashed", failure=Failure(reason="a reason", log_tail=[], log_file="log.txt"))
    for made, path in ((failed, store.failures_folder), (result(), store.folder)):
        store.put(made)
        fits.validate(json.loads((path / f"{made.run_id}.json").read_text()))


@pytest.mark.parametrize(
    "changes",
    [{"checksum": None}, {"status": "perhaps"}, {"provenance": {"threads": 0}}, {"spec": {}}, {"more": 1}],
    ids=str,
)
def test_what_is_no_result_does_not_fit(store: Store, changes: dict[str, Any]) -> None:
    store.put(result())
    tree = json.loads(Path(store.path(result().run_id)).read_text()) | changes
    assert not Draft202012Validator(result_schema()).is_valid(tree)
