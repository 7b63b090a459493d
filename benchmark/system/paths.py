"""Where the parts of this project lie. Nothing else counts folders upwards."""

from pathlib import Path

#: The code.
PACKAGE = Path(__file__).resolve().parent.parent
#: What an installed copy carries in place of the checkout's ``suites``.
_SHIPPED = PACKAGE / "shipped"
#: Whether this is a copy that pip made, and no checkout.
INSTALLED = _SHIPPED.is_dir()
#: The checkout, with ``run_suite.py``.
ROOT = PACKAGE.parent
#: The manifests, and the profiles below them.
SUITES = _SHIPPED if INSTALLED else ROOT / "suites"
PROFILES = SUITES / "profiles"
#: Where results and reports lie, if nobody says otherwise.
HOME = Path() if INSTALLED else ROOT
