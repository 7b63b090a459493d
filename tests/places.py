"""Where the tests' own files lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Results of every schema version.
GOLDEN = ROOT / "tests" / "golden"
