#!/usr/bin/env python
"""Reproduce the tables and figures of the SFE paper: ``python run_suite.py table1``."""

import sys

if __name__ == "__main__":  # in here: processes that decode images load this file, and need nothing of it
    if sys.platform == "win32":  # before anything that Windows lacks is imported
        print(
            "error: this program needs Linux or macOS; on Windows run it inside WSL, which is a Linux", file=sys.stderr
        )
        sys.exit(2)
    from benchmark.entry import main

    main()
