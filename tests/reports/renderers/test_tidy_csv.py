import csv
import io

from benchmark.reports.renderers import tidy_csv
from benchmark.results.store import Store
from tests.reports.fakes import cell, judged, measure, paper, train


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_numbers_are_rounded_and_unknown_ones_empty(store: Store) -> None:
    suite = paper("table1")
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.1, 74.1])
    text = tidy_csv.render(judged(suite, store))
    first, second = rows_of(text)[:2]
    assert (first["mean"], first["std"], first["trials"]) == ("74.0667", "0.0577", "3")
    assert (first["published_mean"], first["published_std"]) == ("74.21", "0.35")
    assert (second["metric"], second["published_mean"]) == ("accuracy_best_epoch", "")
    assert rows_of(text)[2]["mean"] == ""
    assert "nan" not in text.lower()
    assert "\r" not in text


def test_short_steps_keep_their_digits(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, scale=0.01234567)
    found = [row for row in rows_of(tidy_csv.render(judged(suite, store))) if row["metric"] == "seconds_per_step"]
    assert found[0]["mean"] == "0.001235"
