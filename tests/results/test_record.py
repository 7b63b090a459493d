import json

import pytest
from pydantic import ValidationError

from benchmark.results.record import Epoch, as_lines, from_lines
from tests.made import result

HISTORY = result().history
LINES = as_lines(Epoch.of(entry) for entry in HISTORY)


def test_lines_hold_a_history_to_the_last_bit() -> None:
    entries = [{**entry, "train_loss": entry["train_loss"] / 3, "aggregated": 100 / 7} for entry in HISTORY]
    lines = as_lines(Epoch.of(entry) for entry in entries)
    assert [json.loads(line) for line in lines.splitlines()] == entries
    assert [epoch.entry() for epoch in from_lines(lines)] == entries
    assert list(from_lines(lines)[0].accuracy) == ["single", "aggregated"]


@pytest.mark.parametrize("cut", range(1, len(LINES.splitlines(keepends=True)[-1]) + 1))
def test_a_torn_last_line_is_none(cut: int) -> None:
    assert [epoch.epoch for epoch in from_lines(LINES[:-cut])] == [1, 2]


@pytest.mark.parametrize("line", [b"\0\0\n", b"3\n", b"[]\n", b"{}\n", b'{"epoch": "1"}\n', b"[" * 9999 + b"\n"])
def test_what_is_no_epoch_is_passed_over(line: bytes) -> None:
    assert len(from_lines(line + LINES)) == 3


@pytest.mark.parametrize("change", [{"epoch": 0}, {"epoch": "1"}, {"train_loss": None}, {"single": float("nan")}])
def test_an_entry_has_an_epochs_numbers(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Epoch.of(HISTORY[0] | change)
