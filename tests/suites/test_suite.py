import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from benchmark.errors import ManifestError
from benchmark.runs.spec import CostSpec, TrainSpec, run_id
from benchmark.suites.manifest import PAPER_SUITES, Published
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Cell, Suite, load_suite, select
from benchmark.system.paths import SUITES
from tests.runs.test_spec import GOLDEN

MODELS = {"ResNet-110", "ResNet-164", "SE-ResNet-110", "DenseNet", "WRN-28-10", "PyramidNet"}
BASELINE_SI_AG_SD = ["Baseline", "SFE - SI", "SFE - AG", "SFE - SD"]
#: The paper's tables as its text has them, copied by hand and apart from the manifests.
PRINTED: dict[str, tuple[list[str], str]] = {
    "table1": (
        BASELINE_SI_AG_SD,
        """
        ResNet-110      74.21 ± 0.35    76.80 ± 0.22    76.84 ± 0.25    76.24 ± 0.05
        ResNet-164      75.10 ± 0.15    77.33 ± 0.12    77.53 ± 0.13    77.68 ± 0.13
        SE-ResNet-110   76.38 ± 0.12    77.50 ± 0.01    77.59 ± 0.07    77.75 ± 0.11
        DenseNet        77.60 ± 0.13    78.41 ± 0.01    78.30 ± 0.05    78.34 ± 0.05
        WRN-28-10       79.30 ± 0.21    80.71 ± 0.10    80.66 ± 0.06    80.70 ± 0.01
        PyramidNet      81.54 ± 0.31    82.82 ± 0.04    82.63 ± 0.06    81.98 ± 0.03
        """,
    ),
    "table2": (
        BASELINE_SI_AG_SD,
        """
        CIFAR-10        94.59 ± 0.05    95.06 ± 0.06    94.99 ± 0.08    94.95 ± 0.03
        tiny-ImageNet   61.94 ± 0.06    63.79 ± 0.34    63.47 ± 0.28    63.04 ± 0.02
        """,
    ),
    "table3": (
        ["GPU memory (MiB)", "Training time (sec/iter)", "Single Accuracy (%)"],
        """
        baseline    2846 (+0.0%)    0.178 (+0.0%)    74.21 ± 0.35
        SFE         3455 (+21.3%)   0.221 (+24.1%)   76.80 ± 0.22
        SLA         9718 (+241.3%)  0.693 (+289.3%)  77.25 ± 0.03
        """,
    ),
    "table4": (
        ["Error Rate"],
        """
        ResNet110                       25.79
        + Cutout                        24.49
        + Cutout + SFE (ours)           22.59
        + Mixup                         22.30
        + Mixup + SFE (ours)            21.10
        + SLA                           19.71
        + SLA + SFE (ours)              19.53
        + Cutout + SLA                  19.43
        + Cutout + SLA + SFE (ours)     19.03
        """,
    ),
    "table5": (
        BASELINE_SI_AG_SD,
        """
        CUB200          69.17 ± 0.32    73.01 ± 0.36    72.26 ± 0.20    71.54 ± 0.38
        Stanford Dogs   56.96 ± 0.31    63.43 ± 0.01    63.58 ± 0.01    63.55 ± 0.02
        Stanford Cars   80.01 ± 0.56    85.18 ± 0.24    85.33 ± 0.27    84.11 ± 0.01
        """,
    ),
    "table6": (
        ["Layer1 SI", "Layer1 AG", "Layer2 SI", "Layer2 AG", "Layer3 SI", "Layer3 AG"],
        """
        K = 1 + 4   77.02 ± 0.13  77.27 ± 0.14  75.20 ± 0.02  75.34 ± 0.03  75.10 ± 0.06  75.16 ± 0.07
        K = 1 + 8   76.79 ± 0.10  76.90 ± 0.16  75.85 ± 0.07  76.23 ± 0.10  75.56 ± 0.18  75.58 ± 0.17
        K = 1 + 16  76.21 ± 0.11  76.22 ± 0.17  76.14 ± 0.04  76.27 ± 0.07  75.57 ± 0.07  75.60 ± 0.24
        K = 1 + 32  76.87 ± 0.08  76.89 ± 0.13  76.42 ± 0.08  76.36 ± 0.07  75.79 ± 0.08  75.83 ± 0.08
        """,
    ),
    "table7": (
        ["ResNet110 SI", "ResNet110 AG", "ResNet110 + SFE SI", "ResNet110 + SFE AG"],
        """
        1 Classifier    74.21 ± 0.35    74.21 ± 0.35    75.79 ± 0.08    75.83 ± 0.08
        2 Classifiers   75.34 ± 0.25    75.99 ± 0.07    76.80 ± 0.22    76.84 ± 0.25
        3 Classifiers   74.88 ± 0.28    74.75 ± 0.11    75.98 ± 0.03    75.88 ± 0.09
        """,
    ),
    # a picture without numbers; what is known of it stands in Table 1's row WRN-28-10
    "figure4": (["SI", "AG"], "beta = 0.1   80.71 ± 0.10   80.66 ± 0.06\nBaseline   79.30 ± 0.21"),
}


