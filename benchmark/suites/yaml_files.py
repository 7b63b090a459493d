"""Reading YAML safely: no objects, no duplicate keys, no bombs, and no word that turns into another.

YAML 1.1 reads ``no`` as false, ``010`` as eight, ``1:30`` as ninety, ``2024-01-01`` as a date and ``1e-3`` as a word.
Here ``true``, ``false``, ``null`` and decimal numbers are what they look like, and everything else is a word.
"""

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from benchmark.errors import ManifestError
from benchmark.system.files import MOST_TEXT, read_regular

_Parser: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

#: More than any manifest needs; libyaml crashes on a file nested deep enough, and aliases of aliases
#: stand for exponentially many values.
MOST_DEEP, MOST_VALUES = 40, 100_000
_TAG = "tag:yaml.org,2002:"
#: Digits of a whole number; nobody means more.
MOST_DIGITS = 18
#: tag -> (what a plain word of it looks like, what it may begin with)
_PLAIN = {
    "null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    "int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")),
    "float": (
        re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,9})?\Z"),
        list("-+.0123456789"),
    ),
    "merge": (re.compile(r"<<\Z"), ["<"]),
}
#: What no name in a table may hold; an escape such as "\\0" would bring it in.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class _Loader(_Parser):  # type: ignore[misc]
    """The safe loader; the same key twice in one mapping is a mistake, not a replacement."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key should be a word", key_node.start_mark)
            key = key_node.value
            if key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        self.flatten_mapping(node)
        for key_node, _ in node.value:
            key_node.tag = f"{_TAG}str"  # a key is a word, whatever it looks like
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def _scalar(loader: Any, node: yaml.ScalarNode) -> Any:
    """A word or number that a tag asks for, or that looks like it."""
    kind, text = node.tag.removeprefix(_TAG), str(loader.construct_scalar(node))
    if kind == "str":
        return text
    if not _PLAIN[kind][0].match(text):
        raise _unusable(node, f"{text!r} is no {kind}")
    if kind == "int" and len(text.lstrip("+-")) > MOST_DIGITS:
        raise _unusable(node, f"a whole number of {len(text)} digits; {MOST_DIGITS} are the most")
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    return int(text) if kind == "int" else float(text) + 0.0  # one number has one run id, 0.0 and -0.0 too


def _refused_tag(loader: Any, node: yaml.Node) -> None:
    raise _unusable(node, f"the tag {node.tag} is of no use here; leave it out")


def _unusable(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _kind, (_looks, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", _looks, _first)
for _kind in ("str", "null", "bool", "int", "float"):
    _Loader.add_constructor(f"{_TAG}{_kind}", _scalar)
_Loader.add_constructor(f"{_TAG}seq", lambda loader, node: loader.construct_sequence(node, deep=True))
_Loader.add_constructor(f"{_TAG}map", lambda loader, node: loader.construct_mapping(node, deep=True))
_Loader.add_constructor(None, _refused_tag)


def parse_yaml(text: str) -> Any:
    """What a YAML text says.

    Raises:
        ValueError: it is no YAML, or more than anybody writes by hand; ``str`` of it is one line.
    """
    try:
        _check_size(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise ValueError(" ".join(f"{where}is not valid YAML: {problem}".split())) from None
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        # PyYAML's ways to fail at a date, number or merge key that is none
        raise ValueError(" ".join(f"is not valid YAML: {error}".split())) from None


def _check_size(text: str) -> None:
    """Count nesting and values, with what aliases repeat, before anything is built of them."""
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor:
                sizes[anchor] = total - before
            continue
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in [anchor for anchor, _ in opened]:
                raise _refused(event, "an alias stands within itself")
            total += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.NodeEvent):
            total += 1
        if isinstance(event, yaml.ScalarEvent) and _CONTROL.search(event.value):
            raise _refused(event, "text holds a control character")
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, total - 1))
        if total > MOST_VALUES or len(opened) > MOST_DEEP:
            raise _refused(event, f"holds more than {MOST_VALUES} values or is nested more than {MOST_DEEP} deep")


def _refused(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping a YAML file holds.

    Raises:
        ManifestError: the file can't be read, is no YAML, or holds no mapping.
    """
    try:
        tree = parse_yaml(read_regular(path, MOST_TEXT).decode("utf-8-sig"))
    except OSError as error:
        raise ManifestError(path, "", f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(path, "", f"can't be read: {error}; save it as UTF-8") from None
    except ValueError as error:
        raise ManifestError(path, "", str(error)) from None
    if not isinstance(tree, dict):
        raise ManifestError(path, "", "should hold a mapping of keys to values")
    return tree
