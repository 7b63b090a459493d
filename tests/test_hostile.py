"""Thousands of broken inputs: the tool answers in a sentence and writes nothing outside its folders."""

import contextlib
import copy
import hashlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.audit.merge import differences, merge
from benchmark.audit.verify import verify
from benchmark.cli import main
from benchmark.errors import BenchmarkError, ManifestError, UserError
from benchmark.execution.run_folder import Job, RunFolder
from benchmark.reports.renderers import markdown
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.spec import run_id
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suite
from benchmark.suites.yaml_files import MOST_VALUES, read_yaml
from benchmark.system.paths import SUITES
from benchmark.training import checkpoint

from .made import result, spec
from .places import GOLDEN
from .reports.fakes import judged


def hostile(examples: int) -> settings:
    """The same examples every time: what fails fails for everybody."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )


NASTY = (
    "../../../tmp/evil",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "see https://evil.example or www.evil.example",
    "a | b ` c * d _ e",
    r"$\frac{1}{$",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; <!-- ",
    "‮ right to left",
)
VALUES = st.one_of(
    st.sampled_from(
        [None, True, "", 0, -1, 10**400, 10**30, -(10**30), 1e308, float("inf"), float("nan"), [], {}, [[]], {"a": []}]
    ),
    st.sampled_from(NASTY),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=3),
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in items:
        yield (*at, key)
        yield from places(below, (*at, key))


@st.composite
def mutated(draw: st.DrawFn, tree: Any) -> Any:
    """A tree with one to three places replaced, taken out, doubled or added to."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        if not (paths := list(places(tree))):
            break
        *above, key = draw(st.sampled_from(paths))
        holder = tree
        for part in above:
            holder = holder[part]
        match draw(st.sampled_from(["replace", "replace", "take out", "add"])):
            case "replace":
                holder[key] = copy.deepcopy(draw(VALUES))
            case "take out":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[draw(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)))] = copy.deepcopy(draw(VALUES))
            case _:
                holder.append(copy.deepcopy(draw(VALUES)))
    return tree


@st.composite
def garbled(draw: st.DrawFn, blob: bytes) -> bytes:
    """Bytes with a part cut out, put in or overwritten."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(blob)))
        end = draw(st.integers(start, min(len(blob), start + draw(st.sampled_from([0, 1, 8, 10_000])))))
        blob = blob[:start] + draw(st.binary(max_size=6)) + blob[end:]
    return blob


# ------------------------------------------------------------------ who writes where

_watching: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is None:
        return
    if event == "open" and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and isinstance(arguments[0], str | bytes):
            _watching.append(os.fsdecode(arguments[0]))
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.rmdir"):
        _watching.extend(argument for argument in arguments if isinstance(argument, str))


sys.addaudithook(_audit)


@contextlib.contextmanager
def writes_only_below(folder: Path) -> Iterator[None]:
    """Fails when this process opens for writing, makes, moves or deletes anything elsewhere."""
    global _watching
    seen: list[str] = []
    _watching = seen
    try:
        yield
    finally:
        _watching = None
    elsewhere = [path for path in seen if not Path(path).resolve().is_relative_to(folder.resolve())]
    own = ("__pycache__", "/dev/", "matplotlib")  # what Python and matplotlib keep for themselves
    assert not [path for path in elsewhere if not any(part in path for part in own)]


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder of an example's own; nothing is written but in it."""
    with tempfile.TemporaryDirectory() as name, writes_only_below(Path(name)):
        yield Path(name)


def command(place: Path, *words: str) -> int:
    """The command line in this process; whatever it raises but its exit is a failure of the test."""
    said, argv = io.StringIO(), sys.argv
    sys.argv = ["run_suite.py", *words, "--results-dir", str(place / "results")]
    status: Any = 0
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            main()
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.argv = argv
    assert status in (0, 1, 2), said.getvalue()
    assert "Traceback" not in said.getvalue()
    assert "a mistake of the suite" not in said.getvalue()
    assert len(said.getvalue()) <= 601 or status != 2
    assert (status == 2) == said.getvalue().startswith(("error: ", "Error: ", "Usage: ")), said.getvalue()
    return int(status)


# ------------------------------------------------------------------ manifests and settings


@cache
def manifest() -> dict[str, Any]:
    return read_yaml(SUITES / "table6.yaml")


@hostile(400)
@given(mutated(manifest()))
def test_mutated_manifests(tree: Any) -> None:
    with workplace() as place:
        with (place / "own.yaml").open("w", encoding="utf-8", errors="replace") as file:
            yaml.safe_dump(tree, file, allow_unicode=True)
        before = sorted(place.rglob("*"))
        command(place, "plan", str(place / "own.yaml"), "--profile", "mini", "--format", "json")
        assert sorted(place.rglob("*")) == before, "a plan writes nothing"


