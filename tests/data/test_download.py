"""Downloads from a real HTTP server on the loopback interface that misbehaves on demand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.data import download as module
from benchmark.data.download import download
from benchmark.errors import DataError
from tests.data.serving import Server, serving

CONTENT = np.random.default_rng(0).bytes(700_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    with serving(CONTENT) as found:
        yield found


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_arrives_whole_and_is_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        assert download(server.archive, tmp_path / "new").read_bytes() == CONTENT
    assert server.behaviour.asked == [""]
    assert names(tmp_path / "new") == ["set.tar"]


def test_cut_connections_are_taken_up_where_they_ended(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [100_000, 0, 250_000, 1]
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == ["", "bytes=100000-", "bytes=100000-", "bytes=350000-", "bytes=350001-"]
    assert names(tmp_path) == ["set.tar"]


def test_what_came_is_kept_when_the_server_stays_away_and_the_next_call_goes_on(server: Server, tmp_path: Path) -> None:
    server.behaviour.cuts = [300_000] + [0] * module.ATTEMPTS
    with pytest.raises(
        DataError, match=r"cannot be fetched: the connection was cut; try again later, or put .*set\.tar"
    ):
        download(server.archive, tmp_path)
    assert names(tmp_path) == ["set.tar.part"]
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked[-1] == "bytes=300000-"


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.behaviour.ranges = False
    server.behaviour.cuts = [100_000]
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == ["", "bytes=100000-"]


def test_a_server_that_answers_another_range_is_not_believed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.tar.part").write_bytes(CONTENT[:5000])
    server.behaviour.shift = 7
    with pytest.raises(DataError, match="answers with another range"):
        download(server.archive, tmp_path)


def test_wrong_bytes_of_the_right_length_are_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.behaviour.content = bytes(len(CONTENT))
    with pytest.raises(DataError, match=r"is not the expected file: md5 [0-9a-f]{32}, expected [0-9a-f]{32}; put "):
        download(server.archive, tmp_path)
    assert names(tmp_path) == []


def test_a_wrong_beginning_is_thrown_away_and_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.tar.part").write_bytes(bytes(5000))
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == ["bytes=5000-", ""]


def test_a_beginning_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.tar.part").write_bytes(bytes(len(CONTENT) + 5))
    assert download(server.archive, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("change", [-9, 9])
def test_another_length_is_refused_before_it_is_fetched(server: Server, tmp_path: Path, change: int) -> None:
    server.behaviour.content = CONTENT[:change] if change < 0 else CONTENT + bytes(change)
    message = rf"has {len(CONTENT) + change} bytes, expected {len(CONTENT)}"
    with pytest.raises(DataError, match=message):
        download(server.archive, tmp_path)
    assert names(tmp_path) == []


def test_an_endless_answer_of_unknown_length_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.behaviour.content, server.behaviour.says_length = CONTENT * 5, False
    with pytest.raises(DataError, match=f"sends more than {len(CONTENT)} bytes"):
        download(server.archive, tmp_path)


def test_an_answer_of_unknown_length_and_size_is_held_against_the_md5(server: Server, tmp_path: Path) -> None:
    server.behaviour.says_length = False
    assert download(replace(server.archive, size=None), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, module.ATTEMPTS)])
def test_a_refusal_for_good_is_not_repeated(server: Server, tmp_path: Path, status: int, tries: int) -> None:
    server.behaviour.status = status
    with pytest.raises(
        DataError, match=rf"{status}.*put the publisher's set\.tar \(md5 [0-9a-f]+\) at {tmp_path}/set.tar"
    ):
        download(server.archive, tmp_path)
    assert len(server.behaviour.asked) == tries


def test_no_network_says_where_to_put_the_file(server: Server, tmp_path: Path) -> None:
    archive = replace(server.archive, url="http://127.0.0.1:9/set.tar")
    with pytest.raises(DataError, match=rf"Connection refused; try again later, or put .* at {tmp_path}/set\.tar and"):
        download(archive, tmp_path)


def test_a_file_put_there_by_hand_is_checked_and_never_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(b"something")
    with pytest.raises(DataError, match=r"set\.tar is not the publisher's file: 9 bytes, expected 700000; replace it"):
        download(server.archive, tmp_path)
    assert (tmp_path / "set.tar").read_bytes() == b"something"
    (tmp_path / "set.tar").write_bytes(CONTENT)
    assert download(replace(server.archive, url=""), tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == []
