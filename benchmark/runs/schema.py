"""Common ground of every schema: strict, frozen, closed, and errors a person can act on."""

import difflib
import json
from collections.abc import Callable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_serializer
from pydantic_core import ErrorDetails, PydanticCustomError

from benchmark.wording import shortened

#: No number here is larger: counts of images, epochs, channels, and what is reckoned with them.
MANY = 1_000_000
#: Trials of an entry, and rows of a table, of which each is a training.
MANY_RUNS = 1_000


class Frozen(BaseModel):
    """Base of every schema here: immutable, strict about types, closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
    )


class Recorded(Frozen):
    """What a file holds, field by field as it stands there: files of before lack what nobody recorded then."""

    @model_serializer(mode="wrap")
    def _as_it_was(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if name in self.model_fields_set}


def refuse(path: str, reason: str) -> PydanticCustomError:
    """A validation error that blames ``path`` below the model that raises it."""
    return PydanticCustomError("refused", "{reason}", {"path": path, "reason": reason})


def fields_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str] | None:
    """Field names of the model that stands at ``path``; None where no model stands there."""
    current: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        if current is None or part not in current.model_fields:
            return None
        current = _model_in(current.model_fields[part].annotation)
    return list(current.model_fields) if current else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def suggestion(word: str, known: Sequence[str]) -> str:
    """``did you mean x?`` where one is close, else the whole list."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def first_problem(error: ValidationError, model: type[BaseModel]) -> tuple[list[str | int], str]:
    """Path and reason of the first thing pydantic refused, in words without its jargon."""
    problems = error.errors(include_url=False, include_context=True)
    details = problems[0]
    if details["type"] == "missing":  # more likely misspelt beside it than forgotten
        beside = [p for p in problems if p["type"] == "extra_forbidden" and p["loc"][:-1] == details["loc"][:-1]]
        details = (beside or [details])[0]
    loc = details["loc"]  # "train" or "cost" below "spec" is the union's tag, no key
    path = [part for i, part in enumerate(loc) if not (part in ("train", "cost") and i and loc[i - 1] == "spec")]
    if details["type"] == "refused":
        path += str(details.get("ctx", {}).get("path", "")).split(".")
    return [part for part in path if part != ""], _reason(details, model, path)


def _reason(details: ErrorDetails, model: type[BaseModel], path: list[str | int]) -> str:
    if details["type"] == "extra_forbidden":
        return f"unknown key; {suggestion(str(path[-1]), fields_at(model, path[:-1]) or [])}"
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "string_pattern_mismatch":
        if not str(details.get("ctx", {}).get("pattern")).startswith("^[a-z0-9]"):
            return f"can't be {shortened(repr(details.get('input')), _LONGEST_VALUE)}"
        rule = "begins with a small letter or digit; up to 40 small letters, digits, - and _"
        return f"a name {rule}, not {shortened(repr(details.get('input')), _LONGEST_VALUE)}"
    message = details["msg"].replace("Input should be", "should be")
    given = details.get("input")
    if given is not None and not isinstance(given, str | int | float | bool):
        return message
    shown = "null" if given is None else json.dumps(given) if isinstance(given, bool) else repr(given)
    return f"{message}, not {shortened(shown, _LONGEST_VALUE)}{_REMEDIES.get(details['type'], '')}"


#: Characters of a value that a message repeats.
_LONGEST_VALUE = 120
#: What to write instead, where YAML makes something else of a word or a word of a number.
_REMEDIES = {
    "string_type": "; put it in quotes",
    "bool_type": "; write true or false",
    "int_type": "; write it in plain digits",
    "float_type": "; write a decimal number",
}


def dotted(path: Sequence[str | int]) -> str:
    """``rows[3].train`` from ``["rows", 3, "train"]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
