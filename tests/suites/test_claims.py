"""The paper's claims as the manifests declare them, and claims of one's own."""

import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.errors import ManifestError
from benchmark.reports.judged import judge_suite
from benchmark.reports.questions import questions_of
from benchmark.results.store import Store
from benchmark.results.trials import Trials
from benchmark.runs.spec import TrainSpec, run_id
from benchmark.suites.claims import Claim
from benchmark.suites.manifest import PAPER_SUITES, load_manifest
from benchmark.suites.profiles import load_variant
from benchmark.suites.suite import Suite, load_suites
from benchmark.system.paths import SUITES
from benchmark.verdicts.questions import Question

MODELS = [
    "ResNet-110", "ResNet-164", "SE-ResNet-110", "DenseNet", "WRN-28-10", "PyramidNet",
    "CIFAR-10", "tiny-ImageNet", "CUB200", "Stanford Dogs", "Stanford Cars",
]  # fmt: skip


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return load_suites([SUITES / f"{name}.yaml" for name in PAPER_SUITES], load_variant("paper"))


@pytest.fixture(scope="module")
def questions(suites: list[Suite], tmp_path_factory: pytest.TempPathFactory) -> list[Question]:
    trials = Trials(Store(tmp_path_factory.mktemp("results")))
    judged = [judge_suite(suite, trials) for suite in suites]
    return questions_of(judged, judged)


def labels(questions: list[Question], claim: str, *kinds: str) -> list[str]:
    return [q.label for q in questions if q.claim == claim and (not kinds or q.kind in kinds)]


def test_thirteen_claims_in_88_counted_parts(questions: list[Question]) -> None:
    counted = Counter(q.claim for q in questions if q.kind != "shown")
    assert list(counted) == ["1", "2", "3", "4", "5", "6", "7", "8a", "8b", "8c", "9a", "9b", "10"]
    assert list(counted.values()) == [11, 11, 11, 4, 1, 5, 3, 16, 4, 2, 10, 8, 2]
    assert len({(q.claim, q.label) for q in questions}) == len(questions) == 99


def test_labels_and_their_order(questions: list[Question]) -> None:
    for claim in ("1", "2"):
        assert labels(questions, claim) == MODELS
    assert labels(questions, "3") == [*MODELS, *(f"{model}: SD - SI" for model in MODELS)]
    assert labels(questions, "4") == ["SFE time", "SFE memory", "SLA time", "SLA memory"]
    assert labels(questions, "5") == ["ResNet-110"]
    assert labels(questions, "6") == ["Cutout", "Mixup", "SLA", "Cutout + SLA", "Lowest error"]
    assert labels(questions, "7") == ["Stanford Dogs", "ResNet-110", "Layer1 K = 1 + 4"]
    assert labels(questions, "8a")[:4] == [
        f"{pair}, K = 1 + 4 {column}"
        for column in ("SI", "AG")
        for pair in ("Layer1 over Layer2", "Layer2 over Layer3")
    ]
    assert labels(questions, "8b") == ["Layer2 SI", "Layer2 AG", "Layer3 SI", "Layer3 AG"]
    assert labels(questions, "8c") == ["Layer1 SI", "Layer1 AG"]
    assert labels(questions, "9a")[::2] == [
        "2 over 1 SI", "2 over 3 SI", "2 over 1 with SFE, K = 1 + 32 SI", "2 over 1 with SFE, K = 1 + 8 SI",
        "2 over 3 with SFE SI",
    ]  # fmt: skip
    assert labels(questions, "9b")[1::2] == [
        "1 classifier, K = 1 + 32 AG", "1 classifier, K = 1 + 8 AG", "2 classifiers AG", "3 classifiers AG"
    ]  # fmt: skip
    assert labels(questions, "10") == ["SI", "AG"]


def places(question: Question) -> list[tuple[str, str, str]]:
    return [(cell.suite, cell.row, cell.column) for cell in question.cells]


def test_what_some_parts_compare(questions: list[Question]) -> None:
    found = {(q.claim, q.label): q for q in questions}
    assert places(found["1", "Stanford Cars"]) == [
        ("table5", "Stanford Cars", "SFE - SI"), ("table5", "Stanford Cars", "Baseline")
    ]  # fmt: skip
    assert places(found["7", "Layer1 K = 1 + 4"]) == [
        ("table6", "K = 1 + 4", "Layer1 AG"), ("table1", "ResNet-110", "Baseline")
    ]  # fmt: skip
    lowest = found["6", "Lowest error"]
    assert len(lowest.cells) == 9
    assert lowest.cells[0].row == "+ Cutout + SLA + SFE (ours)"
    assert [cell.row for cell in found["8c", "Layer1 SI"].cells] == [f"K = 1 + {k}" for k in (4, 8, 16, 32)]
    assert found["8b", "Layer3 AG"].settings == (5, 9, 17, 33)
    assert found["10", "SI"].settings == tuple(n / 10 for n in range(11))
    assert found["10", "AG"].settings == tuple(n / 10 for n in range(1, 11))
    assert (found["8b", "Layer2 SI"].rising, found["10", "SI"].rising) == (True, False)
    assert (found["2", "CIFAR-10"].bound, found["2", "ResNet-110"].bound) == (0.25, 0.5)
    assert found["5", "ResNet-110"].bound == 1.0
    cost = found["4", "SLA memory"].cost
    assert cost is not None
    assert (cost.printed_percent, cost.percent) == (241.3, None)


