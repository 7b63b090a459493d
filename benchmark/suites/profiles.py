"""Profiles and ``--set``: what a whole invocation changes about every run.

``suites/profiles/paper.yaml`` is the ground every run stands on (the paper's Appendix A). A manifest's
entries are laid over it, another profile's patch over those, and ``--set`` over everything.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError

from benchmark.errors import ManifestError, UserError
from benchmark.runs.axes import Choices
from benchmark.runs.schema import MANY, MANY_RUNS, Frozen, dotted, fields_at, first_problem, suggestion
from benchmark.runs.spec import TrainSpec
from benchmark.suites.yaml_files import parse_yaml, read_yaml
from benchmark.system.paths import PROFILES

ProfileName = Literal["paper", "short", "reduced", "mini", "smoke"]
PROFILE_NAMES: tuple[str, ...] = get_args(ProfileName)
#: Folders of results or reports that are a profile's or a variant's.
VARIANT_NAME = re.compile(rf"(?:{'|'.join(PROFILE_NAMES)})(?:\+[A-Za-z0-9._=,-]+)*")
#: Choices of what a cell reads, not of what a run does: whether SI and AG columns read the run that also
#: distils, whether aggregates average logits (Eq. 8) or probabilities (the text), and which epoch's scores are
#: held against the paper's. The default stands first.
PLAN_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "sd_shares_run": (False, True),
    "aggregate": ("logits", "probabilities"),
    "epoch_reported": ("last", "best"),
}

#: Characters of a folder's name; file systems take 255, and scratch folders add a few.
_LONGEST_NAME = 200
#: Whole numbers below are written without an exponent.
_PLAIN_BELOW = 1e15
#: Fields of a run that no setting may touch.
_FIXED = ("seed", "kind", "protocol")

Tree = dict[str, Any]


class Patch(Frozen):
    """Values for every run, then for those of one dataset, then for those of one network."""

    all: Tree = Field(default={})
    datasets: dict[str, Tree] = Field(default={})
    networks: dict[str, Tree] = Field(default={})

    def layers(self, dataset: str, network: str | None) -> list[tuple[str, Tree]]:
        """The parts that apply, weakest first, each with its path in the file."""
        found = [("all", self.all), (f"datasets.{dataset}", self.datasets.get(dataset, {}))]
        return [*found, (f"networks.{network}", self.networks.get(network, {}))] if network else found


class Profile(Patch):
    """One file of ``suites/profiles``.

    ``judges`` is what its runs may be asked: the paper's numbers and claims (``cells``), its claims alone,
    since other networks or images give other numbers (``claims``), or ``nothing``.
    """

    profile: ProfileName
    judges: Literal["cells", "claims", "nothing"]
    about: str
    trials: int = Field(ge=1, le=MANY_RUNS)
    cost_steps: int = Field(ge=1, le=MANY)

    @property
    def path(self) -> Path:
        """The file this profile stands in."""
        return PROFILES / f"{self.profile}.yaml"


def load_profile(name: str) -> Profile:
    """Read a profile by its name.

    Raises:
        ManifestError: its file is missing or wrong.
    """
    path = PROFILES / f"{name}.yaml"
    try:
        return Profile.model_validate(read_yaml(path))
    except ValidationError as error:
        where, reason = first_problem(error, Profile)
        raise ManifestError(path, dotted(where), reason) from None


@dataclass(frozen=True)
class Setting:
    """One ``--set path=value``."""

    path: tuple[str, ...]
    value: Any

    @property
    def is_variant(self) -> bool:
        """Whether it is a named choice or a numerics field, which keep a profile's protocol."""
        return self.path[0] in ("choices", "numerics")

    @property
    def label(self) -> str:
        """How folders and reports call it: a choice by its bare name, anything else by its path."""
        name = self.path[-1] if self.path[0] == "choices" else ".".join(self.path)
        parts = self.value if isinstance(self.value, list) else [self.value]
        return re.sub(r"[^A-Za-z0-9._=,-]", "_", f"{name}={','.join(map(_typed, parts))}")


