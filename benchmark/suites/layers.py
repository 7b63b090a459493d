"""Trees of settings laid over each other, each remembering where it stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import ManifestError
from benchmark.runs.catalogue import NETWORKS
from benchmark.runs.schema import suggestion
from benchmark.suites.profiles import Setting, Tree, merged

#: Choices that matter only to some methods; laid over all runs, they stay where they do.
_CHOICE_MATTERS: Mapping[str, Callable[[Tree], bool]] = {
    "beta_on": lambda tree: classifiers(tree) > 1,
    "distill_from": lambda tree: value_at(tree, "method", "distillation") is True,
}


@dataclass(frozen=True)
class Layer:
    """A tree with the file and the path it stands at, so that an error can blame it."""

    file: Path | str
    at: str
    tree: Tree

    def holds(self, path: Sequence[str | int]) -> bool:
        """Whether something stands at this path."""
        tree: Any = self.tree
        for part in path:
            if not isinstance(tree, dict) or part not in tree:
                return False
            tree = tree[part]
        return True


def written_out(layer: Layer) -> Layer:
    """A layer with ``dataset: cifar100`` and ``network: resnet110`` written out."""
    tree = dict(layer.tree)
    if isinstance(tree.get("dataset"), str):
        tree["dataset"] = {"name": tree["dataset"]}
    if isinstance(name := tree.get("network"), str):
        if name not in NETWORKS:
            hint = suggestion(name, list(NETWORKS))
            raise ManifestError(layer.file, f"{layer.at}.network", f"there is no network {name!r}; {hint}")
        tree["network"] = dict(NETWORKS[name])
    return Layer(layer.file, layer.at, tree)


def overlaid(layers: Sequence[Layer]) -> Tree:
    """All layers as one tree, later ones over earlier ones."""
    tree: Tree = {}
    for layer in layers:
        tree = merged(tree, layer.tree)
    return tree


def value_at(tree: Any, *path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def classifiers(tree: Tree) -> int:
    """How many classifiers a run's tree asks for."""
    count = value_at(tree, "method", "classifiers")
    return count if isinstance(count, int) else 1


def network_name(tree: Tree) -> str | None:
    """The catalogue's name of a tree's network; None for one of somebody's own."""
    return next((name for name, network in NETWORKS.items() if dict(network) == tree.get("network")), None)


def without_beta(tree: Tree) -> Tree:
    """A tree whose method carries no β, for runs with one classifier."""
    method = {key: value for key, value in tree.get("method", {}).items() if key != "beta"}
    return {**tree, "method": method} if "method" in tree else tree


def nested(setting: Setting) -> Tree:
    """A setting as a tree."""
    tree: Any = setting.value
    for part in reversed(setting.path):
        tree = {part: tree}
    return dict(tree)


def applies(setting: Setting, tree: Tree) -> bool:
    """Whether a setting has something to set: methods and mixings are tuned where they are, never added."""
    if setting.path[0] == "choices":
        matters = _CHOICE_MATTERS.get(setting.path[1])
        return matters is None or matters(tree)
    if setting.path[0] not in ("method", "mixing"):
        return True
    if setting.path in (("method", "beta"), ("method", "classifiers")):
        return classifiers(tree) > 1
    if setting.path == ("method", "rotations"):
        return value_at(tree, "method", "rotations") not in (None, 1)
    if setting.path[0] == "mixing" or setting.path[1] in ("masks", "discard"):
        return value_at(tree, *setting.path[:2]) is not None
    return True
