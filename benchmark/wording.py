"""Words for people, put together in one way everywhere."""

import unicodedata
from collections.abc import Sequence

#: Names that a sentence lists; of more it says how many.
MOST_NAMED = 4
#: Characters of a message, at most.
LONGEST = 600
#: Of characters that can't be seen: controls, marks of direction and width, halves of pairs, ends of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def counted(count: int, thing: str) -> str:
    """``1 result``, ``2 results``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def some(names: Sequence[str]) -> str:
    """``a, b, c, d and 3 more``."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def visible(text: str) -> str:
    """One line of text with an escape such as ``\\x1b`` for every character that nobody could see."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _is_hidden(char) else char for char in text)


def _is_hidden(char: str) -> bool:
    code = ord(char)
    no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # XML has none of them
    return no_character or unicodedata.category(char) in _HIDDEN


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # Python's own mark of a byte in a file's name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def shortened(text: str, longest: int = LONGEST) -> str:
    """Text with its middle left out where it is longer; what a sentence is about and the remedy stand at its ends."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def one_line(text: str, longest: int = LONGEST) -> str:
    """Any text as one line of so many characters that can be seen."""
    return shortened(visible(" ".join(shortened(text, 8 * longest).split())), longest)


def duration(seconds: float | None) -> str:
    """``2 d 3 h``, ``1 h 05 min``, ``3 min 20 s``, ``12 s``; ``…`` while unknown."""
    if seconds is None:
        return "…"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