@cache
def paper(name: str) -> Suite:
    return load_suite(SUITES / f"{name}.yaml", load_variant("paper"))


def cell(suite: str, row: str, column: str) -> Cell:
    return next(found for found in paper(suite).cells if (found.row, found.column) == (row, column))


def training(suite: str, row: str, column: str) -> TrainSpec:
    spec = cell(suite, row, column).spec
    assert isinstance(spec, TrainSpec)
    return spec


def printed(name: str) -> dict[tuple[str, str], tuple[float, float | None, float | None]]:
    """(row, column) -> mean, spread, overhead in percent."""
    columns, text = PRINTED[name]
    found = {}
    for line in text.strip().splitlines():
        row, *numbers = re.split(r" {2,}", line.strip())
        for column, number in zip(columns, numbers, strict=False):
            parts = [float(part.strip("(+%)")) for part in number.split() if part != "±"]
            overhead = parts[1] if "%" in number else None
            found[row, column] = (parts[0], parts[1] if "±" in number else None, overhead)
    return found


# ------------------------------------------------------------------ what is published


@pytest.mark.parametrize("name", PRINTED)
def test_manifests_hold_the_printed_numbers_and_no_other(name: str) -> None:
    published = {
        (cell.row, cell.column): (cell.published.mean, cell.published.std, cell.published.overhead_percent)
        for cell in paper(name).cells
        if cell.published
    }
    assert published == printed(name)


def test_how_many_numbers_the_paper_prints() -> None:
    counts = {name: len(printed(name)) for name in PRINTED}
    assert counts == {
        "table1": 24,
        "table2": 8,
        "table3": 9,
        "table4": 9,
        "table5": 12,
        "table6": 24,
        "table7": 12,
        "figure4": 3,
    }


@pytest.mark.parametrize("name", [name for name in PRINTED if name.startswith("table")])
def test_rows_and_columns_are_named_and_ordered_as_printed(name: str) -> None:
    manifest = paper(name).manifest
    assert [column.name for column in manifest.columns] == PRINTED[name][0]
    rows = list(dict.fromkeys(row for row, _ in printed(name)))
    assert [row.name for row in manifest.rows if row.published] == rows


def test_rows_of_figure4() -> None:
    rows = [row.name for row in paper("figure4").manifest.rows]
    assert rows == [*(f"beta = {tenth / 10:.1f}" for tenth in range(11)), "Baseline"]
    assert [cell.column for cell in paper("figure4").cells if cell.row == "Baseline"] == ["SI"]


def test_only_one_row_is_added_to_the_tables() -> None:
    added = [
        (suite, row.name)
        for suite in PAPER_SUITES
        if suite != "figure4"
        for row in paper(suite).manifest.rows
        if not row.published
    ]
    assert added == [("table3", "SFE, pooled first")]


def test_repeated_numbers_agree_between_tables() -> None:
    values: dict[str, set[Published]] = {}
    for suite in (paper(name) for name in PAPER_SUITES if name != "table4"):
        for found in suite.cells:
            if found.published and not found.is_cost:
                what = "single" if found.spec.label.startswith("cifar100-resnet110-baseline") else found.reads
                values.setdefault(f"{run_id(found.spec)} {what}", set()).add(found.published)
    assert all(len(numbers) == 1 for numbers in values.values())


# ------------------------------------------------------------------ what each cell trains