@hostile(300)
@given(garbled((SUITES / "table6.yaml").read_bytes()))
def test_garbled_manifests(blob: bytes) -> None:
    with workplace() as place:
        (place / "own.yaml").write_bytes(blob)
        command(place, "plan", str(place / "own.yaml"))


PATHS = (
    "schedule.epochs",
    "schedule.decay_at",
    "beta_on",
    "numerics.threads",
    "method.masks.views",
    "aggregate",
    "x.y",
)
RAW = st.one_of(VALUES.map(str), st.text(max_size=12), st.sampled_from(["[" * 5000, "&a [*a]", "!!python/name:os.x"]))


@hostile(400)
@given(st.one_of(st.tuples(st.sampled_from(PATHS), RAW).map("=".join), st.text(max_size=12)))
def test_hostile_settings(text: str) -> None:
    try:
        variant = load_variant("mini", [text])
        load_suite(SUITES / "table6.yaml", variant)
    except UserError:
        return
    for name in (variant.reports_name, variant.results_name):
        assert re.fullmatch(r"mini(\+[A-Za-z0-9._=,-]+)?", name), "a folder's name, never a path"


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
        "a: &a {b: *a}",
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 100_000,
        "a: [" + "x, " * MOST_VALUES + "x]",
        "a: !!python/object/apply:os.system ['touch /tmp/evil']",
        'a: "\\0"',
    ],
    ids=["billion laughs", "itself", "deep lists", "deep mappings", "long", "an object", "a NUL"],
)
def test_yaml_bombs(text: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(text)
    with pytest.raises(ManifestError, match=r"bomb\.yaml: line \d+, column \d+: is not valid YAML"):
        read_yaml(tmp_path / "bomb.yaml")


def with_names(names: Any) -> dict[str, Any]:
    """A small manifest in which every word is one of these."""
    draw = iter(names * 3)
    return {
        "suite": "mine",
        "title": next(draw),
        "source": next(draw),
        "metric": "accuracy",
        "margin": 1.0,
        "corner": next(draw),
        "best": "row",
        "footnotes": [next(draw)],
        "defaults": {"dataset": "cifar100", "network": "resnet110", "method": {}},
        "columns": [{"name": next(draw), "reads": "single"}],
        "rows": [{"name": name, "published": ["76.80"]} for name in names],
    }


@pytest.mark.parametrize("first", range(0, len(NASTY), 3))
def test_names_become_neither_markup_nor_paths(first: int, tmp_path: Path) -> None:
    names = [*NASTY[first:], *NASTY[:first]]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(with_names(names), allow_unicode=True))
    suite = load_suite(tmp_path / "own.yaml", load_variant("paper"))
    text = markdown.render(suite, tabulate(judged(suite, Store(tmp_path))))
    text = text.replace("<br>paper: ", "").replace("![", "", 1)  # the renderer's own
    assert not re.search(r"<[a-z!/]", text)
    assert not re.search(r"(?<!\\)\]\((?!mine\.(png|csv|curves\.png)\))", text)
    assert not re.search(r"(?<!\\)://", text)
    assert "www." not in text


def test_a_report_of_nasty_names(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(with_names(list(NASTY)), allow_unicode=True))
    with writes_only_below(tmp_path):
        assert command(tmp_path, "report", str(tmp_path / "own.yaml"), "--reports-dir", str(tmp_path / "out")) == 0
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")) == sorted(
        [
            f"paper/mine.{ending}"
            for ending in ("csv", "md", "png", "svg", "curves.png", "curves.svg", "tex", "trials.csv")
        ]
        + [
            f"paper/{name}"
            for name in (
                "claims.csv",
                "claims.tex",
                "index.html",
                "summary.csv",
                "summary.md",
                "trials.csv",
                "differences.png",
                "differences.svg",
                "scoreboard.png",
            )
        ]
    )
    assert "<script" not in (tmp_path / "out" / "paper" / "mine.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["../evil", "a/b", "a\\b", "..", ".hidden", "", "A", "a" * 50, "a\n"])
def test_a_suites_name_is_no_path(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({**with_names(list(NASTY)), "suite": name}))
    with pytest.raises(ManifestError, match="suite"):
        load_suite(tmp_path / "own.yaml", load_variant("paper"))


# ------------------------------------------------------------------ results


@cache
def stored() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        Store(Path(name)).put(result())
        return Store(Path(name)).path(run_id(spec())).read_bytes()


def looked_at(blob: bytes, manifest_text: str) -> None:
    """A result file that is anything, to everything that reads results."""
    with workplace() as place:
        for folder in ("results", "other"):
            path = Store(place / folder / "paper").path(run_id(spec()))
            path.parent.mkdir(parents=True)
            path.write_bytes(blob)
        Store(place / "results" / "paper").put(result(spec(1)))
        done = verify(place / "results", [], everything=True)
        json.dumps([finding.problem for finding in done.findings], ensure_ascii=False).encode()
        came = merge(place / "other", place / "second")
        for conflict in came.conflicts:
            list(differences(conflict))
        (place / "own.yaml").write_text(manifest_text)
        suite = load_suite(place / "own.yaml", load_variant("paper", ["schedule.epochs=3"]))
        with contextlib.suppress(BenchmarkError):
            markdown.render(suite, tabulate(judged(suite, Store(place / "results" / "paper")))).encode()


def cost_looked_at(tree: Any) -> None:
    """The same for a measurement, which Table 3 reads."""
    with workplace() as place:
        path = Store(place / "results" / "smoke").path(COST)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(tree))
        verify(place / "results", [], everything=True)
        suite = load_suite(SUITES / "table3.yaml", load_variant("smoke"))
        with contextlib.suppress(BenchmarkError):
            markdown.render(suite, tabulate(judged(suite, Store(path.parent)))).encode()


