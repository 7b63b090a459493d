"""Reproducibility benchmark for *Self-supervised Feature Enhancement* (SFE).

The rooms of the house, and what may import what, are described in ``docs/architecture.md``. For people who compute,
``benchmark.read_results``, ``read_trials`` and ``read_claims`` give tidy frames (docs/statistics.md), and
``load_network`` the network of a file that ``--keep-weights`` wrote.
"""

from typing import Any

__version__ = "0.1.0"

_FRAMES = ("read_results", "read_trials", "read_claims")


def __getattr__(name: str) -> Any:
    """The functions of :mod:`benchmark.reports.frames` and ``load_network``; pandas or torch is imported for them."""
    if name == "load_network":
        from benchmark.training.weights import load_network

        return load_network
    if name in _FRAMES:
        from benchmark.reports import frames

        return getattr(frames, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
