"""Backbones as lists of stages, and their seeded initialisation."""
