from benchmark.reports.notes import Span
from benchmark.reports.notices import notices
from benchmark.reports.sentences import BEST_EPOCH, NO_GAINS
from benchmark.reports.table import tabulate
from benchmark.results.store import Store
from benchmark.runs.metrics import PROCESS_MEMORY
from benchmark.suites.suite import Suite
from tests.reports.fakes import cell, judged, measure, paper, train, under


def said(suite: Suite, store: Store) -> list[tuple[Span, ...]]:
    return notices(suite, tabulate(judged(suite, store)))


def test_the_profile_and_what_is_laid_over_it_are_code(store: Store) -> None:
    plain, *_ = said(paper("table1"), store)
    assert plain[:2] == (Span("Profile "), Span("paper", "code"))
    choice = said(paper("table1", ["beta_on=last", "aggregate=probabilities"]), store)[1]
    assert choice == (
        Span("Laid over it: "), Span("aggregate=probabilities", "code"), Span(", "), Span("beta_on=last", "code"),
        Span("."),
    )  # fmt: skip
    own = said(paper("table1", ["schedule.epochs=6"]), store)
    assert own[1][-1] == Span(", which makes it a protocol of its own.")
    assert Span("Not comparable with the paper's numbers.", "strong") in own[2]


def test_what_must_be_known_of_cells_is_said_where_it_matters(store: Store) -> None:
    suite = paper("table1")
    assert (Span(NO_GAINS),) not in said(suite, store)
    train(store, cell(suite, "ResNet-110", "Baseline"), [74.0, 74.2])
    assert (Span(NO_GAINS),) in said(suite, store)
    assert (Span(BEST_EPOCH, "strong"),) in said(paper("table1", ["epoch_reported=best"]), store)
    assert (Span(BEST_EPOCH, "strong"),) not in said(suite, store)
    standin = "Trained on generated stand-in images, not on CIFAR-100."
    assert (Span(standin, "strong"),) in said(under("smoke", "table1"), store)


def test_memory_of_a_process_is_not_the_papers(store: Store) -> None:
    suite = paper("table3")
    measure(store, suite, device="A <CPU>", kind=PROCESS_MEMORY)
    found = said(suite, store)
    assert (Span("Memory and time measured on: A <CPU>."),) in found
    assert any(Span("not comparable with the paper's overhead of GPU memory", "strong") in note for note in found)
    measure(store, suite, device="A GPU", scale=0.5)
    assert (Span("Memory is the peak of torch's allocator."),) in said(suite, store)
