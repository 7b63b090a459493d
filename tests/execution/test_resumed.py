"""Runs that go on from a checkpoint."""

from pathlib import Path

import pytest

from benchmark.execution.run_folder import EXIT_FAILED
from benchmark.results.store import Result
from benchmark.training import checkpoint
from tests.execution.place import Place, at_step, fail_with, interrupted, spec_of

pytestmark = pytest.mark.usefixtures("own_process")


def test_success_takes_the_failure_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result) -> None:
    place = Place(tmp_path, spec_of(), checkpoint_minutes=0.0)  # a checkpoint after every step
    at_step(monkeypatch, 5, fail_with(ValueError("a cosmic ray")))
    assert place.run() == EXIT_FAILED
    assert place.store.failed() == {place.run_id}
    state = checkpoint.load(place.folder.checkpoint, place.run_id)
    assert state is not None
    assert (state["epoch"], state["step"]) == (1, 1)  # after the fourth step
    assert place.run() == 0
    assert not list(place.store.failures_folder.glob("*.json"))
    assert place.result().metrics == undisturbed.metrics
    assert place.result().history == undisturbed.history


def test_a_damaged_checkpoint_means_the_beginning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], undisturbed: Result
) -> None:
    place = Place(tmp_path, spec_of())
    place.folder.checkpoint.write_bytes(b"half a checkpo")
    assert place.run() == 0
    assert "starting from the beginning" in capsys.readouterr().out
    assert place.result().history == undisturbed.history


def test_a_resumed_run_names_all_its_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, spec_of())
    state = interrupted(place, monkeypatch)
    other = {**state["sessions"][0], "start": "2026-01-01T00:00:00+00:00", "device": "another CPU"}
    checkpoint.save(place.folder.checkpoint, {**state, "sessions": [other]})
    assert place.run() == 0
    provenance = place.result().provenance.model_dump()
    assert provenance["sessions"][0] == other
    (second,) = provenance["sessions"][1:]
    assert set(second) == {"start", "end", "device", "torch", "code", "data_digest", "environment", "graphs"}
    assert second["start"] <= second["end"] <= provenance["end"]
    assert provenance["start"] == other["start"], "the run began with its first session"
    assert place.result().provenance.origin()["device"] == ["another CPU", provenance["device"]]


@pytest.mark.parametrize("digest", ["sha256:ffff", None])
def test_a_checkpoint_of_other_images_is_not_gone_on_from(
    digest: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Result,
) -> None:
    place = Place(tmp_path, spec_of())
    interrupted(place, monkeypatch, data_digest=digest)
    assert place.run() == 0
    out = capsys.readouterr().out
    assert f"made of the images {digest}" in out
    assert "starting from the beginning" in out
    assert place.result().history == undisturbed.history
    assert len(place.result().provenance.sessions) == 1