def _typed(value: Any) -> str:
    """A value as one would type it; a number in one way, however it was written."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _PLAIN_BELOW:
        return str(int(value))
    return str(value)


def parse_setting(text: str) -> Setting:
    """Read ``schedule.epochs=6`` or ``beta_on=last``.

    Raises:
        UserError: no ``=``, no such field, or a value that is no YAML.
    """
    name, equals, raw = text.partition("=")
    if not equals or not raw:
        raise UserError(f"--set {text}: write it as path=value, for instance schedule.epochs=6")
    try:
        value = parse_yaml(raw)
    except ValueError as error:
        raise UserError(f"--set {text}: the value, {error}") from None
    choices = [*Choices.model_fields, *PLAN_CHOICES]
    path = ("choices", name) if name in choices else tuple(name.split("."))
    if path[0] in _FIXED:
        raise UserError(f"--set {text}: {path[0]} can't be set; for more or fewer seeds use --trials")
    if name not in PLAN_CHOICES:
        _check_path(text, path)
    elif (type(value), value) not in [(type(known), known) for known in PLAN_CHOICES[name]]:  # 1 is not true
        raise UserError(
            f"--set {text}: {name} is one of {', '.join(str(known).lower() for known in PLAN_CHOICES[name])}"
        )
    return Setting(path, value)


def _check_path(text: str, path: tuple[str, ...]) -> None:
    for depth, part in enumerate(path):
        known = fields_at(TrainSpec, path[:depth])
        if known is None or part not in known:
            inside = ".".join(path[:depth]) or "a run"
            names = [
                *(name for name in known or [] if depth or name not in _FIXED),
                *([] if depth else [*Choices.model_fields, *PLAN_CHOICES]),
            ]
            hint = suggestion(part, names) if known else "it holds a single value"
            raise UserError(f"--set {text}: {inside} has no field {part!r}; {hint}")
    if below := fields_at(TrainSpec, path):
        raise UserError(f"--set {text}: {'.'.join(path)} is a group; set one of its fields: {', '.join(below)}")


@dataclass(frozen=True)
class Variant:
    """A profile with the settings laid over it: decides the folders and whether verdicts are given."""

    profile: Profile
    settings: tuple[Setting, ...] = ()

    @property
    def reports_name(self) -> str:
        """Folder below ``reports/``."""
        name = "+".join([self.profile.profile, *sorted(setting.label for setting in self.settings)])
        if len(name) <= _LONGEST_NAME:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return f"{name[: _LONGEST_NAME - 13]}-{digest}"

    @property
    def results_name(self) -> str:
        """Folder below ``results/``: the profile's own while only choices and numerics differ."""
        return self.profile.profile if self.keeps_protocol else self.reports_name

    @property
    def keeps_protocol(self) -> bool:
        """Whether every setting is a named choice or a numerics field."""
        return all(setting.is_variant for setting in self.settings)

    @property
    def against_paper(self) -> bool:
        """Whether its reports are held against the published numbers."""
        return self.profile.judges == "cells" and self.keeps_protocol

    @property
    def judges_claims(self) -> bool:
        """Whether the paper's claims are answered by its runs; a protocol of one's own answers none."""
        return self.profile.judges != "nothing" and self.keeps_protocol

    @property
    def epoch_reported(self) -> str:
        """``last``, or ``best``, which the test set chose: whose scores stand beside the printed numbers."""
        return str(self.choice("epoch_reported") or PLAN_CHOICES["epoch_reported"][0])

    def choice(self, name: str) -> Any:
        """The value a plan-level choice was set to; None where it was not."""
        return next((setting.value for setting in self.settings if setting.path == ("choices", name)), None)


def load_variant(profile: str, settings: Sequence[str] = ()) -> Variant:
    """A profile by name with its ``--set`` texts; the last of two settings of one path wins.

    Raises:
        UserError: an unusable profile or setting.
    """
    by_path = {setting.path: setting for setting in map(parse_setting, settings)}
    return Variant(load_profile(profile), tuple(by_path.values()))


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    """``over`` laid on ``base``, mapping by mapping; neither is changed."""
    out: Tree = dict(base)
    for key, value in over.items():
        below = out.get(key)
        out[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return out
