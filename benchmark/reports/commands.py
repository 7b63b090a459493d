"""Commands that reports name, as one types them into a shell."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from benchmark.reports.table import Table
from benchmark.suites.profiles import Setting, Variant
from benchmark.suites.suite import Suite
from benchmark.suites.yaml_files import parse_yaml
from benchmark.system.files import shown
from benchmark.system.paths import SUITES
from benchmark.wording import visible


def report_command(suite: Suite, table: Table) -> str:
    """What writes this report again from the results on disk, in the folder where it was written."""
    words = ["python", "run_suite.py", "report", suite_word(suite)]
    wanted = {cell.trials_wanted for cell in table.cells.values() if not cell.is_cost} - {suite.trials}
    for trials in wanted:
        words += ["--trials", str(trials)]
    return typed(words + variant_words(suite.variant))


def suite_word(suite: Suite) -> str:
    """How a command names a suite: one of the project's by its name, somebody's own manifest by its path from here."""
    if suite.path.parent == SUITES:
        return suite.name
    path = shown(suite.path)
    return f"./{path}" if path.startswith(("-", "~")) else path


def variant_words(variant: Variant) -> list[str]:
    """What a command says of profile and settings; nothing of the paper's own."""
    words = [] if variant.profile.profile == "paper" else ["--profile", variant.profile.profile]
    for word in setting_words(variant):
        words += ["--set", word]
    return words


def setting_words(variant: Variant) -> list[str]:
    """Its settings as one types them behind ``--set``."""
    return [_setting(setting) for setting in sorted(variant.settings, key=lambda setting: setting.label)]


def _setting(setting: Setting) -> str:
    """JSON is YAML too, but for halves of characters and what ends a line."""
    name = setting.path[-1] if setting.path[0] == "choices" else ".".join(setting.path)
    value = setting.value if _is_plain(setting.value) else visible(json.dumps(setting.value, ensure_ascii=False))
    return f"{name}={value}"


def _is_plain(value: Any) -> bool:
    """Whether a text reads back as itself: ``1e-3`` or ``null`` would turn into something else."""
    try:
        return isinstance(value, str) and parse_yaml(value) == value
    except ValueError:
        return False


def typed(words: Sequence[str]) -> str:
    """A line for a shell; what can't be seen in a word stands there as an escape."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if visible(word) == word and "`" not in word:
        return shlex.quote(word)
    inside = visible(word.replace("\\", "\\\\").replace("'", "\\'")).replace("`", "\\x60")
    return f"$'{inside}'"
