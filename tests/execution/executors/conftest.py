from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import labs


@pytest.fixture(scope="package")
def slurm_lab() -> Iterator[Path]:
    """A real Slurm for all tests of this folder."""
    with labs.slurm() as settings:
        yield settings
