"""Execution: planned runs go through an executor to a worker each, and come back as results."""
