"""Reports: results on disk and published numbers side by side, as CSV, Markdown and plots.

Nothing is imported here, so that only a command that makes reports pays for pandas and matplotlib.
"""
