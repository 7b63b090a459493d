"""Audit: results on disk checked, and those of another machine brought in."""
