import pytest

from benchmark.results.store import Result
from tests.execution.place import Place, spec_of


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What the two-epoch run gives."""
    place = Place(tmp_path_factory.mktemp("undisturbed"), spec_of())
    assert place.run() == 0
    return place.result()
