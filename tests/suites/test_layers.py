from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import ManifestError
from benchmark.suites.layers import (
    Layer,
    applies,
    nested,
    network_name,
    overlaid,
    value_at,
    without_beta,
    written_out,
)
from benchmark.suites.profiles import parse_setting

FILE = Path("mine.yaml")


def layer(tree: dict[str, Any], at: str = "rows[0]") -> Layer:
    return Layer(FILE, at, tree)


def test_a_later_layer_changes_what_it_names_and_no_more() -> None:
    ground = layer({"method": {"classifiers": 2, "masks": {"views": 8}}, "schedule": {"epochs": 300}})
    above = layer({"method": {"masks": {"views": 16}}})
    assert overlaid([ground, above]) == {
        "method": {"classifiers": 2, "masks": {"views": 16}},
        "schedule": {"epochs": 300},
    }
    assert ground.tree["method"] == {"classifiers": 2, "masks": {"views": 8}}, "nothing is changed in place"
    assert overlaid([above, layer({"method": {"masks": None}})]) == {"method": {"masks": None}}
    assert overlaid([]) == {}


def test_a_layer_knows_what_it_holds() -> None:
    held = layer({"method": {"masks": {"views": 8}}, "schedule": None})
    assert all(held.holds(path) for path in ([], ["method"], ["method", "masks", "views"], ["schedule"]))
    absent: list[list[str | int]] = [["dataset"], ["method", "beta"], ["schedule", "epochs"], ["method", 0]]
    assert not any(held.holds(path) for path in absent)


def test_names_are_written_out() -> None:
    tree = written_out(layer({"dataset": "cifar100", "network": "wrn28-10"})).tree
    assert tree == {"dataset": {"name": "cifar100"}, "network": {"family": "wrn", "depth": 28, "width": 10}}
    assert written_out(layer(tree)).tree == tree
    with pytest.raises(ManifestError, match=r"mine\.yaml: rows\[0\]\.network: .*did you mean 'resnet110'"):
        written_out(layer({"network": "resnet11"}))


def test_a_network_of_ones_own_has_no_name() -> None:
    assert network_name({"network": {"family": "wrn", "depth": 28, "width": 10}}) == "wrn28-10"
    assert network_name({"network": {"family": "wrn", "depth": 16, "width": 4}}) is None
    assert network_name({}) is None


def test_a_value_that_is_not_there_is_none() -> None:
    tree = {"method": {"masks": {"views": 8}, "beta": 0.0}}
    assert value_at(tree, "method", "masks", "views") == 8
    assert value_at(tree, "method", "beta") == 0.0
    for path in (("method", "discard"), ("mixing", "cutout_size"), ("method", "beta", "more")):
        assert value_at(tree, *path) is None


def test_one_classifier_has_no_beta() -> None:
    assert without_beta({"method": {"beta": 0.5, "rotations": 4}, "seed": 1}) == {"method": {"rotations": 4}, "seed": 1}
    assert without_beta({"seed": 1}) == {"seed": 1}


PLAIN: dict[str, Any] = {"method": {}}
SFE: dict[str, Any] = {"method": {"classifiers": 2, "masks": {"views": 8}}}
SLA: dict[str, Any] = {"method": {"rotations": 4}}
DISTILLING: dict[str, Any] = {"method": {"masks": {"views": 8}, "distillation": True}}
CUTOUT: dict[str, Any] = {"method": {}, "mixing": {"cutout_size": 8}}


@pytest.mark.parametrize(
    ("setting", "where"),
    [
        ("schedule.epochs=30", [PLAIN, SFE, SLA, DISTILLING, CUTOUT]),
        ("nesterov=true", [PLAIN, SFE, SLA, DISTILLING, CUTOUT]),
        ("beta_on=last", [SFE]),
        ("distill_from=probabilities", [DISTILLING]),
        ("method.beta=0.3", [SFE]),
        ("method.classifiers=3", [SFE]),
        ("method.rotations=1", [SLA]),
        ("method.masks.views=16", [SFE, DISTILLING]),
        ("mixing.cutout_size=16", [CUTOUT]),
    ],
)
def test_a_setting_tunes_what_is_there_and_adds_nothing(setting: str, where: list[dict[str, Any]]) -> None:
    found = parse_setting(setting)
    assert [tree for tree in (PLAIN, SFE, SLA, DISTILLING, CUTOUT) if applies(found, tree)] == where
    assert value_at(nested(found), *found.path) == found.value