@pytest.mark.parametrize(
    ("suite", "row", "column", "label"),
    [
        ("table1", "ResNet-110", "Baseline", "cifar100-resnet110-baseline-s0"),
        ("table1", "ResNet-110", "SFE - AG", "cifar100-resnet110-sfe-s0"),
        ("table1", "ResNet-110", "SFE - SD", "cifar100-resnet110-sfe-sd-s0"),
        ("table4", "+ SLA", "Error Rate", "cifar100-resnet110-sla-s0"),
        ("table4", "+ Cutout", "Error Rate", "cifar100-resnet110-baseline-cutout-s0"),
        ("table4", "+ Cutout + SLA + SFE (ours)", "Error Rate", "cifar100-resnet110-sla-sfe-cutout-s0"),
    ],
)
def test_cells_read_the_golden_runs(suite: str, row: str, column: str, label: str) -> None:
    name = run_id(cell(suite, row, column).spec)
    assert name.startswith(label)
    assert name in GOLDEN


@pytest.mark.parametrize("suite", ["table1", "table2", "table5"])
def test_single_and_aggregated_read_one_run_and_the_distilled_another(suite: str) -> None:
    for row in paper(suite).manifest.rows:
        baseline, single, aggregated, distilled = (cell(suite, row.name, column) for column in BASELINE_SI_AG_SD)
        assert [baseline.reads, single.reads, aggregated.reads, distilled.reads] == [
            "single",
            "single",
            "aggregated",
            "distilled",
        ]
        assert single.spec == aggregated.spec
        assert len({run_id(found.spec) for found in (baseline, single, distilled)}) == 3


def test_the_method_is_two_classifiers_and_nine_views_wherever_nothing_else_is_said() -> None:
    for suite in ("table1", "table2", "table5"):
        method = training(suite, paper(suite).manifest.rows[0].name, "SFE - SI").method
        assert (method.classifiers, method.views, method.distillation) == (2, 9, False)
        assert method.masks is not None
        assert (method.masks.grouping, method.masks.masked_fraction, method.masks.carry_from) == ("random", 1.0, None)


def test_table4_reports_the_last_heads_error() -> None:
    assert {found.reads for found in paper("table4").cells} == {"aggregated_final_head"}
    assert paper("table4").manifest.metric == "error"
    for found in paper("table4").cells:
        spec = training("table4", found.row, found.column)
        assert (spec.mixing.cutout_size == 8) == ("Cutout" in found.row)
        assert (spec.mixing.mixup_alpha == 1.0) == ("Mixup" in found.row)
        assert (spec.method.rotations == 4) == ("SLA" in found.row)
        assert (spec.method.masks is not None) == ("SFE" in found.row)


def test_table6_masks_where_and_as_often_as_it_says() -> None:
    for found in paper("table6").cells:
        method = training("table6", found.row, found.column).method
        stage = int(found.column[len("Layer")])
        assert method.masks is not None
        assert method.masks.views == int(found.row.rsplit(" ", 1)[1])
        assert method.masks.carry_from == (None if stage == 3 else stage)
        assert (method.classifiers, method.beta) == (1, None)


def test_table7_runs_its_one_classifier_at_k_33() -> None:
    one = training("table7", "1 Classifier", "ResNet110 + SFE SI")
    assert one == training("table6", "K = 1 + 32", "Layer3 SI")
    assert training("table7", "1 Classifier", "ResNet110 SI") == training("table1", "ResNet-110", "Baseline")
    assert training("table7", "2 Classifiers", "ResNet110 + SFE AG") == training("table1", "ResNet-110", "SFE - AG")
    for count in (2, 3):
        for column, views in (("ResNet110 SI", 1), ("ResNet110 + SFE SI", 9)):
            method = training("table7", f"{count} Classifiers", column).method
            assert (method.classifiers, method.views, method.beta) == (count, views, 0.5)


def test_figure4_sweeps_beta_and_shares_table1s_runs() -> None:
    for tenth in range(11):
        assert training("figure4", f"beta = {tenth / 10}", "SI").method.beta == tenth / 10
    assert training("figure4", "beta = 0.1", "AG") == training("table1", "WRN-28-10", "SFE - AG")
    assert training("figure4", "Baseline", "SI") == training("table1", "WRN-28-10", "Baseline")


