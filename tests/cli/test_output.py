"""What commands print."""

import ast
from pathlib import Path

import pytest

from benchmark.cli.output import row, say
from benchmark.wording import LONGEST
from tests.cli.test_cli import Command, command, folders  # noqa: F401 - fixtures
from tests.test_architecture import MODULES


def test_whatever_a_command_says_goes_through_say_or_row() -> None:
    """A path or name in it may hold a line break, an escape or megabytes; JSON, help and files are what they are."""
    seen = 0
    for module, path in MODULES.items():
        if not module.startswith("benchmark.cli.") or module == "benchmark.cli.output":
            continue
        calls = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.echo":
                calls.append(node.func)
                made = ast.unparse(node.args[0])
                plain = isinstance(node.args[0], ast.Constant)
                assert plain or made.startswith(("json.dumps(", "as_json(", "ctx.get_help(")), f"{module}: {made}"
            elif isinstance(node, ast.Attribute) and ast.unparse(node) == "click.echo":
                assert node in calls, f"{module}, line {node.lineno}: passes click.echo on"
                seen += 1
    assert seen > 5


def test_a_message_and_a_row_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb\x1b[2J" + 2 * LONGEST * "x")
    row("a    b\n\x1b[2J" + 2 * LONGEST * "x")
    message, line = capsys.readouterr().out.splitlines()
    assert len(message) == LONGEST
    assert message.startswith("a b\\x1b[2Jxxx")
    assert line.startswith("a    b\\n\\x1b[2Jxxx")


def test_a_plan_of_names_with_line_breaks_has_a_line_a_run(
    tmp_path: Path,
    command: Command,  # noqa: F811
) -> None:
    (tmp_path / "mine.yaml").write_text(
        """{suite: one, title: One, source: own, metric: accuracy, margin: 1.0, corner: Model, best: none, trials: 1,
 defaults: {dataset: cifar100, network: {family: resnet, depth: 11}}, columns: [{name: SI, reads: single}],
 rows: [{name: "a\\nb"}]}"""
    )
    said = command("plan", str(tmp_path / "mine.yaml"), "--runs")
    assert said.status == 0
    assert said.out.splitlines()[0].startswith("to do")
    assert [line for line in said.out.splitlines() if "/ SI" in line] == said.out.splitlines()[:1]
