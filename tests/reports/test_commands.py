"""The commands in reports make them again."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.reports.commands import typed, variant_words
from benchmark.suites.profiles import load_variant

MANIFEST = """
{suite: one, title: One, source: own, metric: accuracy, margin: 1.0, corner: Model, best: none, trials: 2,
 defaults: {dataset: cifar100, network: {family: resnet, depth: 11}}, columns: [{name: SI, reads: single}],
 rows: [{name: Base}]}
"""


def words_of(command: str) -> list[str]:
    """What a shell makes of a line."""
    said = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    ).stdout
    return [word.decode(errors="surrogateescape") for word in said.split(b"\0")[:-1]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)
    for name in ("results", "reports", "scratch"):
        monkeypatch.setenv(f"SFE_{name.upper()}_DIR", str(tmp_path / name))

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["run_suite.py", *words])
        main()

    return call


@pytest.mark.parametrize(
    "words",
    [
        ["my tables/mine.yaml"],
        ["./my tables/../my tables/mine.yaml", "--trials", "1", "--set", "aggregate=probabilities"],
        ["{}/my tables/mine.yaml", "--profile", "smoke", "--set", "schedule.epochs=2", "--set", "beta_on=last"],
        ["{}-elsewhere/mine.yaml", "--profile", "mini"],
        ["-mine.yaml"],
        ["a`b$(c) 'd' \\n\n.yaml"],
        ["table7", "--profile", "mini", "--set", "numerics.precision=bf16"],
    ],
    ids=str,
)
def test_the_command_in_a_report_makes_it_again(words: list[str], tmp_path: Path, run: Callable[..., None]) -> None:
    words = [word.replace("{}", str(tmp_path)) for word in words]
    if words[0] != "table7":
        (tmp_path / "my tables").mkdir()
        Path(words[0]).parent.mkdir(exist_ok=True)
        Path(words[0]).write_text(MANIFEST)
    first = ["--", words[0]] if words[0].startswith("-") else [words[0]]
    run("report", *words[1:], *first)
    [report] = [path for path in (tmp_path / "reports").rglob("*.md") if path.stem in ("one", "table7")]
    before = report.read_bytes()
    shutil.rmtree(tmp_path / "reports")
    found = re.search("Make this report again: `([^`]*)`", before.decode())
    assert found
    command = words_of(found[1])
    assert command[:2] == ["python", "run_suite.py"]
    run(*command[2:])
    assert report.read_bytes() == before
    shutil.rmtree(tmp_path.with_name(f"{tmp_path.name}-elsewhere"), ignore_errors=True)


@pytest.mark.parametrize(
    "setting",
    ["schedule.learning_rate=1e-3", "beta_on=last", "schedule.decay_at=[0.5, 0.8]", "dataset.input_size=null"],
)
def test_settings_read_back_as_they_were(setting: str) -> None:
    variant = load_variant("mini", [setting])
    words = variant_words(variant)
    assert load_variant("mini", words[words.index("--set") + 1 :: 2]) == variant


@pytest.mark.parametrize("value", ["1e-3", "0.5", "null", "true", " x", "", "a: b", "\u2028 é \U0001f600", "'\"`\\"])
def test_a_word_that_looks_like_something_else_stays_a_word(value: str) -> None:
    from benchmark.reports.commands import _setting
    from benchmark.suites.profiles import Setting, parse_setting

    setting = Setting(("method", "beta"), value)
    assert parse_setting(_setting(setting)) == setting
    assert words_of(typed([_setting(setting)])) == [_setting(setting)]
