import pytest

from benchmark.wording import LONGEST, counted, duration, one_line, shortened, some, visible


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


def test_what_hides_is_shown() -> None:
    assert visible("76.8 ± 0.1, β = 0.5, 表") == "76.8 ± 0.1, β = 0.5, 表"
    assert visible("a\x1b[2J\x9b\u202eb\n\udcff\ud800\ufffe") == r"a\x1b[2J\x9b\u202eb\n\xff\ud800\ufffe"


@pytest.mark.parametrize("filling", ["x", "\x1b", "\n", "a\n", "\u202e", " "])
def test_a_message_is_one_line_with_its_ends(filling: str) -> None:
    text = one_line(f"error: own.yaml: defaults: {filling * 100_000}: did you mean 'epochs'?")
    assert len(text) <= LONGEST
    assert text.isprintable()
    assert text.startswith("error: own.yaml: defaults: ")
    assert text.endswith(": did you mean 'epochs'?")


def test_short_text_stays() -> None:
    assert shortened("x" * 10, 10) == "x" * 10
    assert shortened("a" * 6 + "b" * 5, 10) == "a" * 6 + "…" + "b" * 3
