"""What every verb's --help says: an example that is right, and where things go."""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from benchmark.cli import cli
from tests.places import ROOT


def verbs(group: click.Group, *before: str) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, verb in group.commands.items():
        found |= verbs(verb, *before, name) if isinstance(verb, click.Group) else {" ".join([*before, name]): verb}
    return found


VERBS = verbs(cli)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_an_example_that_is_understood(name: str) -> None:
    text = VERBS[name].help or ""
    (example,) = re.findall(r"For example: run_suite\.py (.*?)(?:\n\n|$)", text, re.DOTALL)
    words = shlex.split(example)
    assert " ".join(words[: len(name.split())]) == name
    VERBS[name].make_context(name, words[len(name.split()) :])  # raises where an option or its value is none


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_says_where_things_go(name: str) -> None:
    text = " ".join((VERBS[name].help or "").split())
    assert re.search(r"\b(RESULTS|REPORTS|SCRATCH|DATA)_DIR\b|[Nn]othing is written", text)
    for placeholder in re.findall(r"\b(RESULTS|REPORTS|SCRATCH|DATA)_DIR\b", text):
        options = {option for each in VERBS[name].params for option in each.opts}
        assert f"--{placeholder.lower()}-dir" in options


@pytest.mark.parametrize("name", VERBS)
def test_every_option_says_what_it_is(name: str) -> None:
    silent = [
        option.opts[-1]
        for option in VERBS[name].params
        if isinstance(option, click.Option) and not option.help and not isinstance(option.type, click.Choice)
    ]
    assert silent == []


PROGRAM = "import sys; sys.argv[0] = 'sfe-benchmark'; from benchmark.entry.start import main; main()"


def answered(task: str, words: str = "") -> str:
    """What the installed command tells a shell."""
    asked = {"COMP_WORDS": f"sfe-benchmark {words}", "COMP_CWORD": str(len(words.split()))}
    environment = {**os.environ, **asked, "_SFE_BENCHMARK_COMPLETE": f"bash_{task}", "PYTHONPATH": str(ROOT)}
    code = [sys.executable, "-P", "-c", PROGRAM]
    return subprocess.run(code, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("re", {"redo", "report", "reproduce"}),
        ("plan tab", {f"table{n}" for n in range(1, 8)}),
        ("log --f", {"--follow"}),
    ],
)
def test_a_shell_completes_verbs_suites_and_options(words: str, wanted: set[str]) -> None:
    assert wanted <= {line.split(",")[-1] for line in answered("complete", words).splitlines()}


def test_a_shell_gets_its_script() -> None:
    assert "COMP_WORDS" in answered("source")