def test_the_assumed_spread_is_the_median_of_the_printed_ones(suites: list[Suite]) -> None:
    spreads = {}
    for suite in suites:
        if suite.name not in ("table1", "table3", "table6", "table7"):
            continue
        for cell in suite.cells:
            spec = cell.spec
            if isinstance(spec, TrainSpec) and spec.network.label == "resnet110" and cell.published:
                plain = spec.method.views * spec.method.classifiers == 1
                spreads[run_id(spec), "single" if plain else cell.reads] = cell.published.std
    printed = [spread for spread in spreads.values() if spread is not None]
    assert len(printed) == 35
    table4 = load_manifest(SUITES / "table4.yaml")
    assert table4.assumed_std == statistics.median(printed)
    assert table4.rows[0].assumed_std == 0.35


# ------------------------------------------------------------------ mistakes


def refused(tmp_path: Path, claims: Any, **changes: Any) -> str:
    """What loading says, before anything runs."""
    tree = yaml.safe_load((SUITES / "table2.yaml").read_text()) | {"suite": "mine", "claims": claims} | changes
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(ManifestError) as error:
        load_suites([path], load_variant("paper"))
    return str(error.value)


def one(**part: Any) -> list[dict[str, Any]]:
    return [{"claim": "x", "statement": "said", "parts": [{"kind": "greater", "label": "part", **part}]}]


A, B = ["CIFAR-10", "SFE - SI"], ["CIFAR-10", "Baseline"]
GOOD = one(a=A, b=B)[0]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (one(a=A), "claims[0].parts[0]"),
        (one(a=A, b=["CIFAR-11", "Baseline"]), "mine has no cell at row 'CIFAR-11', column 'Baseline'"),
        (one(a=A, b=["CIFAR-10", "Baselin"]), "mine has no cell at row 'CIFAR-10', column 'Baselin'"),
        (one(a=A, b=["table3", "SFE", "GPU memory (MiB)"]), "table3 has no score at row 'SFE'"),
        (one(a=A, b="Baseline"), "names a column; say which row"),
        (one(a=A, b=["table9", "CIFAR-10", "Baseline"]), "there is no suite 'table9'"),
        (one(a=A, b=B, margins=1.0), "has no meaning for kind greater"),
        (one(a=A, b=["Baseline"]), "is a column, or [row, column], or [suite, row, column]"),
        (one(kind="within", a=A, b=B), "is needed for kind within"),
        (one(kind="ratio", a=A), "has no cost at row 'CIFAR-10'"),
        (one(kind="ratio", a=["table3", "SFE, pooled first", "GPU memory (MiB)"]), "table3 prints no overhead at"),
        (one(kind="better", a=A, b=B), "claims[0].parts[0]"),
        (one(a=A, b=A), "compares a cell with itself"),
        (one(a=A, b=["table4", "ResNet110", "Error Rate"]), "compares accuracies with errors"),
        (one(label="{row}", a=A, b=B), "a part needs a label"),
        ([{"claim": "x", "statement": "s", "parts": [{"kind": "greater", "a": A, "b": B}]}], "a part needs a label"),
        ([{"claim": "x", "statement": "said", "parts": GOOD["parts"] * 2}], "two parts are called 'part'"),
        ([GOOD, {**GOOD, "statement": "otherwise"}], "claims[1]: 'x' is the number of a claim above too"),
        ([{"claim": "x", "statement": "said", "parts": []}], "claims[0].parts"),
        ([{"claim": "a b", "statement": "said", "parts": [{"kind": "greater", "a": A, "b": B}]}], "claims[0].claim"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, claims: Any, words: str) -> None:
    text = refused(tmp_path, claims)
    assert str(tmp_path / "mine.yaml") in text
    assert words in text, text


@pytest.mark.parametrize("printed", [None, "95.0"])
def test_a_size_needs_what_the_paper_prints_of_both(tmp_path: Path, printed: str | None) -> None:
    train = {"dataset": "cifar10", "network": "resnet110"}
    rows = [{"name": "CIFAR-10", "train": train, "published": [printed, "96.0 ± 0.1", None, None]}]
    claims = one(kind="size", a=A, b=B)
    assert "whose printed numbers or spreads are missing" in refused(tmp_path, claims, rows=rows)


def test_a_claim_of_ones_own() -> None:
    claim = Claim.model_validate(one(a=A, b=B)[0])
    ((part, suite, row),) = claim.spread_out("mine", {"mine": ("CIFAR-10",)})
    assert part.places(suite, row) == (("mine", *A), ("mine", *B))
