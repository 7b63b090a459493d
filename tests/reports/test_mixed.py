"""Cells whose trials come from several machines or versions say so under the table."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.reports.renderers import markdown, tidy_csv
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.spec import with_seed
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite, load_suite
from tests.made import MACHINE, result
from tests.reports.fakes import collect, judged

OWN = {
    "suite": "mine",
    "title": "Mine",
    "source": "nowhere",
    "metric": "accuracy",
    "margin": 1.0,
    "corner": "Setting",
    "best": "none",
    "footnotes": ["A note of the paper."],
    "defaults": {"dataset": "cifar100", "network": "resnet110", "method": {}},
    "columns": [{"name": "Plain", "reads": "single"}],
    "rows": [{"name": "one"}, {"name": "two", "train": {"mixing": {"cutout_size": 16}}}],
}


def own(tmp_path: Path) -> Suite:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(OWN))
    return load_suite(path, load_variant("paper"))


def put(store: Store, suite: Suite, row: str, *changes: dict[str, Any]) -> None:
    """Trials of a row, each with its provenance changed."""
    spec = next(cell.spec for cell in suite.cells if cell.row == row)
    for seed, change in enumerate(changes):
        store.put(result(with_seed(spec, seed), provenance={**MACHINE, **change}))  # type: ignore[arg-type]


def notes(suite: Suite, store: Store) -> list[str]:
    text = markdown.render(suite, tabulate(judged(suite, store)))
    return [line for line in text.splitlines() if line.startswith("- ")]


def test_trials_of_one_machine_say_nothing(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    put(store, suite, "one", {}, {})
    put(store, suite, "two", {"device": "another CPU"}, {"device": "another CPU"})
    assert notes(suite, store) == ["- A note of the paper."], "between rows the machine may differ"


def test_trials_of_two_machines_and_versions(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    put(store, suite, "one", {}, {"device": "a <GPU>", "packages": {"torch": "2.15.0"}}, {})
    note = "- **Mixed trials** in one / Plain: device a &lt;GPU&gt;, a CPU; torch 2.11.0, 2.15.0."
    assert notes(suite, store) == ["- A note of the paper.", note]
    put(store, suite, "two", {}, {"device": "a <GPU>", "packages": {"torch": "2.15.0"}})
    assert notes(suite, store)[1].startswith("- **Mixed trials** in every cell: device")


def test_commits_and_the_unknown_count_too(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    put(
        store,
        suite,
        "one",
        {},
        {"code": {"release": "0", "commit": "beef", "dirty": True}},
        {"code": {"release": "0", "commit": None}},
    )
    frame = collect(suite, store)
    assert notes(suite, store)[1] == "- **Mixed trials** in one / Plain: code beef+uncommitted, c0ffee, unknown."
    assert list(frame.columns)[-1] == "mixed"
    assert tidy_csv.render(judged(suite, store)).splitlines()[1].endswith(',"code beef+uncommitted, c0ffee, unknown"')


def test_trials_of_several_commits_are_not_worth_a_warning(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    commits = ["0123456789abcdef" * 2 + "01234567", "fedcba9876543210" * 2 + "fedcba98"]
    put(store, suite, "one", *({"code": {"release": "0", "commit": commit, "dirty": False}} for commit in commits))
    text = "code 0123456789ab, fedcba987654; all of one `protocol`"
    assert notes(suite, store)[1] == f"- Trials of several versions of the code in one / Plain: {text}."
    code = {"code": {"release": "0", "commit": commits[0], "dirty": False}}
    put(
        store,
        suite,
        "two",
        code,
        {"code": {"release": "0", "commit": commits[1], "dirty": False}, "data_digest": "sha256:4567"},
    )
    assert notes(suite, store)[2].startswith("- **Mixed trials** in two / Plain: code 0123456789ab, fedcba987654; data")


def test_variables_that_change_digits_count_too(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    slow = {"environment": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}}
    put(store, suite, "one", {}, {"environment": {}}, slow)
    here = {"device": "a CPU", "torch": "2.11.0", "code": "c0ffee", "data_digest": "sha256:0123"}
    put(store, suite, "two", {"sessions": [here, {**here, **slow}]})
    text = "environment ATEN\\_CPU\\_CAPABILITY=default ONEDNN\\_MAX\\_CPU\\_ISA=SSE41, none"
    assert notes(suite, store)[1:] == [f"- **Mixed trials** in every cell: {text}."]


def test_other_images_and_other_sessions_count_too(tmp_path: Path) -> None:
    suite, store = own(tmp_path), Store(tmp_path / "results")
    put(store, suite, "one", {}, {"data_digest": "sha256:4567"})
    here = {"device": "a CPU", "torch": "2.11.0", "code": "c0ffee", "data_digest": "sha256:0123"}
    put(store, suite, "two", {"sessions": [{**here, "device": "a GPU"}, here]})
    assert notes(suite, store)[1:] == [
        "- **Mixed trials** in one / Plain: data\\_digest sha256:0123, sha256:4567.",
        "- **Mixed trials** in two / Plain: device a CPU, a GPU.",
    ]


@pytest.mark.parametrize(
    "code",
    [
        {"release": "0"},
        {"release": "0", "commit": None, "note": "no git"},
        {"release": "0", "commit": "c0ffee", "dirty": True},
    ],
)
def test_a_report_says_when_no_commit_names_the_code(tmp_path: Path, store: Store, code: object) -> None:
    suite = own(tmp_path)
    put(store, suite, "one", {}, {"code": code})
    frame = collect(suite, store)
    (name,) = frame["code_doubted"].dropna().unique()
    recorded = store.load(name.removesuffix(".json")).provenance.code
    assert recorded is not None
    assert recorded.model_dump() == code
    note = f"- **Code not known for certain** of `{name}`: they name no commit, or one that their code may differ from"
    assert note in markdown.render(suite, tabulate(judged(suite, store)))