COST = "cost-cifar100-resnet110-a7e4dfb26b59"
SMALL = yaml.safe_dump({**with_names(["plain"] * 2), "rows": [{"name": "one"}]})


@hostile(300)
@given(mutated(json.loads(stored())))
def test_mutated_results(tree: Any) -> None:
    looked_at(json.dumps(tree).encode(), SMALL)


@hostile(200)
@given(mutated(json.loads((GOLDEN / "version1" / f"{COST}.json").read_text())))
def test_mutated_measurements(tree: Any) -> None:
    cost_looked_at(tree)


@pytest.mark.parametrize("value", ["x", [], 10**400, 1e308, None, -1, True])
def test_times_and_scores_that_are_none(value: Any) -> None:
    tree = json.loads((GOLDEN / "version1" / f"{COST}.json").read_text())
    for block in tree["metrics"].values():
        block["seconds_per_step"] = value
    cost_looked_at(tree)
    tree = json.loads(stored())
    tree["metrics"] = dict.fromkeys(tree["metrics"], value)
    looked_at(json.dumps(tree).encode(), SMALL)


@hostile(300)
@given(garbled(stored()))
def test_garbled_results(blob: bytes) -> None:
    looked_at(blob, SMALL)


@pytest.mark.parametrize("blob", [b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"', b"1" * 5000, b"\xff\xfe", b"NaN"])
def test_results_that_break_parsers(blob: bytes) -> None:
    looked_at(blob, SMALL)


@hostile(100)
@given(mutated(json.loads(stored())))
def test_mutated_results_on_the_command_line(tree: Any) -> None:
    with workplace() as place:
        path = Store(place / "results" / "mini").path(run_id(spec()))
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(tree))
        (place / "own.yaml").write_text(SMALL)
        command(place, "verify", str(place / "own.yaml"), "--set-aside")
        command(place, "merge", str(place / "results"))  # into itself: refused


# ------------------------------------------------------------------ jobs and checkpoints

JOB = Job(
    run_id=run_id(spec()), spec=spec(), results_folder="results/paper", data_dir=None, cache_dir="cache", device="cpu"
)


@hostile(300)
@given(mutated(json.loads(JOB.model_dump_json())))
def test_mutated_jobs(tree: Any) -> None:
    with workplace() as place:
        (place / "job.json").write_text(json.dumps(tree))
        (place / "progress.json").write_text(json.dumps(tree))
        (place / "attempts.txt").write_text(json.dumps(tree))
        folder = RunFolder(place)
        assert folder.progress() is None
        with contextlib.suppress(UserError):
            assert run_id(folder.job().spec) == folder.job().run_id, "a run's name is its spec's, never a path"


@cache
def saved() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        checkpoint.save(Path(name) / "c.pt", {"run_id": "x", "model": {"w": torch.ones(4)}, "epoch": 1, "history": []})
        return (Path(name) / "c.pt").read_bytes()


def with_digest(data: bytes) -> bytes:
    return data + hashlib.sha256(data).digest()


@hostile(300)
@given(garbled(saved()), st.booleans())
def test_garbled_checkpoints(blob: bytes, forged: bool) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        path = Path(name) / "c.pt"
        path.write_bytes(with_digest(blob[:-32]) if forged else blob)
        state = checkpoint.load(path, "x")
        assert forged or state is None or blob == saved(), "no flipped bit goes unnoticed"


class Evil:
    """A pickle that would make a file when loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.target),)


def test_a_checkpoint_runs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    torch.save({"run_id": "x", "model": Evil(tmp_path / "evil")}, buffer)
    (tmp_path / "c.pt").write_bytes(with_digest(buffer.getvalue()))
    assert checkpoint.load(tmp_path / "c.pt", "x") is None
    assert not (tmp_path / "evil").exists()
    assert "starting from the beginning" in capsys.readouterr().out
