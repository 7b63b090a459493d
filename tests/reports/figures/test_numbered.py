import pytest

from benchmark.reports.figures.numbered import row_number, row_variable, x_scale


@pytest.mark.parametrize(
    ("row", "number", "variable"),
    [
        ("beta = 0.3", 0.3, "β"),
        ("lr = -1", -1.0, "lr"),
        ("lr = +2", 2.0, "lr"),
        ("K = 1 + 8", 9.0, "K"),
        ("2 Classifiers", 2.0, None),
        ("ResNet-110", None, None),
    ],
)
def test_numbers_of_rows(row: str, number: float | None, variable: str | None) -> None:
    assert row_number(row) == number
    assert row_variable(row) == variable


def test_doubling_numbers_stand_at_equal_distances() -> None:
    x = x_scale([4, 8, 16, 32], 0, 100, 0)
    assert x(8) - x(4) == pytest.approx(x(32) - x(16))
    assert x_scale([0.0, 0.5, 1.0], 0, 100, 0)(0.5) == pytest.approx(50)
    assert x_scale([3.0], 0, 100, 0)(3.0) == pytest.approx(50)
