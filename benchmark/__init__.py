"""Reproducibility benchmark for *Self-supervised Feature Enhancement* (SFE).

The rooms of the house, and what may import what, are described in ``docs/architecture.md``.
"""

__version__ = "0.1.0"
