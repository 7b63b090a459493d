"""Figure 1's suite: what it asks for, and a tiny run of it from command to picture."""

import json
import subprocess
import sys
from pathlib import Path

from benchmark.runs.spec import TrainSpec
from benchmark.suites.manifest import PAPER_SUITES, find_manifests, suite_names
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import load_suite
from benchmark.system.paths import SUITES

from .places import ROOT


def test_it_is_there_but_no_part_of_all() -> None:
    assert suite_names() == [*PAPER_SUITES, "figure1", "precision"]
    assert SUITES / "figure1.yaml" not in find_manifests(["all"])


def test_five_networks_differ_in_their_channels_alone() -> None:
    suite = load_suite(SUITES / "figure1.yaml", load_variant("paper"))
    specs = [cell.spec for cell in suite.cells]
    assert suite.trials == 1
    assert all(cell.published is None for cell in suite.cells)
    groups = [spec.method.discard for spec in specs if isinstance(spec, TrainSpec)]
    assert [one and (one.group, one.groups) for one in groups] == [None, (1, 4), (2, 4), (3, 4), (4, 4)]
    rest = {json.dumps({**spec.model_dump(), "method": None}) for spec in specs}
    assert len(rest) == 1


def test_a_setting_of_the_groups_leaves_the_baseline_alone() -> None:
    suite = load_suite(SUITES / "figure1.yaml", load_variant("paper", ["method.discard.groups=8"]))
    found = [cell.spec.method.discard for cell in suite.cells if isinstance(cell.spec, TrainSpec)]
    assert [one and one.groups for one in found] == [None, 8, 8, 8, 8]


def test_from_command_to_picture(tmp_path: Path) -> None:
    folders = [f"--{kind}-dir={tmp_path / kind}" for kind in ("results", "reports", "scratch")]
    small = ["--set=dataset.input_size=64", "--set=dataset.train_images=8", "--set=activation_maps=3"]
    chosen = ["--only=Discard group 3", "--device=cpu", "--jobs=1"]
    command = [sys.executable, "run_suite.py", "figure1", "--profile=smoke", *chosen, *small, *folders]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    (results,), (reports,) = (list((tmp_path / kind).iterdir()) for kind in ("results", "reports"))
    (path,) = results.glob("*.json")
    run = json.loads(path.read_text())
    assert run["spec"]["method"]["discard"] == {"groups": 4, "group": 3}
    assert [len(one["map"]) for one in run["activation_maps"]] == [2, 2, 2]
    assert (reports / "figure1.png").read_bytes().startswith(b"\x89PNG")
    assert (reports / "figure1.csv").read_text().count("accuracy_last_epoch") == 5
