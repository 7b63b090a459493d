import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.audit.merge import differences, merge
from benchmark.cli import main
from benchmark.errors import UserError
from benchmark.results.store import Failure, Store
from benchmark.runs.spec import run_id
from tests.closed import closed, public
from tests.made import MACHINE, edit, result, spec


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    for seed in (0, 1):
        Store(tmp_path / "ours" / "paper").put(result(spec(seed)))
    return tmp_path / "ours"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """One run that is here too, one that is not, one of another profile."""
    Store(tmp_path / "theirs" / "paper").put(result(spec(1), provenance={**MACHINE, "device": "their CPU"}))
    Store(tmp_path / "theirs" / "paper").put(result(spec(2)))
    Store(tmp_path / "theirs" / "mini").put(result(spec(3)))
    return tmp_path / "theirs"


def test_what_is_missing_is_brought_in(ours: Path, theirs: Path) -> None:
    before, there = content(ours), content(theirs)
    done = merge(theirs, ours)
    assert (len(done.added), done.same, done.conflicts, done.refused) == (2, 1, [], {})
    after = content(ours)
    assert before.items() <= after.items(), "what was here is untouched, provenance too"
    assert content(theirs) == there
    for name in after.keys() - before.keys():
        assert after[name] == there[name]
    again = merge(theirs, ours)
    assert (again.added, again.same) == ([], 3)
    assert content(ours) == after


def test_other_numbers_are_a_conflict_and_stay_there(ours: Path, theirs: Path) -> None:
    store, name = Store(theirs / "paper"), run_id(spec(0))
    other: dict[str, Any] = {"packages": {"torch": "2.15.0"}, "data_digest": "sha256:4567"}
    store.put(result(spec(0), accuracy=71.25, provenance={**MACHINE, **other}))
    before = Store(ours / "paper").path(name).read_bytes()
    done = merge(theirs, ours)
    assert len(done.added) == 2, "the others come in all the same"
    (conflict,) = done.conflicts
    assert Store(ours / "paper").path(name).read_bytes() == before
    assert list(differences(conflict)) == [
        ("single_last_epoch", "69.0", "70.25"),
        ("single_best_epoch", "70.0", "71.25"),
        ("epoch 1: single", "69.0", "70.25"),
        ("torch", "2.11.0", "2.15.0"),
        ("data_digest", "sha256:0123", "sha256:4567"),
    ]


def test_an_edited_copy_is_refused_and_no_rival(ours: Path, theirs: Path) -> None:
    name = run_id(spec(1))
    there, here = Store(theirs / "paper").path(name), Store(ours / "paper").path(name)
    good = there.read_bytes()
    edit(there, metrics={"single_last_epoch": 99.0, "single_best_epoch": 99.0})
    done = merge(theirs, ours)
    assert (done.conflicts, done.refused) == ([], {there: "was changed after it was written"})
    there.write_bytes(good)
    edit(here, metrics={"single_last_epoch": 99.0, "single_best_epoch": 99.0})
    done = merge(theirs, ours)
    assert done.conflicts == []
    assert "damaged one here" in done.refused[there]


def test_damaged_files_there_are_refused_by_name(ours: Path, theirs: Path) -> None:
    store = Store(theirs / "paper")
    for seed in (4, 5, 6):
        store.put(result(spec(seed)))
    torn, edited, renamed = (store.path(run_id(spec(seed))) for seed in (4, 5, 6))
    torn.write_bytes(torn.read_bytes()[:300])
    edit(edited, metrics={"single_last_epoch": 99.0, "single_best_epoch": 99.0})
    renamed.rename(store.folder / "mine.json")
    done = merge(theirs, ours)
    assert not [reason for reason in done.refused.values() if "run again" in reason], "it is not ours to train"
    assert {path.name for path in done.refused} == {torn.name, edited.name, "mine.json"}
    assert len(done.added) == 2
    assert set(content(ours)) == {f"paper/{run_id(spec(seed))}.json" for seed in range(3)} | {
        f"mini/{run_id(spec(3))}.json"
    }


def test_a_damaged_file_here_is_not_papered_over(ours: Path, theirs: Path) -> None:
    path = Store(ours / "paper").path(run_id(spec(1)))
    path.write_text("{")
    (reason,) = merge(theirs, ours).refused.values()
    assert "damaged one here" in reason
    assert path.read_text() == "{"


