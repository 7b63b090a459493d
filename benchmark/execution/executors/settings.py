"""What a cluster's engine is told, from a small YAML file and ``--executor-set``, read and checked like a manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from benchmark.errors import ManifestError, UserError
from benchmark.runs.schema import MANY, Frozen, dotted, first_problem
from benchmark.suites.yaml_files import parse_yaml, read_yaml

Tree = dict[str, Any]


class ClusterSettings(Frozen):
    """What every engine of a cluster can be told.

    Attributes:
        device_name: the model that runs compute on, as PyTorch or /proc/cpuinfo name it there; cost runs need it.
        gpu_memory_gib: of one GPU there; ``--runs-per-gpu auto`` needs it.
        runs_at_once: the most runs that this engine holds at a time, queued ones included.
        poll_s: how often the engine is asked how runs stand, in seconds; None for what suits it.
        settle_s: how late files of a node may show here, in seconds; None for what suits a shared disk.
    """

    device_name: str | None = Field(default=None, min_length=1, max_length=200)
    gpu_memory_gib: float | None = Field(default=None, gt=0, le=MANY)
    runs_at_once: int = Field(default=256, ge=1, le=MANY)
    poll_s: float | None = Field(default=None, ge=0.1, le=600)
    settle_s: float | None = Field(default=None, ge=0, le=600)


Settings = TypeVar("Settings", bound=ClusterSettings)


def read_settings(model: type[Settings], file: Path | None, changes: Sequence[str], *, free: str = "") -> Settings:
    """An engine's settings: those of a file, then ``KEY=VALUE`` over them.

    Args:
        model: what they are; with ``free`` it has a field of that name without its last ``_``.
        file: a YAML file; None for none.
        changes: of ``--executor-set``.
        free: how keys begin that the engine hands on as they are, ``slurm_`` say.

    Raises:
        UserError: a file that can't be used, a key that nobody knows, a value that is none.
    """
    tree: Tree = {}
    source: dict[str, str] = {}
    if file is not None:
        tree = read_yaml(file)
        source = dict.fromkeys(tree, str(file))
    for change in changes:
        key, value = _change(change)
        tree[key], source[key] = value, f"--executor-set {change}"
    if free:
        handed_on = {key: value for key, value in tree.items() if key.startswith(free)}
        tree = {key: value for key, value in tree.items() if key not in handed_on}
        tree |= {free.rstrip("_"): {key.removeprefix(free): value for key, value in handed_on.items()}}
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        where, reason = first_problem(error, model)
        if free and where[:1] == [free.rstrip("_")] and len(where) > 1:
            where = [f"{free}{where[1]}", *where[2:]]
        blamed = source.get(str(where[0]) if where else "", str(file or "--executor-set"))
        raise ManifestError(blamed, dotted(where), reason) from None


def _change(text: str) -> tuple[str, Any]:
    key, equals, raw = text.partition("=")
    if not equals or not key or not raw:
        raise UserError(f"--executor-set {text}: write it as key=value, for instance runs_at_once=8")
    try:
        return key, parse_yaml(raw)
    except ValueError as error:
        raise UserError(f"--executor-set {text}: the value, {error}") from None
