import random

import pytest

from benchmark.verdicts.next_trial import prediction95


def test_it_is_the_textbooks_interval() -> None:
    found = prediction95([70.0, 71.0, 72.0, 73.0])  # t = 3.18245, s = 1.29099, √(5/4) = 1.11803
    assert found == pytest.approx((71.5 - 4.59348, 71.5 + 4.59348), abs=1e-4)


@pytest.mark.parametrize("scores", [[], [70.0]])
def test_one_trial_tells_no_spread(scores: list[float]) -> None:
    assert prediction95(scores) is None


def test_it_holds_95_of_100_next_trials() -> None:
    draw = random.Random(0)
    inside = 0
    for _ in range(2000):
        *seen, then = (draw.gauss(70, 0.3) for _ in range(5))
        low, high = prediction95(seen) or (0, 0)
        inside += low <= then <= high
    assert 0.935 < inside / 2000 < 0.965
