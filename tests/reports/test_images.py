"""Reports tell on how many images was trained, and which test images were among them."""

from pathlib import Path
from typing import Any

import pytest

from benchmark.reports.images import train_images
from benchmark.reports.renderers import markdown, tidy_csv
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.spec import with_seed
from tests.made import MACHINE, result, spec
from tests.reports.fakes import judged, own

MINE = {"name": "mine", "source": "folder", "classes": 2, "input_size": 16}


def images(train: int, test: int = 4, copies: int = 0) -> dict[str, Any]:
    return {"provenance": {**MACHINE, "images": {"train": train, "test": test, "test_in_train": copies}}}


def report(tmp_path: Path, *trials: dict[str, Any], dataset: object = MINE) -> tuple[str, str]:
    """The Markdown and the CSV of a manifest of one's own, of whose one cell there are these trials."""
    defaults = {"dataset": dataset, "network": {"family": "resnet", "depth": 11}}
    columns = [{"name": "Plain", "reads": "single"}]
    suite = own(tmp_path, "mini", defaults=defaults, columns=columns, rows=[{"name": "one"}], best="none")
    store = Store(tmp_path / "results")
    for seed, changes in enumerate(trials):
        store.put(result(with_seed(suite.cells[0].spec, seed), **changes))  # type: ignore[arg-type]
    return markdown.render(suite, tabulate(judged(suite, store))), tidy_csv.render(judged(suite, store))


def test_the_count_is_that_of_the_images_there_were(tmp_path: Path) -> None:
    text, table = report(tmp_path, images(8), images(8))
    assert "Trained here: resnet11; 8 training images; 16 pixels; 6 epochs. " in text
    assert "10,000" not in text
    assert ",8,," in table
    assert "among the training images" not in text


def test_trials_on_different_numbers_name_each(tmp_path: Path) -> None:
    assert "; 8 or 12,345 training images; " in report(tmp_path, images(8), images(12_345))[0]


def test_copies_among_the_test_images_are_a_note(tmp_path: Path) -> None:
    text, table = report(tmp_path, images(50_000, 10_000, 10), dataset="cifar100")
    assert "- CIFAR-100: 10 of 10,000 test images are also among the training images, pixel for pixel." in text
    assert ",50000,10 of 10000," in table


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"name": "cifar100"}, "50000"),
        ({"name": "cifar100", "train_images": 10_000}, "10000"),
        ({"name": "cub200"}, "5994"),
        ({"name": "cub200", "train_images": 2000}, "up to 2000"),
        ({"name": "cifar100", "source": "folder", "train_images": 100}, "up to 100"),
        ({"name": "cifar100", "source": "standin", "train_images": 60, "test_images": 9}, "60"),
        ({**MINE, "train_images": 10_000}, "up to 10000"),
        (MINE, "all"),
    ],
)
def test_results_of_before_it_was_counted_claim_no_more_than_is_sure(dataset: dict[str, Any], said: str) -> None:
    assert train_images([result(spec(dataset=dataset))]) == said


def test_images_that_nobody_counted_are_those_of_the_set() -> None:
    assert train_images([result(spec(), provenance={**MACHINE, "images": None})]) == "50000"
