#!/usr/bin/env python
"""Reproduce the tables and figures of the SFE paper: ``python run_suite.py table1``."""

import os
import sys

# Of `python -m run_suite`: helpers are to load this file by its place too.
__spec__ = None  # type: ignore[assignment]
_ROOT = os.path.dirname(os.path.realpath(__file__))
if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # this folder: a file that lies here takes no module's place
# The code is the package beside this file and no other, whatever the environment says or has imported already.
for _name in [name for name in sys.modules if name.partition(".")[0] == "benchmark"]:
    del sys.modules[_name]
sys.path.insert(0, _ROOT)
from benchmark.entry.start import main

del sys.path[0]

if __name__ == "__main__":  # processes that decode images load this file, and need nothing of it
    if sys.platform == "win32":  # before anything that Windows lacks is imported
        print(
            "error: this program needs Linux or macOS; on Windows run it inside WSL, which is a Linux", file=sys.stderr
        )
        sys.exit(2)
    main()
