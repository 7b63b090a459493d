import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.verdicts.summary import Summary, summarise

PERCENT = st.floats(min_value=0, max_value=100)


def test_no_values_have_no_summary() -> None:
    assert summarise([]) is None


def test_one_trial_has_a_mean_and_no_spread() -> None:
    assert summarise([74.21]) == Summary(74.21, None, 1)


def test_spread_is_the_sample_standard_deviation() -> None:
    summary = summarise([1.0, 2.0, 3.0, 4.0])
    assert summary is not None
    assert (summary.mean, summary.trials) == (2.5, 4)
    assert summary.std == pytest.approx(math.sqrt(5 / 3))  # ddof 1; ddof 0 would be √(5/4)


@given(st.lists(PERCENT, min_size=2, max_size=8))
def test_agrees_with_the_standard_library(values: list[float]) -> None:
    summary = summarise(values)
    assert summary is not None
    assert summary.std is not None
    assert summary.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert summary.std == pytest.approx(statistics.stdev(values), abs=1e-6)


@given(st.lists(PERCENT, min_size=2, max_size=8))
def test_order_of_the_trials_changes_nothing(values: list[float]) -> None:
    forward, backward = summarise(values), summarise(values[::-1])
    assert forward is not None
    assert backward is not None
    assert forward.mean == backward.mean  # summed exactly, so to the last bit
    assert forward.std == backward.std
