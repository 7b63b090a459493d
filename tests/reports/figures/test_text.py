import pytest

from benchmark.reports.figures.text import cut, width, wrapped


def test_wider_is_longer_larger_and_bolder() -> None:
    assert width("", 12) == 0
    assert width("iii", 12) < width("WWW", 12) < width("WWWW", 12)
    assert width("SFE", 12) < width("SFE", 12, bold=True)
    assert width("SFE", 24) == pytest.approx(2 * width("SFE", 12), rel=0.05)


def test_lines_keep_words_whole_and_fit() -> None:
    text = "Validation accuracy (%) on CIFAR-100 using various CNN architectures"
    lines = wrapped(text, 12, 150)
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert all(width(line, 12) <= 150 for line in lines)


def test_a_word_wider_than_the_line_is_broken() -> None:
    lines = wrapped("x" * 200, 12, 100)
    assert "".join(lines) == "x" * 200
    assert all(width(line, 12) <= 100 for line in lines)


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert cut("short", 12, 100) == "short"
    assert cut("a long name of a row", 12, 60).endswith("…")
    assert width(cut("a long name of a row", 12, 60), 12) <= 60
    lines = wrapped("word " * 100, 12, 100, lines=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(width(line, 12) <= 100 for line in lines)


def test_hidden_characters_are_shown() -> None:
    assert wrapped("a\x1bb", 12, 100) == ["a\\x1bb"]
    assert cut("a\u202eb", 12, 100) == "a\\u202eb"
