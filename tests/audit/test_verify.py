import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.audit.verify import Finding, unreadable, verify
from benchmark.cli import main
from benchmark.errors import UnknownVersionError
from benchmark.results.store import Failure, Store, checksum
from benchmark.runs.spec import TrainSpec, run_id, with_seed
from benchmark.suites.manifest import find_manifests, suite_names
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suite
from benchmark.system.paths import SUITES
from tests.closed import closed, public
from tests.made import MACHINE, edit, result, spec

NAME = run_id(spec())


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three good trials of one entry."""
    for seed in range(3):
        Store(tmp_path / "results" / "paper").put(result(spec(seed)))
    return tmp_path / "results"


@pytest.fixture
def path(results: Path) -> Path:
    return results / "paper" / f"{NAME}.json"


def found(results: Path) -> dict[str, Finding]:
    done = verify(results, [], everything=True)
    return {str(finding.path.relative_to(results)): finding for finding in done.findings}


def test_good_results_and_the_papers_manifests(results: Path) -> None:
    done = verify(results, find_manifests(suite_names()), everything=True)
    assert done.findings == []
    assert done.results == 3
    assert done.manifests == len(suite_names())


def test_nothing_there_is_nothing_wrong(tmp_path: Path) -> None:
    assert verify(tmp_path / "none", [], everything=True).findings == []


# ------------------------------------------------------------------ what can happen to one file


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def metric_edited(path: Path) -> None:
    edit(path, metrics={"single_last_epoch": 99.0, "single_best_epoch": 99.0})


def whole_story_edited(path: Path) -> None:
    """Metrics and history changed together; only the checksum tells."""
    path.write_text(path.read_text().replace("69.0", "79.0").replace("70.0", "80.0"))


def machine_edited(path: Path) -> None:
    edit(path, provenance={**MACHINE, "device": "a faster CPU"})


def spec_edited(path: Path) -> None:
    edit(path, spec={**json.loads(path.read_text())["spec"], "seed": 9})


def failure_in_its_place(path: Path) -> None:
    edit(path, status="crashed")


def foreign(path: Path) -> None:
    path.write_text('{"hello": "world"}')


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS: list[tuple[Callable[[Path], None], str]] = [
    (cut_off, "cut off"),
    (emptied, "cut off"),
    (zeroed, "cut off"),
    (metric_edited, "changed after"),
    (whole_story_edited, "changed after"),
    (machine_edited, "changed after"),
    (spec_edited, "do not belong together"),
    (failure_in_its_place, "not that of a completed run"),
    (foreign, "hello: unknown key"),
    (a_folder, "can't be read"),
]


@pytest.mark.parametrize(("harm", "words"), HARMS, ids=lambda value: getattr(value, "__name__", None))
def test_a_damaged_result_is_found(harm: Callable[[Path], None], words: str, results: Path, path: Path) -> None:
    harm(path)
    finding = found(results)[f"paper/{NAME}.json"]
    assert words in finding.problem
    assert "move it away" in finding.problem
    assert finding.damaged
    assert len(found(results)) == 1, "the others are not blamed"


def as_version_1(path: Path) -> dict[str, Any]:
    """A result as it was written before checksums."""
    tree = json.loads(path.read_text()) | {"schema_version": 1}
    del tree["checksum"]
    path.write_text(json.dumps(tree))
    return dict(tree)


def test_a_checksum_can_not_be_left_out(results: Path, path: Path) -> None:
    tree = as_version_1(path)
    path.write_text(json.dumps({**tree, "schema_version": 2}))
    finding = found(results)[f"paper/{NAME}.json"]
    assert "checksum: is missing" in finding.problem
    assert finding.damaged


def test_a_checksum_of_version_1_must_fit(results: Path, path: Path) -> None:
    tree = as_version_1(path)
    path.write_text(json.dumps({**tree, "checksum": checksum(tree)}))
    assert found(results) == {}
    edit(path, provenance={**MACHINE, "device": "a faster CPU"})
    assert "changed after" in found(results)[f"paper/{NAME}.json"].problem


def test_a_result_of_before_checksums_is_noted(results: Path, path: Path) -> None:
    tree = as_version_1(path)
    assert found(results) == {}
    (note,) = verify(results, [], everything=True).notes
    assert note.startswith("1 result of schema version 1 without a checksum")
    tree["metrics"]["single_best_epoch"] = 71.5
    path.write_text(json.dumps(tree))
    assert "metrics.single_best_epoch is 71.5, but by its history 70.0" in found(results)[f"paper/{NAME}.json"].problem


NOTE = "the commit of this code is not known: git is not installed"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ({"commit": "c0ffee", "dirty": True, "note": None}, "its code differed from the commit that it names"),
        ({"commit": None, "dirty": None, "note": NOTE}, NOTE),
        ({"commit": None, "dirty": None}, "its commit is not recorded"),
        ({"commit": "c0ffee", "dirty": None, "packaged": True, "note": "packed"}, "packed"),
        ({"release": "0.1.0"}, "its commit is not recorded"),
    ],
)
def test_code_that_nobody_can_look_up_is_noted(results: Path, code: Any, why: str) -> None:
    Store(results / "paper").put(result(spec(seed=7), provenance={**MACHINE, "code": {"release": "0.1.0", **code}}))
    found = verify(results, [], everything=True)
    assert not found.findings
    (note,) = found.notes
    start = f"1 result made by code that nobody can look up for certain ({why}): cifar100-resnet110-baseline-s7-"
    assert note.startswith(start)


def test_renamed_duplicated_and_strange_files(results: Path, path: Path) -> None:
    folder = path.parent
    shutil.copy(path, folder / "copy.json")
    (folder / f"{run_id(spec(1))}.json").rename(folder / "renamed.json")
    (folder / "notes.txt").write_text("remember the milk")
    (results / "thesis").mkdir()
    (folder / ".locks").mkdir()
    problems = {name: finding.problem for name, finding in found(results).items()}
    assert problems.keys() == {"paper/copy.json", "paper/renamed.json", "paper/notes.txt", "thesis"}
    assert f"is a copy of {NAME}.json under another name" in problems["paper/copy.json"]
    assert f"rename it to {run_id(spec(1))}.json" in problems["paper/renamed.json"]
    assert "move it elsewhere" in problems["paper/notes.txt"]
    assert "no profile's folder" in problems["thesis"]


def test_results_of_another_profile_are_noted(tmp_path: Path) -> None:
    """A mini result lies in ``paper``; other seeds and choices of what a profile asks for may lie there."""
    manifests = [SUITES / "table1.yaml"]
    of_mini = load_suite(manifests[0], load_variant("mini")).cells[0].spec
    beta_on = load_suite(manifests[0], load_variant("mini", ["beta_on=last"])).cells[1].spec
    paper, mini = Store(tmp_path / "paper"), Store(tmp_path / "mini")
    for one in (with_seed(of_mini, 0), with_seed(of_mini, 17), with_seed(beta_on, 0)):
        assert isinstance(one, TrainSpec)
        mini.put(result(one))
    assert verify(tmp_path, manifests, everything=True).notes == []
    stray = mini.path(run_id(of_mini))
    paper.folder.mkdir()
    shutil.copy(stray, paper.folder)
    done = verify(tmp_path, manifests, everything=True)
    assert [note for note in done.notes if "in the folder paper" in note and stray.name in note] == done.notes
    assert len(done.notes) == 1
    assert done.findings == []


def test_a_trial_made_of_another_is_noticed(results: Path) -> None:
    Store(results / "paper").put(result(spec(5), history=result(spec(0)).history))
    (finding,) = found(results).values()
    assert "digit for digit" in finding.problem
    assert not finding.damaged, "nobody knows which of the two is the copy"


def test_other_images_are_noticed(results: Path) -> None:
    Store(results / "mini").put(result(spec(7), provenance={**MACHINE, "data_digest": "sha256:ffff"}))
    (finding,) = found(results).values()
    assert finding.path.parent.name == "mini", "three agree, one does not"
    assert "other images" in finding.problem


def test_another_version_and_protocol_are_no_damage(results: Path, path: Path) -> None:
    edit(path, schema_version=3)
    Store(results / "paper").put(result(spec(protocol=99)))
    findings = found(results)
    assert "of schema version 3" in findings[f"paper/{NAME}.json"].problem
    assert "of protocol 99" in findings[f"paper/{run_id(spec(protocol=99))}.json"].problem
    assert not any(finding.damaged for finding in findings.values())
    with pytest.raises(UnknownVersionError):
        unreadable(Store(results / "paper"), [NAME])


def test_failure_records_are_checked_too(results: Path) -> None:
    store, name = Store(results / "paper"), run_id(spec(8))
    failure = Failure(reason="loss is nan", log_tail=[], log_file="log.txt")
    store.put(result(spec(8), status="diverged", failure=failure))
    assert found(results) == {}
    cut_off(store.failures_folder / f"{name}.json")
    assert found(results)[f"paper/failures/{name}.json"].damaged
    assert [finding.path.parent.name for finding in unreadable(store, [name, NAME])] == ["failures"]


# ------------------------------------------------------------------ the command

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: str) -> tuple[int, str, str]:
        folders = [part for name in ("results", "reports", "scratch") for part in _folder(name, results.parent, words)]
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *words, *folders])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return call


def _folder(name: str, place: Path, words: tuple[str, ...]) -> list[str]:
    return [f"--{name}-dir", str(place / name)] if name == "results" or words[0] == "run" else []


def test_verify_says_what_is_wrong_and_sets_it_aside(command: Command, results: Path, path: Path) -> None:
    assert command("verify")[0] == 0
    path.rename(path.with_name("spare"))
    assert "2 results checked: 1 finding\n" in command("verify")[1]
    path.with_name("spare").rename(path)
    cut_off(path)
    before = path.read_bytes()
    status, out, _ = command("verify")
    assert status == 1
    assert f"{NAME}.json: is no JSON or was cut off" in out
    assert "verify --set-aside" in out
    assert path.exists(), "nothing moves unasked"
    for number in (1, 2):  # a second one of the same name overwrites nothing
        assert command("verify", "--set-aside")[0] == 1
        assert not path.exists()
        path.write_bytes(b"second")
        assert len(list((results / "paper" / "damaged").iterdir())) == number
    assert (results / "paper" / "damaged" / f"{NAME}.json").read_bytes() == before
    assert (results / "paper" / "damaged" / f"{NAME}.2.json").read_bytes() == b"second"
    path.unlink()
    assert command("verify")[0] == 0


def test_verify_in_json(command: Command, path: Path) -> None:
    cut_off(path)
    status, out, _ = command("verify", "--format", "json", "--set-aside")
    tree = json.loads(out)
    assert status == 1
    assert tree["results"] == 3
    assert tree["damaged"] == 1
    (finding,) = tree["findings"]
    assert finding["file"] == str(path)
    assert finding["damaged"] is True
    assert Path(finding["moved_to"]).parent.name == "damaged"


def test_verify_of_one_suite_looks_at_its_results_alone(command: Command, path: Path) -> None:
    cut_off(path)
    assert command("verify", "table1")[0] == 1, "ResNet-110's baseline stands in Table 1"
    assert command("verify", "table5")[0] == 0


def test_a_wrong_manifest_is_a_finding(command: Command, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text((SUITES / "table1.yaml").read_text().replace("resnet110", "resnet111"))
    status, out, _ = command("verify", str(own))
    assert status == 1
    assert out.count("own.yaml: profile paper: ") == 1


def test_run_sets_damaged_results_aside_and_plans_them_again(
    command: Command, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.execution.scheduler import Scheduler
    from benchmark.execution.summary import Summary

    planned: list[str] = []

    def run(self: Scheduler, runs: Any, *, waiting: Any) -> Summary:
        planned.extend(run.run_id for run in runs)
        return Summary()

    monkeypatch.setattr(Scheduler, "run", run)
    words = ["run", "table1", "--profile", "smoke", "--only", "baseline", "--only", "ResNet-110", "--trials", "1"]
    assert command(*words)[0] == 0
    first = planned.copy()
    store = Store(results / "smoke")
    store.folder.mkdir(exist_ok=True)
    store.path(first[0]).write_text("{")
    planned.clear()
    status, _, err = command(*words)
    assert status == 0
    assert planned == first
    assert "damaged, set aside as " in err
    assert [path.name for path in store.damaged_folder.iterdir()] == [f"{first[0]}.json"]


def test_what_redo_replaced_is_in_its_place(results: Path, path: Path) -> None:
    store = Store(results / "paper")
    store.replaced_folder.mkdir()
    (store.replaced_folder / path.name).write_bytes(path.read_bytes())
    assert found(results) == {}


def test_leftovers_of_killed_writers_are_noted(results: Path, path: Path) -> None:
    (path.parent / f".{path.name}.k1ll3d00.tmp").hardlink_to(path)
    done = verify(results, [], everything=True)
    assert not done.findings
    assert any("1 leftover of killed processes" in note and "k1ll3d00" in note for note in done.notes)


@pytest.mark.parametrize("which", ["paper", "paper/failures", ".", "paper/x.json"])
def test_what_may_not_be_read_is_a_finding_and_the_rest_is_checked(which: str) -> None:
    with public() as top:
        results = top / "results"
        for profile in ("mini", "paper"):
            Store(results / profile).put(result(spec(0)))
        Store(results / "paper").put(
            result(spec(1), status="crashed", failure=Failure(reason="", log_tail=[], log_file=""))
        )
        (results / "paper" / "x.json").touch()
        with closed(results / which):
            done = verify(results, [], everything=True)
        named = [finding for finding in done.findings if "read" in finding.problem]
        assert [finding.path for finding in named] == [results / which]
        assert done.results == (0 if which == "." else 1 if which == "paper" else 3)


def test_results_of_the_future_are_noted(results: Path) -> None:
    Store(results / "paper").put(result(spec(7), provenance={**MACHINE, "end": "2999-01-01T00:00:00+00:00"}))
    done = verify(results, [], everything=True)
    assert not done.findings
    assert [note for note in done.notes if "1 result ended in the future" in note]