def test_table3_measures_all_its_variants_in_one_run() -> None:
    costs = [found.spec for found in paper("table3").cells if found.is_cost]
    assert len(costs) == 8
    assert len({run_id(spec) for spec in costs}) == 1
    spec = costs[0]
    assert isinstance(spec, CostSpec)
    assert [(variant.name, variant.listing1) for variant in spec.variants] == [
        ("baseline", False),
        ("SFE", True),
        ("SLA", False),
        ("SFE, pooled first", False),
    ]
    assert spec.variants[1].method == spec.variants[3].method
    assert (spec.batch_size, spec.device) == (128, "any")


@pytest.mark.parametrize("profile", ["paper", "short", "reduced", "mini", "smoke"])
def test_all_cells_of_a_suite_stand_once(profile: str) -> None:
    for name in PAPER_SUITES:
        suite = load_suite(SUITES / f"{name}.yaml", load_variant(profile))
        assert max(Counter((found.row, found.column) for found in suite.cells).values()) == 1
        assert {found.suite for found in suite.cells} == {name} == {suite.name}
        assert suite.trials == (2 if profile == "smoke" else 4)


# ------------------------------------------------------------------ β


def test_beta_of_the_protocol_is_dropped_with_one_classifier_but_a_written_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (SUITES / "table1.yaml").read_text(encoding="utf-8").replace("suite: table1", "suite: mine")
    path.write_text(text.replace("{network: resnet110}", "{network: resnet110, method: {beta: 0.5}}"), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"rows\[0\]\.train\.method\.beta: has no meaning with one classifier"):
        load_suite(path, load_variant("paper"))
    assert training("table1", "ResNet-110", "Baseline").method.beta is None


# ------------------------------------------------------------------ --only


@pytest.mark.parametrize(
    ("patterns", "rows", "columns"),
    [
        (["ResNet-110"], {"ResNet-110"}, set(BASELINE_SI_AG_SD)),
        (["resnet-110"], {"ResNet-110"}, set(BASELINE_SI_AG_SD)),
        (["*RESNET-1?0"], {"ResNet-110", "SE-ResNet-110"}, set(BASELINE_SI_AG_SD)),
        (["baseline"], MODELS, {"Baseline"}),
        (["[dw]*"], {"DenseNet", "WRN-28-10"}, set(BASELINE_SI_AG_SD)),
        (["*"], MODELS, set(BASELINE_SI_AG_SD)),
    ],
)
def test_only_matches_whole_names_in_any_case(patterns: list[str], rows: set[str], columns: set[str]) -> None:
    cells = select(paper("table1"), patterns)
    assert {found.row for found in cells} == rows
    assert {found.column for found in cells} == columns


def test_several_patterns_add_up() -> None:
    cells = select(paper("table1"), ["DenseNet", "SFE - SD"])
    assert len(cells) == 4 + 6 - 1


@pytest.mark.parametrize("pattern", ["ResNet", "SFE", "Base", "", "ResNet-110 "])
def test_a_part_of_a_name_matches_nothing(pattern: str) -> None:
    assert select(paper("table1"), [pattern]) == ()


def test_a_name_with_brackets_means_itself_and_a_cell_is_a_row_and_a_column(tmp_path: Path) -> None:
    rows = ("Base [K=9]", "Base K", "a / b", "*")
    text = (SUITES / "table7.yaml").read_text(encoding="utf-8")
    tree = yaml.safe_load(text) | {"suite": "mine", "claims": [], "rows": [{"name": name} for name in rows]}
    tree["columns"] = [{"name": name, "reads": "single"} for name in ("SI", "AG [4]")]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(tree))
    suite = load_suite(tmp_path / "mine.yaml", load_variant("smoke"))

    def selected(*patterns: str) -> set[tuple[str, str]]:
        return {(cell.row, cell.column) for cell in select(suite, patterns)}

    assert selected("base [k=9]") == {(row, column) for row in rows[:2] for column in ("SI", "AG [4]")}, "glob and name"
    assert selected("Base [[]K=9]") == {("Base [K=9]", "SI"), ("Base [K=9]", "AG [4]")}
    assert selected("Base [JK]") == {("Base K", "SI"), ("Base K", "AG [4]")}
    assert selected("Base K / SI") == {("Base K", "SI")}
    assert selected("base * / AG [4]") == {("Base [K=9]", "AG [4]"), ("Base K", "AG [4]")}
    assert selected("a / b") == {("a / b", "SI"), ("a / b", "AG [4]")}
    assert len(selected("*")) == 8
