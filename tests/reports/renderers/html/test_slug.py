from benchmark.reports.renderers.html.slug import addresses, part
from benchmark.suites.manifest import find_manifests, load_manifest, suite_names
from tests.places import ROOT


def test_spaces_around_an_equals_sign_go_and_other_signs_become_hyphens() -> None:
    assert part("K = 1 + 4") == "K=1-4"
    assert part("+ Cutout + SFE (ours)") == "Cutout-SFE-ours"
    assert part("beta = 0.3") == "beta=0.3"
    assert part("±") == "-"


def test_of_two_alike_the_later_gets_a_number() -> None:
    found = addresses([("a", "x y", "z"), ("a", "x-y", "z"), ("a", "x+y", "z")])
    assert list(found.values()) == ["a/x-y/z", "a/x-y/z-2", "a/x-y/z-3"]


def every_address() -> list[str]:
    """Those of all suites of the project."""
    manifests = [load_manifest(path) for path in find_manifests(suite_names())]
    return list(
        addresses(
            (manifest.suite, row.name, column.name)
            for manifest in manifests
            for row in manifest.rows
            for column in manifest.columns
            if row.columns is None or column.name in row.columns
        ).values()
    )


def test_addresses_that_people_have_kept_stay_as_they_are() -> None:
    kept = (ROOT / "tests/reports/renderers/html/addresses.txt").read_text(encoding="utf-8").split("\n")[:-1]
    found = every_address()
    assert len(set(found)) == len(found)
    assert set(kept) <= set(found)
    assert {"table1/ResNet-110/SFE-SI", "table6/K=1-4/Layer1-SI", "figure4/beta=0.3/AG"} <= set(kept)
