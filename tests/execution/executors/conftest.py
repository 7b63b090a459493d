from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import labs


@pytest.fixture(scope="package")
def slurm_lab() -> Iterator[Path]:
    """A real Slurm for all tests of this folder."""
    with labs.slurm() as settings:
        yield settings


@pytest.fixture(scope="package")
def ray_lab() -> Iterator[labs.Ray]:
    """A real Ray likewise."""
    with labs.ray() as lab:
        yield lab
