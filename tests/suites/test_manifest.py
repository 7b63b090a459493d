import os
import re
from pathlib import Path

import pytest

from benchmark.errors import ManifestError, UserError
from benchmark.suites.manifest import PAPER_SUITES, Published, find_manifests, load_manifest, suite_names
from benchmark.suites.profiles import PROFILE_NAMES, load_variant
from benchmark.suites.suite import load_suite, load_suites
from benchmark.suites.yaml_files import read_yaml
from benchmark.system.paths import SUITES
from tests.closed import closed, public

#: A right manifest; the tests below break one place each.
GOOD = """\
suite: mine
title: Mine
source: Nowhere
metric: accuracy
margin: 1.0
corner: Model
best: row
defaults: {dataset: cifar100, network: resnet110}
columns:
  - {name: Base, reads: single}
  - {name: SI, reads: single, train: {method: {classifiers: 2, masks: {views: 8}}}}
  - {name: Mem, reads: memory_mib}
rows:
  - name: one
    train: {}
    published: [74.21 ± 0.35, null, 2846 (+0.0%)]
"""
SFE = "{classifiers: 2, masks: {views: 8}}"
PUBLISHED = "published: [74.21 ± 0.35, null, 2846 (+0.0%)]"
TRAIN = "train: {}"


def refused(tmp_path: Path, text: str | bytes, settings: tuple[str, ...] = ()) -> str:
    """What is said about a manifest under the paper's profile."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ManifestError) as caught:
        load_suites([path], load_variant("paper", settings))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_the_good_one_is_good(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    suite = load_suite(tmp_path / "mine.yaml", load_variant("paper"))
    assert [cell.column for cell in suite.cells] == ["Base", "SI", "Mem"]


@pytest.mark.parametrize(
    ("old", "new", "path", "hint"),
    [
        # unknown keys
        ("corner: Model", "corner: Model\ncorners: Model", "corners", "did you mean 'corner'?"),
        ("margin: 1.0", "margni: 1.0", "margni", "did you mean 'margin'?"),
        (PUBLISHED, "pubished: [null, null, null]", "rows[0].pubished", "did you mean 'published'?"),
        ("name: SI, reads", "name: SI, raeds: single, reads", "columns[1].raeds", "did you mean 'reads'?"),
        (SFE, "{k: 3}", "columns[1].train.method.k", "known here: classifiers, beta, masks"),
        (SFE, "{masks: {view: 8}}", "columns[1].train.method.masks.view", "did you mean 'views'?"),
        (TRAIN, "train: {netwrok: resnet110}", "rows[0].train.netwrok", "did you mean 'network'?"),
        (PUBLISHED, "cells: {SI: {method: {betta: 1}}}", "rows[0].cells['SI'].method.betta", "did you mean 'beta'?"),
        ("margin: 1.0", "1: 2\nmargin: 1.0", "1", "unknown key"),
        # keys left out
        ("best: row\n", "", "best", "is missing"),
        ("dataset: cifar100, ", "", "dataset", "is missing"),
        # wrong types
        ("margin: 1.0", "margin: wide", "margin", "valid number, not 'wide'"),
        ("title: Mine", "title: 3", "title", "valid string, not 3"),
        *(("title: Mine", f"title: {word}", "title", "put it in quotes") for word in ("110", "true", "1e3", "null")),
        ("title: Mine", "title:", "title", "valid string"),
        ("columns:\n", "columns:\n  - SI\n", "columns[0]", "not 'SI'"),
        ("rows:\n", "trials: 4.0\nrows:\n", "trials", "valid integer, not 4.0"),
        (TRAIN, "train: resnet110", "rows[0].train", "not 'resnet110'"),
        (TRAIN, "train:", "rows[0].train", "valid dictionary"),
        (TRAIN, "train: {network: 110}", "rows[0].train.network", "not 110"),
        (SFE, "sfe", "columns[1].train.method", "not 'sfe'"),
        (SFE, "null", "columns[1].train.method", "valid dictionary"),
        (SFE, '{classifiers: "2"}', "columns[1].train.method.classifiers", "valid integer, not '2'"),
        (SFE, "{classifiers: true}", "columns[1].train.method.classifiers", "valid integer, not true"),
        (SFE, "{masks: 8}", "columns[1].train.method.masks", "not 8"),
        (PUBLISHED, "published: 74.21", "rows[0].published", "valid list, not 74.21"),
        (PUBLISHED, "published: [74.21, null, null]", "rows[0].published[0]", "valid string, not 74.21"),
        # impossible values
        ("margin: 1.0", "margin: 0", "margin", "greater than 0"),
        ("margin: 1.0", "margin: .inf", "margin", "valid number, not '.inf'"),
        ("suite: mine", "suite: ../mine", "suite", "begins with a small letter or digit"),
        ("best: row", "best: col", "best", "'row', 'table' or 'none'"),
        ("rows:\n", "trials: 0\nrows:\n", "trials", "greater than or equal to 1"),
        ("reads: memory_mib", "reads: memory", "columns[2].reads: ", "memory_mib"),
        (SFE, "{classifiers: 2, masks: {views: 129}}", "columns[1].train.method.masks.views", "take at most 128"),
        (SFE, "{masks: {views: 65, carry_from: 1}}", "columns[1].train.method.masks.views", "take at most 64"),
        (SFE, "{classifiers: 2, beta: 1.5}", "columns[1].train.method.beta", "less than or equal to 1, not 1.5"),
        (SFE, "{classifiers: 2, beta: -0.1}", "columns[1].train.method.beta", "greater than or equal to 0"),
        (SFE, "{classifiers: 4}", "columns[1].train.method.classifiers", "has 3 stages"),
        (SFE, "{masks: {views: 8, carry_from: 4}}", "columns[1].train.method.masks.carry_from", "resnet110 has 3"),
        (SFE, "{rotations: 3}", "columns[1].train.method.rotations", "1 or 4"),
        (SFE, "{masks: {views: 8, grouping: odd}}", "columns[1].train.method.masks.grouping", "'random' or"),
        (TRAIN, "train: {schedule: {epochs: 0}}", "rows[0].train.schedule.epochs", "greater than or equal to 1"),
        (TRAIN, "train: {schedule: {decay_at: [2]}}", "rows[0].train.schedule.decay_at", ""),
        (TRAIN, "train: {mixing: {cutout_size: 64}}", "rows[0].train.mixing.cutout_size", "32 pixels"),
        (TRAIN, "train: {network: {family: wrn, depth: 28}}", "rows[0].train.network.width", "widening factor"),
        (TRAIN, "train: {network: {family: resnet, depth: 21}}", "rows[0].train.network.depth", "9n+2"),
        ("dataset: cifar100", "dataset: {name: cifar100, train_images: 60000}", "dataset.train_images", "has 50000"),
        # fields without meaning
        (SFE, "{beta: 0.5, masks: {views: 8}}", "columns[1].train.method.beta", "no meaning with one classifier"),
        (SFE, "{distillation: true}", "columns[1].train.method.distillation", "several predictions"),
        (SFE, "{classifiers: 2, masks: {views: 8, carry_from: 1}}", "method.masks.carry_from", "set classifiers: 1"),
        (TRAIN, "train: {choices: {beta_on: last}}", "rows[0].train.choices.beta_on", "no meaning for method"),
        (TRAIN, "train: {seed: 3}", "rows[0].train.seed", ""),
        (TRAIN, "train: {protocol: 3}", "rows[0].train.protocol", ""),
        ("name: SI, reads: single", "name: SI, reads: distilled", "columns[1].reads", "set method.distillation: true"),
        (PUBLISHED, "listing1: true", "rows[0].listing1", ""),
        # duplicates
        ("rows:\n", "rows:\n  - name: one\n", "rows[1].name", "'one' stands twice"),
        ("name: SI", "name: Base", "columns[1].name", "'Base' stands twice"),
        ("margin: 1.0", "margin: 1.0\nmargin: 2.0", "line 6, column 1", "'margin' stands twice"),
        (SFE, "{classifiers: 2, classifiers: 3}", "line 11", "'classifiers' stands twice"),
        # references to nothing
        (PUBLISHED, "columns: [Bsae]", "rows[0].columns", "did you mean 'Base'?"),
        (PUBLISHED, "cells: {Sl: {method: {}}}", "rows[0].cells", "there is no column 'Sl'; known here: Base, SI, Mem"),
        ("dataset: cifar100", "dataset: cifar1000", "defaults.dataset", "did you mean 'cifar100'?"),
        ("network: resnet110", "network: resnet111", "defaults.network", "did you mean 'resnet110'?"),
        # published numbers
        (PUBLISHED, "published: [74.21 ± 0.35]", "rows[0].published", "1 numbers for 3 columns; write null"),
        (PUBLISHED, "published: [74.21 +- 0.35, null, null]", "rows[0].published[0]", "read like '74.21 ± 0.35'"),
        (PUBLISHED, "published: [null, null, about 3]", "rows[0].published[2]", "not 'about 3'"),
        # no YAML
        ("title: Mine", "title: [Mine", "line 3", "is not valid YAML"),
        ("title: Mine", "title: Mine: yours", "line 2", "is not valid YAML"),
        ("title: Mine", "title: !!python/name:os.system x", "line 2", "is not valid YAML"),
        ("margin: 1.0", f"margin: {'9' * 5000}", "line 5", "a whole number of 5000 digits"),
        ("title: Mine", "title: !!timestamp 2020-01-01", "line 2", "leave it out"),
        ("title: Mine", "title: \0", "", "is not valid YAML"),
        ("title: Mine", "? [a, b]\n: 3\ntitle: Mine", "line 2", "is not valid YAML"),
    ],
)
def test_every_mistake_is_one_sentence_with_its_place(tmp_path: Path, old: str, new: str, path: str, hint: str) -> None:
    assert GOOD.count(old) == 1
    message = refused(tmp_path, GOOD.replace(old, new))
    assert path in message.removesuffix(hint)
    assert hint in message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "should hold a mapping"),
        ("# nothing but a comment\n", "should hold a mapping"),
        ("- suite: mine\n", "should hold a mapping"),
        ("just words", "should hold a mapping"),
        ("{}", "suite: is missing"),
        (b"\xff\xfe\x00", "can't be read"),
        (b"title: \xe9", "can't be read"),
    ],
)
def test_files_that_are_no_manifest(tmp_path: Path, text: str | bytes, hint: str) -> None:
    assert hint in refused(tmp_path, text)


@pytest.mark.parametrize("setting", ["beta_on=last", "method.beta=0.3", "method.masks.views=4", "distill_from=logits"])
@pytest.mark.parametrize("method", ["sfe", "null", "[1]", '{classifiers: "2"}', "{classifiers: [2]}"])
def test_a_setting_hides_no_mistake_below_it(tmp_path: Path, setting: str, method: str) -> None:
    message = refused(tmp_path, GOOD.replace(SFE, method), (setting,))
    assert message.startswith("columns[1].train.method")
    assert "should be a valid" in message


def test_a_network_of_ones_own_needs_no_method_for_its_baseline(tmp_path: Path) -> None:
    text = GOOD.replace("network: resnet110", "network: {family: resnet, depth: 20}").replace(
        SFE, "{masks: {views: 8}}"
    )
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    suite = load_suite(tmp_path / "mine.yaml", load_variant("paper"))
    assert suite.cells[0].spec.label == "cifar100-resnet20-baseline-s0"


def test_a_cost_table_compares_on_one_network(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD + "  - name: two\n    train: {network: resnet164}\n")
    assert message == "row 'two': a cost table is about one dataset, network, mixing and batch size"


def test_two_suites_of_one_name_would_overwrite_each_other(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        load_suites([tmp_path / "one.yaml", tmp_path / "two.yaml"], load_variant("paper"))
    assert str(tmp_path / "one.yaml") in str(caught.value)
    assert str(tmp_path / "two.yaml") in str(caught.value)


# ------------------------------------------------------------------ reading what is right


def test_merge_keys_and_anchors_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: &b {z: 3}\nc: {<<: [*a, *b], y: 4}\n")
    assert read_yaml(path)["c"] == {"x": 1, "y": 4, "z": 3}


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("74.21 ± 0.35", Published(74.21, 0.35)),
        ("25.79", Published(25.79)),
        ("9718 (+241.3%)", Published(9718.0, overhead_percent=241.3)),
        ("0.178 (+0.0%)", Published(0.178, overhead_percent=0.0)),
        ("5 (-3%)", Published(5.0, overhead_percent=-3.0)),
    ],
)
def test_printed_numbers(text: str, published: Published) -> None:
    assert Published.parse(text) == published


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1,5", "1 ±", "± 1", "1±2", "1 +- 2", "-1", "1 (3%)", "1e3", "nan"])
def test_unreadable_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="should read like"):
        Published.parse(text)


def test_all_are_the_papers_eight() -> None:
    assert [path.stem for path in find_manifests(["all"])] == list(PAPER_SUITES)
    assert [*PAPER_SUITES] == [*(f"table{number}" for number in range(1, 8)), "figure4"]


def test_suites_are_listed_in_the_papers_order() -> None:
    assert suite_names()[: len(PAPER_SUITES)] == list(PAPER_SUITES)


def test_a_suite_is_found_by_name_and_by_path_and_taken_once(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    own = tmp_path / "mine.yaml"
    assert find_manifests(["table2", str(own), "all", "table2"])[:3] == [
        SUITES / "table2.yaml",
        own,
        SUITES / "table1.yaml",
    ]
    assert len(find_manifests(["table2", "all"])) == 8


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tabel1", "did you mean 'table1'?"), ("xyz", "all"), ("nowhere/own.yaml", "there is no such manifest"), ("", "")],
)
def test_suites_that_are_not_there(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        find_manifests([name])
    assert hint in str(caught.value)


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_manifest_is_named_as_its_file_and_says_how_to_run_it(path: Path) -> None:
    assert load_manifest(path).suite == path.stem
    header = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any(f"python run_suite.py {path.stem}" in line for line in header)
    assert any("Expect" in line for line in header)


# ------------------------------------------------------------------ whose mistake, whose name


@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("dataset: cifar100, ", "", "dataset"),
        (", network: resnet110", "", "network"),
        ("dataset: cifar100", "dataset: null", "defaults.dataset"),
        ("network: resnet110", "network: null", "defaults.network"),
        ("network: resnet110", "network: 3", "defaults.network"),
        *(
            ("network: resnet110", f"network: resnet110, {group}: {value}", f"defaults.{group}")
            for group in ("schedule", "method", "mixing", "choices", "numerics")
            for value in ("null", "[1]", "3")
        ),
        (TRAIN, "train: {schedule: null}", "rows[0].train.schedule"),
    ],
)
def test_a_manifests_mistake_is_no_profiles(tmp_path: Path, profile: str, old: str, new: str, where: str) -> None:
    path = tmp_path / "mine.yaml"
    text = GOOD.replace("  - {name: Mem, reads: memory_mib}\n", "").replace(PUBLISHED, "published: null")
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ManifestError, match=re.escape(where)) as caught:
        load_suite(path, load_variant(profile))
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", [*suite_names(), "all", "bench", "index", "summary", "claims", "trials"])
def test_no_suite_of_ones_own_has_a_name_of_the_projects(tmp_path: Path, name: str) -> None:
    message = refused(tmp_path, GOOD.replace("suite: mine", f"suite: {name}"))
    assert message.startswith(f"suite: '{name}' is the name of a report or suite of the project's own")
    assert f"'my_{name}'" in message


def test_a_suite_of_the_projects_own_is_called_as_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.suites.manifest.SUITES", tmp_path)
    assert "should be the file's name, 'mine', not 'table1'" in refused(tmp_path, GOOD.replace("mine", "table1", 1))


def test_names_are_of_sane_length(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD.replace("name: one", f"name: {'x' * 1001}"))
    assert message.startswith("rows[0].name: ")


@pytest.mark.parametrize("name", ["no", "on", "1:30", "2024-01-01", "1_0", "0x10", "'110'"])
def test_a_name_is_taken_as_it_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD.replace("name: one", f"name: {name}"), encoding="utf-8")
    assert load_manifest(tmp_path / "mine.yaml").rows[0].name == name.strip("'")


@pytest.mark.parametrize("kind", ["itself", "nowhere", "closed"])
def test_a_manifest_that_is_there_and_can_not_be_read_is_not_said_to_be_missing(kind: str) -> None:
    with public() as top:
        path = top / "in" / "mine.yaml"
        path.parent.mkdir()
        path.symlink_to({"itself": path.name, "nowhere": "nowhere", "closed": str(SUITES / "table1.yaml")}[kind])
        with closed(*([path.parent] if kind == "closed" else [])):
            [found] = find_manifests([str(path)])
            with pytest.raises(ManifestError, match=f"^{path}: can't be read: "):
                load_manifest(found)
        with pytest.raises(UserError, match="there is no such manifest"):
            find_manifests([str(top / "none.yaml")])


def test_a_manifest_is_one_however_it_is_spelt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "one.yaml").write_bytes((SUITES / "table1.yaml").read_bytes())
    (tmp_path / "link.yaml").symlink_to("one.yaml")
    monkeypatch.chdir(tmp_path)
    assert find_manifests(["one.yaml", "a/../one.yaml", "link.yaml", str(tmp_path / "one.yaml")]) == [Path("one.yaml")]
    assert find_manifests(["table1", str(SUITES / "table1.yaml"), "table1"]) == [SUITES / "table1.yaml"]
    (tmp_path / "suites").symlink_to(SUITES)
    (tmp_path / "theirs.yaml").symlink_to("suites/table1.yaml")
    for path in (os.path.relpath(SUITES / "table1.yaml"), "suites/table1.yaml", "theirs.yaml"):
        assert find_manifests([path]) == [SUITES / "table1.yaml"]