def test_a_merged_run_is_no_failure_any_more(ours: Path, theirs: Path) -> None:
    store = Store(ours / "paper")
    store.put(result(spec(2), status="crashed", failure=Failure(reason="x", log_tail=[], log_file="y")))
    assert store.failed()
    merge(theirs, ours)
    assert not store.failed()
    assert not list(store.failures_folder.iterdir())


def test_strange_folders_there_are_left_alone(ours: Path, theirs: Path) -> None:
    for name in ("thesis", "paper+.. ", "paper damaged"):
        shutil.copytree(theirs / "mini", theirs / name)
    merge(theirs, ours)
    assert sorted(path.name for path in ours.iterdir()) == ["mini", "paper"]


def test_what_is_no_results_folder(ours: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for other, words in (
        (tmp_path / "none", "no such folder"),
        (ours, "itself"),
        (ours / "paper", "no profile's"),
        (file, "is a file"),
    ):
        with pytest.raises(UserError, match=words):
            merge(other, ours)


@pytest.fixture
def command(ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(other: Path, status: int) -> str:
        monkeypatch.setattr(sys, "argv", ["run_suite.py", "merge", str(other), "--results-dir", str(ours)])
        with pytest.raises(SystemExit) as end:
            main()
        assert (end.value.code or 0) == status
        out, err = capsys.readouterr()
        return str(out + err)

    return call


def test_the_command(command: Callable[..., str], ours: Path, theirs: Path) -> None:
    assert "2 results brought in, 1 were here already" in command(theirs, 0)
    name = run_id(spec(0))
    Store(theirs / "paper").put(result(spec(0), accuracy=71.25))
    said = command(theirs, 1)
    assert f"{name}.json: the one here stays" in said
    assert re.search(r"single_last_epoch +69\.0 +70\.25", said)
    assert "no such folder" in command(theirs / "x", 2)


@pytest.mark.parametrize("what", ["a dangling folder", "a file for a profile", "a link to nowhere for a result"])
def test_nothing_is_brought_in_where_it_can_not_be(what: str, theirs: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    if what == "a dangling folder":
        here.symlink_to("nowhere")
    elif what == "a file for a profile":
        here.mkdir()
        (here / "mini").touch()
    else:
        (here / "mini").mkdir(parents=True)
        (here / "mini" / f"{run_id(spec(3))}.json").symlink_to("nowhere")
        done = merge(theirs, here)
        assert [path.name for path in done.refused] == [f"{run_id(spec(3))}.json"]
        assert all(path.is_file() for path in done.added)
        return
    with pytest.raises(UserError, match="a file or a link to nowhere stands in its place"):
        merge(theirs, here)


def test_a_merge_that_finds_no_room_says_what_was_brought_in(
    ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, left = Store.put, [1]

    def full(self: Store, result: Any) -> None:
        if not left:
            raise OSError(28, "No space left on device")
        left.pop()
        put(self, result)

    monkeypatch.setattr(Store, "put", full)
    done = merge(theirs, ours)
    assert done.cut_off
    assert [path.is_file() for path in done.added] == [True]
    (reason,) = done.refused.values()
    assert "can't be written: No space left on device" in reason


@pytest.mark.parametrize("what", ["closed", "closed behind a link", "nothing behind a link", "a file"])
def test_a_profile_that_can_not_be_read_is_refused_and_the_others_are_not(what: str) -> None:
    with public() as top:
        Store(top / "theirs" / "mini").put(result(spec(2)))
        paper = top / "theirs" / "paper"
        Store(paper).put(result(spec(1)))
        if "link" in what:
            paper.rename(top / "elsewhere")
            paper.symlink_to(top / "elsewhere" if "closed" in what else "nowhere")
        elif what == "a file":
            shutil.rmtree(paper)
            paper.touch()
        (top / "ours").mkdir(mode=0o777)
        (top / "ours").chmod(0o777)
        with closed(*([paper] if "closed" in what else [])):
            done = merge(top / "theirs", top / "ours")
        assert list(done.refused) == [paper]
        assert len(done.added) == 1
