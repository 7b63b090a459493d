"""Figures: a table, or activation maps, as PNG and SVG."""
