"""Where the results behind a cell come from: machines, versions and code; how a measurement was made."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.results.plausible import is_number
from benchmark.results.store import Result
from benchmark.runs.metrics import KEPT, PROCESS_MEMORY

#: A commit, of which twelve digits are enough to find it.
_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")

#: What differs, each with its values.
Mixture = tuple[tuple[str, tuple[str, ...]], ...]


def mixture(results: Sequence[Result]) -> Mixture:
    """What trials of one cell, and the sessions of each, should share and don't; empty where they do."""
    origins = [result.provenance.origin() for result in results]
    names = list(origins[0]) if origins else []
    found = {name: sorted({value for one in origins for value in one[name]}) for name in names}
    differing = {name: values for name, values in found.items() if len(values) > 1}
    return tuple((name, tuple(_COMMIT.sub(r"\1", value) for value in values)) for name, values in differing.items())


def in_words(found: Mixture) -> str:
    """For instance ``device A, B; torch 2.11, 2.15``."""
    return "; ".join(f"{name} {', '.join(values)}" for name, values in found)


def mixed(results: Sequence[Result]) -> str | None:
    """The same in words; None where trials share it all."""
    return in_words(mixture(results)) or None


def code_doubted(results: Sequence[Result]) -> tuple[str, ...]:
    """The files whose code nobody can look up for certain."""
    return tuple(f"{result.run_id}.json" for result in results if result.provenance.code_doubt())


def memory_kind(cost: Mapping[str, Any]) -> str:
    """Which memory a measurement is of."""
    return str(cost.get("memory_kind", "unknown"))


def time_kind(cost: Mapping[str, Any]) -> str | None:
    """How the memory of timed steps was handled, where a processor took them; None of a GPU, whose torch keeps it."""
    if cost.get("memory_kind") != PROCESS_MEMORY:
        return None
    shares = cost.get("system_share")
    most = max(filter(is_number, shares.values()), default=None) if isinstance(shares, dict) else None
    if cost.get("freed_memory") != KEPT or most is None:
        return (
            "while freed memory went back to the system, whose handing it out again is part of the time, the more of "
            "it the larger a method's tensors"
        )
    return (
        f"with freed memory kept, as trainings keep it; the system had at most {most:.0%} of a method's processor time"
    )
