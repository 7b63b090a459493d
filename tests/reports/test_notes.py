"""Notes keep what is anybody's text apart from what renderers decorate."""

from pathlib import Path

from benchmark.reports.notes import Span, notes
from benchmark.reports.renderers.markdown_text import in_markdown
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.spec import with_seed
from tests.made import MACHINE, result
from tests.reports.fakes import judged, own, train

VERIFY = Span("python run_suite.py verify", "code")


def test_the_manifests_own_come_first_as_they_are(store: Store, tmp_path: Path) -> None:
    suite = own(tmp_path, footnotes=[" A *note* with <marks>. "])
    found = notes(suite.manifest.footnotes, tabulate(judged(suite, store)))
    assert found == [(Span("A *note* with <marks>."),)]


def test_files_are_code_and_many_are_counted(store: Store, tmp_path: Path) -> None:
    suite = own(tmp_path)
    train(store, suite.cells[0], [70.0] * 6)
    for name in store.completed():
        store.path(name).write_text("{")
    (found,) = notes([], tabulate(judged(suite, store)))
    files = [span for span in found if span.kind == "code" and span != VERIFY]
    assert found[0] == Span("Not counted", "strong")
    assert {span.text for span in files} < {f"{name}.json" for name in store.completed()}
    assert (len(files), Span(" and 2 more") in found, found[-2]) == (4, True, VERIFY)


def test_mixtures_are_typed_until_they_are_told(store: Store, tmp_path: Path) -> None:
    suite = own(tmp_path)
    for seed, device in enumerate(("a; code, GPU", "B")):
        spec = with_seed(suite.cells[0].spec, seed)
        store.put(result(spec, provenance={**MACHINE, "device": device}))  # type: ignore[arg-type]
    table = tabulate(judged(suite, store))
    assert list(table.mixed) == [(("device", ("B", "a; code, GPU")),)]
    (found,) = notes([], table)
    assert found == (Span("Mixed trials", "strong"), Span(" in one / SI: device B, a; code, GPU."))


def test_markdown_escapes_text_and_decorates_kinds() -> None:
    note = (Span("<b>", "strong"), Span(" of "), Span("a`b", "code"), Span(" and *c*"))
    assert in_markdown(note) == r"**&lt;b&gt;** of `a'b` and \*c\*"
