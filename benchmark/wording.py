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
