"""docs/extending.md is followed to the letter, and the manifests of examples/ run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.suites.profiles import PROFILE_NAMES, load_variant
from benchmark.suites.suite import load_suite

from .places import ROOT
from .test_end_to_end import reported, results, run_suite

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
RECIPES = ("A dataset", "A network", "A method")
BLOCK = re.compile(r"^`([\w./-]+)`\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a recipe: a diff of a file that is there, or the whole of a new one."""

    file: str
    kind: str
    text: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        if self.kind == "diff":
            path.write_text(patched(path.read_text(encoding="utf-8"), self.text), encoding="utf-8")
        else:
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")


def recipes() -> Mapping[str, Sequence[Block]]:
    """The blocks of every recipe by its heading."""
    _, *sections = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").split("\n## ")
    found = {section.partition("\n")[0]: [Block(*match) for match in BLOCK.findall(section)] for section in sections}
    assert sum(map(len, found.values())) == sum(section.count("\n```") // 2 for section in sections), "a nameless block"
    return found


def patched(text: str, diff: str) -> str:
    """The text with each ``@@``-separated part of a diff done; what it names must stand there exactly once."""
    lines = text.splitlines()
    for hunk in diff.split("@@\n"):
        marked = [(line[:1] or " ", line[1:]) for line in hunk.splitlines()]
        assert {mark for mark, _ in marked} <= set(" +-"), hunk
        old, new = ([line for mark, line in marked if mark in marks] for marks in (" -", " +"))
        assert old != new, hunk
        places = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
        assert len(places) == 1, f"should stand there once:\n{hunk}"
        lines[places[0] : places[0] + len(old)] = new
    return "\n".join(lines) + "\n"


def tree(folder: Path) -> Path:
    """A copy of the program, its manifests and tests."""
    for name in ("benchmark", "scripts", "suites", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run_suite.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def call(*command: str, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SFE_")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_three_recipes() -> None:
    assert tuple(recipes()) == RECIPES
    for blocks in recipes().values():
        assert {"diff", "yaml", "python"} >= {block.kind for block in blocks}
        assert any(block.file.startswith("tests/") for block in blocks)


def test_a_diff_that_fits_nowhere_or_twice_is_noticed() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+d\n@@\n c\n+e\n") == "a\nd\nc\ne\n"
    for diff in (" x\n+y\n", " a\n c\n+d\n", "+d\n b\n"):
        with pytest.raises(AssertionError, match="should stand there once"):
            patched("a\nb\nb\nc\n", diff)


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_can_be_followed_alone(recipe: str, tmp_path: Path) -> None:
    folder = tree(tmp_path)
    for block in recipes()[recipe]:
        block.apply(folder)
    suite = next(Path(block.file).stem for block in recipes()[recipe] if block.kind == "yaml")
    assert f"{suite} (mini)" in call("run_suite.py", "plan", suite, "--profile=mini", folder=folder)


def test_all_recipes_together_lead_to_finished_reports(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    blocks = [block for recipe in recipes().values() for block in recipe]
    for block in blocks:
        block.apply(folder)
    for words in (["format", "--check"], ["check"]):
        call("-m", "ruff", *words, "--no-cache", ".", folder=folder)
    tests = sorted({block.file for block in blocks if block.file.startswith("tests/")})
    assert " passed" in call("-m", "pytest", *tests, "-p", "no:cacheprovider", folder=folder)

    suites = [Path(block.file).stem for block in blocks if block.kind == "yaml"]
    done = call("run_suite.py", *suites, "--profile=smoke", "--only=*SFE*", "--trials=1", "--device=cpu", folder=folder)
    assert done.count("completed") == 3
    specs: dict[str, Any] = {
        str(result["run_id"]).rpartition("-")[0]: result["spec"] for result in results(folder / "results" / "smoke")
    }
    assert len(specs) == 3
    assert specs["standin-flowers102-resnet18-sfe-s0"]["dataset"]["name"] == "flowers102"
    assert specs["standin-cifar100-preresnet110-sfe-s0"]["network"]["family"] == "preresnet"
    assert specs["standin-cifar100-resnet110-sfe-cutmix-s0"]["mixing"]["cutmix_alpha"] == 1.0
    for suite, row, columns in (
        ("flowers", "Flowers-102", ["SFE - SI", "SFE - AG"]),
        ("preresnet", "PreResNet-110", ["SFE - SI", "SFE - AG"]),
        ("cutmix", "CutMix + SFE", ["Error Rate"]),
    ):
        cells = reported(folder / "reports" / "smoke" / f"{suite}.csv", row)
        assert all(0 <= float(cells[column]["mean"]) <= 100 for column in columns)
        assert {cells[column]["trials"] for column in columns} == {"1"}


# ------------------------------------------------------------------ examples


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_examples_fit_every_profile(path: Path, profile: str) -> None:
    suite = load_suite(path, load_variant(profile))
    assert suite.name == path.stem
    assert all(cell.published is None for cell in suite.cells)


def test_examples_run_on_standin_images(tmp_path: Path) -> None:
    done = run_suite(tmp_path, *map(str, EXAMPLES), "--profile=smoke", "--trials=1")
    assert done.returncode == 0, done.stderr
    views: dict[str, set[int]] = {}
    for result in results(tmp_path / "results" / "smoke"):
        spec: Any = result["spec"]
        views.setdefault(spec["network"]["family"], set()).add((spec["method"]["masks"] or {"views": 0})["views"])
    assert views == {"wrn": {0, 3, 16}, "resnet_imagenet": {0, 4}}
    reports = tmp_path / "reports" / "smoke"
    assert list(reported(reports / "my_experiment.csv", "K = 1 + 16")) == ["SI", "AG"]
    assert list(reported(reports / "my_images.csv", "SFE, K = 1 + 4")) == ["SI", "AG"]


def test_a_folder_of_ones_own_is_trained_on(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for name in ("ant", "bee", "cat"):
            folder = tmp_path / "data" / "my_images" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (80, 90, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    words = ("--profile=mini", "--trials=1", "--only=Baseline", "--set=schedule.epochs=1")
    done = run_suite(tmp_path, str(ROOT / "examples" / "my_images.yaml"), *words, data_dir=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    (result,) = results(tmp_path / "results" / "mini+schedule.epochs=1")
    spec: Any = result["spec"]
    provenance: Any = result["provenance"]
    assert (spec["dataset"]["source"], provenance["data_digest"][:7]) == ("folder", "sha256:")
    cell = reported(tmp_path / "reports" / "mini+schedule.epochs=1" / "my_images.csv", "Baseline")["SI"]
    right = float(cell["mean"]) / 100 * 12  # of the 12 test images
    assert right == pytest.approx(round(right), abs=0.01)
