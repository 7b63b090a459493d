"""Words for people, put together in one way everywhere (floor 0)."""

from collections.abc import Sequence

#: Names that a sentence lists; of more it says how many.
_NAMED = 4


def counted(count: int, thing: str) -> str:
    """``1 result``, ``2 results``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def some(names: Sequence[str]) -> str:
    """``a, b, c, d and 3 more``."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


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
