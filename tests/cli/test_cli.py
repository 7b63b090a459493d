import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

import benchmark.cli
from benchmark.cli import main
from benchmark.execution.places import run_folders
from benchmark.execution.scheduler import Scheduler
from benchmark.execution.summary import Summary
from benchmark.planning.plan import PlannedRun, make_plan
from benchmark.results import code
from benchmark.results.code import this_code
from benchmark.results.store import Failure, Store
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.suites.manifest import PAPER_SUITES, find_manifests
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suites
from benchmark.system import hardware
from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.system.locks import Lock
from benchmark.system.paths import SUITES
from tests import made
from tests.places import ROOT
from tests.results.test_store import result

BASELINE = "cifar100-resnet110-baseline-s0-aa55db385bad"


class Said(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results, reports and scratch of a test lie; no data anywhere."""
    for name in ("results", "reports", "scratch"):
        monkeypatch.setenv(f"SFE_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.delenv("SFE_DATA_DIR", raising=False)
    return tmp_path


@pytest.fixture
def command(folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``run_suite.py`` in this process."""

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *words])
        status: Any = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        out, err = capsys.readouterr()
        return Said(int(status), out, err)

    return call


def program(*words: str) -> Said:
    """``run_suite.py`` as a program of its own."""
    done = subprocess.run(
        [sys.executable, "run_suite.py", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Said(done.returncode, done.stdout, done.stderr)


def complete(folders: Path, name: str, profile: str = "paper", status: Any = "completed") -> None:
    """Leave a result of one of the planned runs."""
    suites = load_suites(find_manifests(["all"]), load_variant(profile))
    spec = next(run.spec for run in make_plan(suites, set()).runs if run.run_id == name)
    done = result(status).model_copy(update={"spec": spec, "run_id": name})
    Store(folders / "results" / profile).put(done)


# ------------------------------------------------------------------ list, plan, status


def test_list(command: Command) -> None:
    said = command("list")
    assert said.status == 0
    assert [line.split()[0] for line in said.out.splitlines()][:8] == list(PAPER_SUITES)
    suites = json.loads(command("list", "--format", "json").out)
    assert [suite["suite"] for suite in suites][:8] == list(PAPER_SUITES)
    assert all(suite["title"] and suite["source"] for suite in suites)


def test_the_plan_of_the_whole_paper(folders: Path) -> None:
    said = program("plan", "all", "--format", "json")
    assert (said.status, said.err) == (0, "")
    tree = json.loads(said.out)
    assert tree["totals"] == {"entries": 75, "trainings": 66, "train_runs": 264, "cost_runs": 1, "done": 0}
    kinds = [run["spec"]["kind"] for run in tree["runs"]]
    assert (kinds.count("train"), kinds.count("cost")) == (264, 1)
    assert len({run["run_id"] for run in tree["runs"]}) == 265
    baseline = next(run for run in tree["runs"] if run["run_id"] == BASELINE)
    assert baseline["done"] is False
    assert baseline["spec"]["seed"] == 0
    assert {cell["suite"] for cell in baseline["cells"]} == {"table1", "table3", "table4", "table7"}
    assert {"suite": "table4", "row": "ResNet110", "column": "Error Rate"} in baseline["cells"]


def test_no_suite_means_all(command: Command) -> None:
    assert command("plan").out == command("plan", "all").out
    assert list(json.loads(command("status", "--format", "json").out)) == list(PAPER_SUITES)


def test_a_plan_in_words(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cpu_model", lambda: "a CPU")
    made.machine_with(monkeypatch)
    said = command("plan", "table1", "--runs", "--only", "resnet-110", "--only", "densenet", "--trials", "1")
    *lines, last, takes, disk, basis = said.out.splitlines()
    assert disk.startswith("disk: about ")
    assert len(lines) == 6
    assert all(re.match(r"to do  \S+  \d+ d \d+ h, \d+\.\d GiB  \(table1: ", line) for line in lines)
    assert "core-hours" in takes
    assert basis.startswith("estimates for a CPU: by the built-in table of another processor")
    assert "(table1: ResNet-110 / SFE - SI, table1: ResNet-110 / SFE - AG)" in said.out
    assert last.endswith("6 training runs, 0 of them done; on the processor, a CPU: a reason")


def test_a_plan_says_what_device_it_is_for(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    made.machine_with(monkeypatch, made.GPU_A, made.GPU_B)
    said = command("plan", "table3").out
    assert "; on 2 GPUs, NVIDIA A and NVIDIA B: found by a test\n" in said
    tree = json.loads(command("plan", "table3", "--format", "json").out)
    assert tree["device"] == {"kind": "cuda", "name": "NVIDIA A", "why": "found by a test"}
    assert [run["spec"]["device"] for run in tree["runs"] if run["spec"]["kind"] == "cost"] == ["NVIDIA A"]


@pytest.mark.parametrize("verb", ["plan", "status"])
def test_what_runs_on_the_processor_of_a_machine_with_gpus_is_looked_up_there(
    verb: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.machine_with(monkeypatch, made.GPU_A)
    monkeypatch.setattr(hardware, "cpu_model", lambda: "a CPU")
    assert "unknown, as nobody has measured this GPU" in command(verb, "table3").out
    said = command(verb, "table3", "--device", "cpu").out
    assert "by the built-in table of another processor" in said
    assert "GPU" not in said
    if verb == "plan":
        tree = json.loads(command(verb, "table3", "--device", "cpu", "--format", "json").out)
        assert {run["spec"]["device"] for run in tree["runs"] if run["spec"]["kind"] == "cost"} == {"a CPU"}


@pytest.mark.parametrize("words", [("list",), ("report", "table3"), ("verify",), ("plan", "all"), ("status",)])
def test_the_driver_is_asked_where_it_matters_and_once(
    folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", str(made.fake_nvidia_smi(folders / "bin", "")))
    assert command(*words).status == 0
    asked = folders / "bin" / "asked"
    assert (asked.read_text().count("\n") if asked.exists() else 0) == (words[0] in ("plan", "status"))


def test_a_plan_knows_what_is_done(folders: Path, command: Command) -> None:
    complete(folders, BASELINE)
    tree = json.loads(command("plan", "table4", "--format", "json").out)
    assert [run["run_id"] for run in tree["runs"] if run["done"]] == [BASELINE]
    assert tree["totals"]["done"] == 1
    elsewhere = command("plan", "table4", "--format", "json", "--results-dir", str(folders / "elsewhere"))
    assert json.loads(elsewhere.out)["totals"]["done"] == 0
    assert command("plan", "table4", "--runs", "--trials", "1").out.startswith(f"done   {BASELINE}")


def test_a_plan_of_ones_own_manifest(folders: Path, command: Command) -> None:
    own = folders / "own.yaml"
    text = (SUITES / "table2.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace("suite: table2", "suite: own"), encoding="utf-8")
    tree = json.loads(command("plan", str(own), "table2", "--format", "json").out)
    assert (tree["totals"]["entries"], tree["totals"]["trainings"]) == (12, 6)


def test_settings_reach_the_plan(command: Command) -> None:
    said = command("plan", "table1", "--profile", "mini", "--set", "schedule.epochs=3", "--format", "json")
    assert {run["spec"]["schedule"]["epochs"] for run in json.loads(said.out)["runs"]} == {3}
    assert (
        "(mini+schedule.epochs=3)" in command("plan", "table1", "--profile", "mini", "--set", "schedule.epochs=3").out
    )


def test_a_processor_trains_nothing_in_tf32(command: Command, folders: Path) -> None:
    said = command("table1", "--profile", "smoke", "--device", "cpu", "--set", "numerics.precision=tf32")
    assert said.status == 2
    assert said.err.startswith("error: precision tf32: a processor has none")
    assert not list(folders.iterdir())


@pytest.mark.parametrize("suite", ["table3", "all"])
@pytest.mark.parametrize("setting", ["method.beta=0.3", "method.masks.views=4", "beta_on=last"])
def test_settings_of_a_method_pass_by_the_cost_run(command: Command, suite: str, setting: str) -> None:
    said = command("plan", suite, "--set", setting, "--format", "json")
    assert said.status == 0
    assert json.loads(said.out)["totals"]["cost_runs"] == 1


def test_status_tells_five_states_apart(folders: Path, command: Command) -> None:
    complete(folders, BASELINE)
    runs = json.loads(command("plan", "table4", "--format", "json").out)["runs"]
    states = dict(zip(("interrupted", "running", "failed"), [run["run_id"] for run in runs[1:4]], strict=True))
    complete(folders, states["failed"], status="diverged")
    scratch = run_folders(folders / "scratch", Store(folders / "results" / "paper"))
    for state in ("interrupted", "running"):
        (scratch / states[state]).mkdir(parents=True)
        (scratch / states[state] / "attempts.txt").write_text('"start"\n')
        (scratch / states[state] / "checkpoint.pt").write_bytes(b"")
    with Lock(scratch / states["running"] / "worker.json"):
        counts = json.loads(command("status", "table4", "--format", "json").out)
    each = {run["run_id"]: run for run in counts["table4"].pop("each")}
    assert len(each) == 36
    assert {state: each[name]["state"] for state, name in states.items()} == {state: state for state in states}
    assert each[states["failed"]]["why"] == "diverged: loss is nan"
    left = counts["table4"].pop("seconds_left")
    assert left > 3600  # by the table
    assert counts == {
        "table4": {
            "runs": 36,
            "done": 1,
            "running": 1,
            "interrupted": 1,
            "failed": 1,
            "missing": 32,
            "failures": {states["failed"]: "diverged: loss is nan"},
        },
    }
    header, line, failed, basis, claims = command("status", "table4", "--no-runs").out.splitlines()
    assert failed == f"failed: {states['failed']}: diverged: loss is nan"
    assert claims == "claims at profile paper: no report yet"
    assert header.split() == ["suite", "runs", "done", "running", "interrupted", "failed", "missing", "time", "left"]
    assert line.split()[:7] == ["table4", "36", "1", "0", "2", "1", "32"]
    assert re.fullmatch(r"time left with \d+ runs? at once: by the built-in table .*", basis)
    begun = command("status", "table4").out.splitlines()[:4]
    assert {tuple(run.split()[:2]) for run in begun} == {
        ("interrupted" if state == "running" else state, name) for state, name in states.items()
    } | {("done", BASELINE)}
    assert f"failed       {states['failed']}  diverged: loss is nan" in begun


# ------------------------------------------------------------------ run, with nothing trained


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[PlannedRun]:
    """The runs that a scheduler was given: the first training fails, and one that leaves no record."""
    given: list[PlannedRun] = []

    def run(self: Scheduler, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        given.extend(runs)
        failure = Failure(reason=f"DataError: {'x' * 300}\nmore of it", log_tail=[], log_file="log.txt")
        spec = next(run.spec for run in runs if isinstance(run.spec, TrainSpec))
        crashed = made.result(spec, status="crashed", failure=failure)
        self.store.put(crashed)
        return Summary(failed={crashed.run_id: "crashed", "speechless": "without a record"})

    monkeypatch.setattr(Scheduler, "run", run)
    monkeypatch.setattr(sys.modules["benchmark.cli.run"], "write_reports", lambda *_: None)
    return given


def test_a_cost_run_names_the_device_asked_for(
    command: Command, asked: list[PlannedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.machine_with(monkeypatch, made.GPU_A)
    for options, device in (["--device", "cpu"], hardware.cpu_model()), ([], "NVIDIA A"):
        asked.clear()
        assert command("table3", "--profile", "smoke", *options).status == 1
        assert [run.spec.device for run in asked if isinstance(run.spec, CostSpec)] == [device]


def test_failures_are_named_with_their_reason(command: Command, asked: list[PlannedRun]) -> None:
    said = command("table2", "--profile", "smoke", "--device", "cpu")
    assert said.status == 1
    first, second, hint = said.err.splitlines()
    assert first.startswith(f"failed: {asked[0].run_id}: crashed: DataError: xxx")
    assert "xxx…; see " in first
    assert "more of it" not in first
    assert second == "failed: speechless: without a record"
    assert "--retry-failed" in hint
    told = command("status", "table2", "--profile", "smoke", "--no-runs").out
    assert f"failed: {asked[0].run_id}: crashed: DataError: xxx" in told


def test_retry_failed_says_what_it_leaves(command: Command, asked: list[PlannedRun]) -> None:
    words = ("table2", "--profile", "smoke", "--device", "cpu")
    command(*words)
    first, *others = asked.copy()
    asked.clear()
    said = command(*words, "--retry-failed")
    assert asked == [first]
    assert f"{len(others)} runs are missing still; without --retry-failed" in said.err


def test_images_are_prepared_for_all_that_is_trained(folders: Path, command: Command) -> None:
    record = folders / "results" / "paper" / "failures" / f"{BASELINE}.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"trunc')  # it will be set aside, and its run trained
    refused(command("table1", "--device", "cpu"), "CIFAR-100", "--data-dir")
    assert [path for path in folders.rglob("*") if path.is_file()] == [record]


def test_a_processor_records_no_steps(command: Command, folders: Path) -> None:
    refused(command("table2", "--profile", "smoke", "--device", "cpu", "--graphs"), "--graphs: a processor records no")
    assert not list(folders.iterdir())


def test_compiled_steps_are_not_recorded_again(
    command: Command, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDER_VARIABLE, "of.a:test")
    words = ("table2", "--profile", "smoke", "--device", "cpu", "--graphs", "--set", "numerics.compiled=true")
    refused(command(*words), "--graphs: compiled steps are in graphs of the compiler's own")
    assert not list(folders.iterdir())


def test_graphs_are_an_option(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[bool] = []

    def run(self: Scheduler, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        asked_for.append(self.needs.graphs)
        return Summary()

    monkeypatch.setattr(Scheduler, "run", run)
    monkeypatch.setenv(RECORDER_VARIABLE, "of.a:test")
    for words in ([], ["--graphs"], ["--no-graphs"]):
        assert command("table2", "--profile", "smoke", "--device", "cpu", *words).status == 0
    assert asked_for == [False, True, False]


def test_a_gpu_that_is_not_there_is_refused_before_anything(
    folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.machine_with(monkeypatch)
    damaged = folders / "results" / "paper" / f"{BASELINE}.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("half a resu")
    refused(command("table2", "--profile", "smoke", "--device", "cuda"), "--device cuda")
    refused(command("table4", "--device", "cuda"), "--device cuda")
    assert [path for path in folders.rglob("*") if path.is_file()] == [damaged]


HOW_TO_GO_ON = "the same command goes on from here.\n"


@pytest.mark.parametrize(
    ("ended", "status", "said"),
    [
        (Summary(completed=1), 0, ""),
        (Summary(interrupted=True), 130, f"Interrupted; {HOW_TO_GO_ON}"),
        (Summary(interrupted=True, out_of_time=True), 130, f"The 0.5 minutes of --budget-min are over; {HOW_TO_GO_ON}"),
    ],
)
def test_a_budget_ends_as_ctrl_c_does(
    folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch, ended: Summary, status: int, said: str
) -> None:
    seconds: list[float] = []

    def run(self: Scheduler, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        seconds.append(self.deadline - time.monotonic())
        return ended if math.isfinite(self.deadline) else Summary()

    monkeypatch.setattr(Scheduler, "run", run)
    done = command("table2", "--profile", "smoke", "--device", "cpu", "--budget-min", "0.5")
    assert (done.status, done.err) == (status, said)
    assert seconds[0] <= 30
    assert (folders / "reports" / "smoke" / "table2.md").exists()
    command("table2", "--profile", "smoke", "--device", "cpu")
    assert math.isinf(seconds[1])


def test_a_gpu_that_pytorch_can_not_use_is_no_runs_fault(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = f"0, {made.GPU_A.uuid}, NVIDIA A, 40960, 550.54.15\n"
    path = made.fake_nvidia_smi(folders / "bin", says)
    monkeypatch.setenv("PATH", str(path), prepend=os.pathsep)
    said = program("table2", "--profile", "smoke", "--only", "SFE - AG", "--trials", "1")
    assert said.status == 2
    assert "; on the GPU, NVIDIA A: found by nvidia-smi\n" in said.out
    assert said.err.startswith("error: PyTorch")
    assert said.err.count("\n") == 1
    assert not list((folders / "results").rglob("*.json"))
    assert not list((folders / "reports").rglob("*.md"))


def test_reports_are_not_made_by_other_code_than_trained(
    folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(self: Scheduler, runs: Sequence[PlannedRun], *, waiting: Sequence[PlannedRun] = ()) -> Summary:
        monkeypatch.setattr(code, "code_files", lambda: {"benchmark/__init__.py": b"by hand"})
        return Summary(completed=1)

    monkeypatch.setattr(Scheduler, "run", edit)
    said = command("table2", "--profile", "smoke", "--device", "cpu")
    assert said.status == 1
    assert re.fullmatch(
        "error: no reports are written: the code in .* has changed since .*; start it again\n", said.err
    )
    assert not list((folders / "reports").rglob("*.md"))


@pytest.mark.parametrize("verb", [["table2", "--profile", "smoke"], ["bench"]])
def test_what_can_not_train_is_said_before_anything(
    folders: Path, command: Command, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pytorchcv" else object())
    said = command(*verb, "--device", "cpu")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("error: training needs pytorchcv, which this Python has not")
    assert said.err.count("\n") == 1
    assert not list(folders.rglob("*.*"))


def test_a_bench_where_torch_can_not_be_imported(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmark.bench.measure", None)
    said = command("bench", "--device", "cpu")
    assert said.status == 2
    assert "torch, or what goes with it, can't be imported" in said.err


def test_code_without_a_commit_is_said(
    command: Command, asked: list[PlannedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "the commit of this code is not known: git is not installed"
    known = this_code().model_copy(update={"commit": None, "dirty": None, "note": note})
    monkeypatch.setattr(code._Own, "code", known)
    assert command("table2", "--profile", "smoke", "--device", "cpu").err.startswith(f"warning: {note}\n")


# ------------------------------------------------------------------ report


def test_a_report_without_results_prints_what_is_published(folders: Path, command: Command) -> None:
    said = command("report", "table2")
    assert said.status == 0
    assert "table2.md" in said.out
    assert "94.59" in (folders / "reports" / "paper" / "table2.csv").read_text()
    assert command("report", "table2", "--check").status == 0
    (folders / "reports" / "paper" / "table2.csv").write_text("changed")
    stale = command("report", "table2", "--check")
    assert stale.status == 1
    assert "table2.csv" in stale.err
    assert (folders / "reports" / "paper" / "table2.csv").read_text() == "changed"
    assert not (folders / "results").exists()


# ------------------------------------------------------------------ bad input


def refused(said: Said, *parts: str) -> None:
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["tabel1"], ["did you mean 'table1'?"]),
        (["plan", "tabel1"], ["did you mean 'table1'?"]),
        (["status", "nowhere.yaml"], ["nowhere.yaml: there is no such manifest"]),
        (["table1", "--only", "ResNet-111"], ["--only ResNet-111", "did you mean 'ResNet-110'?"]),
        (["table1", "--set", "schedule.epohcs=6"], ["--set", "did you mean 'epochs'?"]),
        (["table1", "--set", "beta_on=lats"], ["--set", "'penultimate' or 'last'"]),
        (["table1", "--set", "beta_on"], ["--set beta_on", "path=value"]),
        (["table6", "--set", "method.beta=0.5"], ["--set method.beta=0.5", "no run of these suites"]),
        (["report", "table1", "--set", "method.masks.views=500"], ["method.masks.views", "take at most 128"]),
        (["table1", "--data-dir", "nowhere"], ["nowhere"]),
        (["table1", "--profile", "mini"], ["SFE_DATA_DIR"]),
    ],
)
def test_bad_input_is_one_sentence(folders: Path, command: Command, words: list[str], parts: list[str]) -> None:
    refused(command(*words), *parts)
    assert not (folders / "results").exists()
    assert not (folders / "reports").exists()


@pytest.mark.parametrize("verb", ["run", "plan", "status", "report"])
def test_a_bad_manifest_is_one_sentence_with_file_and_path(folders: Path, command: Command, verb: str) -> None:
    own = folders / "own.yaml"
    text = (SUITES / "table1.yaml").read_text(encoding="utf-8").replace("suite: table1", "suite: mine")
    own.write_text(text.replace("masks: {views: 8}}}}", "masks: {views: 800}}}}", 1), encoding="utf-8")
    refused(command(verb, str(own)), f"{own}: columns[1].train.method.masks.views: ", "take at most 128")
    assert [path.name for path in folders.iterdir()] == ["own.yaml"]


def test_a_bad_manifest_beside_good_suites_stops_all(folders: Path, command: Command) -> None:
    (folders / "own.yaml").write_text("suite: own\n", encoding="utf-8")
    refused(command("table1", str(folders / "own.yaml"), "--profile", "smoke"), "own.yaml")
    assert [path.name for path in folders.iterdir()] == ["own.yaml"]


@pytest.mark.parametrize(
    "words",
    [
        ["table1", "--profile", "large"],
        ["plan", "table1", "--trials", "0"],
        ["plan", "--nonsense"],
        ["plan", "--format", "xml"],
        ["table1", "--executor", "pigeon"],
        ["run"],
        *(["table1", option, value] for option in ("--budget-min", "--timeout-min") for value in ("0", "nan", "inf")),
        *(["table1", "--device", device] for device in ("mps", "cuda:0", "xpu")),
        ["bench", "--device", "mps"],
    ],
)
def test_wrong_options_end_with_2(folders: Path, command: Command, words: list[str]) -> None:
    said = command(*words)
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert list(folders.iterdir()) == []


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "-nan", "0"])
def test_no_option_takes_what_is_no_sane_number(value: str) -> None:
    groups: list[click.Command] = [benchmark.cli.cli]
    options = []
    for group in groups:  # grows meanwhile
        groups += group.commands.values() if isinstance(group, click.Group) else []
        options += [option for option in group.params if issubclass(type(option.type), click.types.FloatParamType)]
    assert options
    for option in options:
        with pytest.raises(click.BadParameter):
            option.type.convert(value, option, None)
        assert option.type.convert("1.5", option, None) == 1.5


LONG, LINES = "x" * 100_000, "a\nb\n\nc"


@pytest.mark.parametrize("text", [LONG, LINES, f"{LONG}.yaml", f"{LINES}.yaml"], ids=range(4))
@pytest.mark.parametrize("option", ["", "--set", "--set schedule.epochs=", "--only", "--profile", "--trials"])
def test_a_message_is_one_line_however_long_its_cause(command: Command, option: str, text: str) -> None:
    words = [*option.split(), text] if not option.endswith("=") else ["--set", f"{option.split()[1]}{text}"]
    said = command("plan", *words)
    refused(said)
    assert len(said.err) <= 601
    assert said.err[:-1].isprintable()


@pytest.mark.parametrize(
    "manifest",
    [
        {"defaults": {"dataset": "cifar100", "network": LONG}},
        {"defaults": {"dataset": LINES, "network": "resnet110"}},
        {"defaults": {"dataset": "cifar100", "network": "resnet110", "schedule": {"epochs": LONG}}},
        {"defaults": {"dataset": "cifar100", "network": "resnet110", LONG: 1}},
        {LONG: 1},
        {"metric": LINES},
        {"suite": LONG},
    ],
)
def test_so_is_one_on_a_manifest(folders: Path, command: Command, manifest: dict[str, Any]) -> None:
    tree = {"suite": "own", "title": "", "source": "", "metric": "accuracy", "margin": 1, "corner": "", "best": "none"}
    tree |= {"columns": [{"name": "SI", "reads": "single"}], "rows": [{"name": "one"}]}
    (folders / "own.yaml").write_text(json.dumps(tree | manifest))
    for verb in ("plan", "report"):
        said = command(verb, str(folders / "own.yaml"))
        refused(said, "own.yaml: ")
        assert len(said.err) <= 601
        assert said.err[:-1].isprintable()


def test_a_bad_suite_as_a_program(folders: Path) -> None:
    refused(program("tabel1"), "did you mean 'table1'?")
    assert list(folders.iterdir()) == []


# ------------------------------------------------------------------ the program itself


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_shows_every_command(command: Command, words: list[str]) -> None:
    said = command(*words)
    assert said.status == 0
    for verb in ("run", "list", "plan", "status", "report"):
        assert f"  {verb} " in said.out


@pytest.mark.parametrize("words", [[], ["data"]])
def test_no_words_are_answered_by_the_words_there_are(command: Command, words: list[str]) -> None:
    said = command(*words)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("Usage: ")
    assert said.err.count("\n") > 5


def test_a_mistake_of_the_suite_itself_is_one_line_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["benchmark.cli.plan"], "make_plan", lambda *_, **__: dict[str, str]()["nothing"])
    said = command("plan", "table1")
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert "please report it: KeyError: 'nothing' (cli/plan.py, line " in said.err


def test_windows_is_told_so_in_a_sentence() -> None:
    code = "import runpy, sys\nsys.platform = 'win32'\nsys.modules.update(dict.fromkeys(('resource', 'fcntl')))\n"
    code += "runpy.run_path('run_suite.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    refused(Said(done.returncode, done.stdout, done.stderr), "needs Linux or macOS", "WSL")


def test_version(command: Command) -> None:
    assert benchmark.__version__ in command("--version").out


def test_an_interruption_ends_with_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**options: Any) -> None:
        raise click.Abort

    monkeypatch.setattr(benchmark.cli, "cli", interrupt)
    said = command("table1")
    assert said.status == 130
    assert "same command" in said.err


def test_a_reader_that_has_seen_enough(folders: Path) -> None:
    line = f"{sys.executable} run_suite.py plan all --format json | head -n 1"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")
