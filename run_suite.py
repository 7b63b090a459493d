#!/usr/bin/env python
"""Reproduce the tables and figures of the SFE paper: ``python run_suite.py table1``."""

from benchmark.cli import main

if __name__ == "__main__":
    main()
