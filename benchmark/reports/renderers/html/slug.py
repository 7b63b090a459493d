"""Addresses within the page: ``table1/ResNet-110/SFE-SI``. People keep links to them, so they never change."""

import re
from collections.abc import Iterable, Mapping

Place = tuple[str, str, str]

_EQUALS = re.compile(r"\s*=\s*")
_OTHERS = re.compile(r"[^A-Za-z0-9.=]+")


def part(name: str) -> str:
    """One part of an address: ``K = 1 + 4`` becomes ``K=1-4``."""
    return _OTHERS.sub("-", _EQUALS.sub("=", name)).strip("-") or "-"


def addresses(places: Iterable[Place]) -> Mapping[Place, str]:
    """An address for every (suite, row, column), in the order given; of two alike the later one gets ``-2``."""
    found: dict[Place, str] = {}
    taken: set[str] = set()
    for place in places:
        wanted = "/".join(map(part, place))
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name)
        found[place] = name
    return found
