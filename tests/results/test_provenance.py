import json
from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.errors import StoreError
from benchmark.results.provenance import Provenance, Session
from benchmark.results.store import Store, checksum, read_result
from tests.made import MACHINE, edit, result

SESSION = {"start": "2026-01-01T00:00:00+00:00", "device": "a CPU", "torch": "2.11.0", "code": "c0ffee"}


@pytest.mark.parametrize("tree", [{}, MACHINE, {**MACHINE, "sessions": [SESSION, {}], "environment": {}}])
def test_what_is_read_is_written_as_it_was(tree: dict[str, Any]) -> None:
    """Results of before lack what nobody recorded then, and a merge makes nothing up."""
    assert Provenance.model_validate(tree).model_dump() == tree


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 7},
        {"images": {}},
        {"images": {"train": "8", "test": 1, "test_in_train": 0}},
        {"images": {"train": 8, "test": None, "test_in_train": 1}},
        {"images": {"train": -1, "test": 1, "test_in_train": 0}},
        {"end": 12},
        {"sessions": [1]},
        {"sessions": [{"graphs": True}]},
        {"packages": {"torch": 2.11}},
        {"threads": 0},
        {"colour": "blue"},
    ],
)
def test_what_no_worker_writes_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        Provenance.model_validate(MACHINE | changes)


def test_a_damaged_provenance_is_named(store: Store) -> None:
    store.put(result())
    path = store.path(result().run_id)
    edit(path, provenance=MACHINE | {"sessions": [SESSION | {"device": 7}]})
    with pytest.raises(StoreError, match=r"json: provenance\.sessions\[0\]\.device: should be a valid string, not 7"):
        read_result(path, completed=True)


def test_origins_are_those_of_all_sessions_each_once() -> None:
    made = Provenance.model_validate(MACHINE | {"sessions": [SESSION, SESSION | {"device": "a GPU"}, {}]})
    assert made.origin() == {
        "device": ["a CPU", "a GPU", "unknown"],
        "torch": ["2.11.0", "unknown"],
        "code": ["c0ffee", "unknown"],
        "data_digest": ["unknown"],
        "environment": ["none"],
    }


def test_without_sessions_it_is_that_of_the_whole_run() -> None:
    assert Provenance.model_validate(MACHINE).origin()["code"] == ["c0ffee"]
    assert Provenance().origin()["device"] == ["unknown"]


def test_a_session_can_be_kept_in_a_checkpoint() -> None:
    session = Session.model_validate(SESSION)
    assert session.model_dump() == SESSION
    assert Session.model_validate(session.model_dump()) == session


def test_a_written_result_has_its_checksum_over_what_was_recorded(store: Store) -> None:
    store.put(result())
    tree = json.loads(store.path(result().run_id).read_text())
    assert tree["provenance"] == MACHINE
    assert tree["checksum"] == checksum(tree)
