"""What somebody must know before reading a number, as text whose parts have a kind each."""

from collections.abc import Iterator

from benchmark.reports.commands import setting_words
from benchmark.reports.notes import Note, Span
from benchmark.reports.numbers import MISSING
from benchmark.reports.sentences import BEST_EPOCH, NO_GAINS, NOT_ROBUST
from benchmark.reports.table import Table
from benchmark.runs.catalogue import DATASETS
from benchmark.runs.metrics import PROCESS_MEMORY
from benchmark.suites.profiles import Variant
from benchmark.suites.suite import Suite


def notices(suite: Suite, table: Table) -> list[Note]:
    """Sentences on profile and settings, on what a cell shows, on images and on what was measured."""
    return [*_on_profile(suite.variant), *_on_cells(suite.variant, table), *_on_images(suite), *_on_costs(table)]


def _on_profile(variant: Variant) -> Iterator[Note]:
    profile = variant.profile
    yield Span("Profile "), Span(profile.profile, "code"), Span(f": {profile.about}")
    if over := setting_words(variant):
        spans: list[Span] = []
        for word in over:
            spans += [Span(", "), Span(word, "code")]
        end = "." if variant.keeps_protocol else ", which makes it a protocol of its own."
        yield Span("Laid over it: "), *spans[1:], Span(end)
    if variant.epoch_reported == "best":
        yield (Span(BEST_EPOCH, "strong"),)


def _on_cells(variant: Variant, table: Table) -> Iterator[Note]:
    legend = "ours mean ± std (n trials)"
    if not variant.against_paper:
        yield Span(f"Trained here: {table.trained}. "), Span("Not comparable with the paper's numbers.", "strong")
        yield (Span(f"Each cell: {legend}; {MISSING} where no run is complete yet."),)
        return
    yield (Span(f"Each cell: {legend}, below it the paper's; {MISSING} where no run is complete yet."),)
    if any(cell.verdict and cell.verdict.word != "no verdict" for cell in table.cells.values()):
        yield (Span(NO_GAINS),)
        yield (Span(f"! means strongly, {NOT_ROBUST} another verdict under another reading of ±."),)


def _on_images(suite: Suite) -> Iterator[Note]:
    used = {cell.spec.dataset.name for cell in suite.cells if cell.spec.dataset.source == "standin"}
    if used:
        titles = " or ".join(facts.title for name, facts in DATASETS.items() if name in used)
        yield (Span(f"Trained on generated stand-in images, not on {titles}.", "strong"),)


def _on_costs(table: Table) -> Iterator[Note]:
    """Which memory stands in the table, the paper's being a GPU's, and how steps were timed."""
    if not table.measured_on:
        return
    kind = table.memory_kind or "unknown"
    yield (Span(f"Memory and time measured on: {table.measured_on}."),)
    if kind == PROCESS_MEMORY:
        text = f"Memory is the {kind}, interpreter and torch included: that dilutes the overhead, so it is "
        yield Span(text), Span("not comparable with the paper's overhead of GPU memory", "strong"), Span(".")
    else:
        yield (Span(f"Memory is the {kind}."),)
    if table.time_kind:
        yield (Span(f"Steps were timed {table.time_kind}."),)
