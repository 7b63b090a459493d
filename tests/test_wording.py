import pytest

from benchmark.wording import counted, duration, some


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "…"),
        (0, "0 s"),
        (12.9, "12 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3600, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_counts_and_long_lists() -> None:
    assert [counted(count, "run") for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert some(["a", "b", "c", "d"]) == "a, b, c, d"
    assert some([*"abcdefg"]) == "a, b, c, d and 3 more"
