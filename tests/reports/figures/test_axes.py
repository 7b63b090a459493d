import pytest

from benchmark.reports.figures.axes import Scale, around, signed, ticks


@pytest.mark.parametrize(
    ("low", "high", "about", "wanted"),
    [
        (0.0, 10.0, 5, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
        (73.8, 76.9, 6, [74.0, 74.5, 75.0, 75.5, 76.0, 76.5]),
        (-0.31, 0.29, 3, [-0.2, 0.0, 0.2]),
        (5.0, 5.0, 3, [5.0]),
    ],
)
def test_ticks_are_round_and_about_as_many_as_asked(low: float, high: float, about: int, wanted: list[float]) -> None:
    assert ticks(low, high, about) == wanted


def test_a_scale_of_ratios_takes_equal_steps_for_equal_factors() -> None:
    scale = Scale(1, 4, 0, 100, ratios=True)
    assert [scale(value) for value in (1, 2, 4)] == pytest.approx([0, 50, 100])
    assert scale.within(16) == 100


def test_intervals_lengthen_a_scale_but_do_not_flatten_what_is_on_it() -> None:
    assert around([74.0, 76.0], 0, 1, reach=[73.5, 76.5]).has(73.5)
    wild = around([74.0, 76.0], 0, 1, reach=[-500.0, 600.0])
    assert wild.high - wild.low < 8


def test_equal_values_have_a_scale() -> None:
    scale = around([75.0, 75.0], 0, 100)
    assert scale(75.0) == pytest.approx(50)


def test_signs() -> None:
    assert [signed(value) for value in (-1.5, 0, 2)] == ["−1.5", "0", "+2"]
