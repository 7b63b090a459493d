from pathlib import Path

import pytest

from benchmark.system.paths import PACKAGE, PROFILES, SUITES
from tests.places import ROOT


def test_the_code_under_test_is_this_checkouts() -> None:
    assert ROOT / "benchmark" == PACKAGE
    assert (ROOT / "suites", ROOT / "suites" / "profiles") == (SUITES, PROFILES)


@pytest.mark.parametrize(("folder", "known"), [(PACKAGE, "paths"), (ROOT / "tests", "places")])
def test_one_module_knows_where_it_lies(folder: Path, known: str) -> None:
    word = "Path(" + "__file__)"  # in two pieces, or it would stand here too
    assert [path.stem for path in folder.rglob("*.py") if word in path.read_text(encoding="utf-8")] == [known]
