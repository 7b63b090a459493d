#!/usr/bin/env python
"""Reproduce the tables and figures of the SFE paper: ``python run_suite.py table1``."""

if __name__ == "__main__":
    from benchmark.cli import main  # in here: processes that decode images load this file, and need nothing of it

    main()
