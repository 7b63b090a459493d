"""Where the parts of this project lie (floor 0). Nothing else counts folders upwards."""

from pathlib import Path

#: The code.
PACKAGE = Path(__file__).resolve().parent
#: The checkout, with ``run_suite.py``.
ROOT = PACKAGE.parent
#: The manifests, and the profiles below them.
SUITES = ROOT / "suites"
PROFILES = SUITES / "profiles"
