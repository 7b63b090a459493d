"""A :class:`~benchmark.system.helper.Helper` that works in this process, where starting one would take seconds."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmark.errors import RunError


class Inline:
    """As a helper is used; ``there`` counts those that are."""

    there = most = 0

    def __init__(self, what: str, iterate: Callable[..., Iterator[Any]], *arguments: Any) -> None:
        self.what = what
        self.answers = _when_asked(iterate, arguments)

    def __enter__(self) -> "Inline":
        Inline.there += 1
        Inline.most = max(Inline.there, Inline.most)
        return self

    def ask(self, check: Callable[[], None] = lambda: None) -> Any:
        """The next answer; an error as a helper's process would send it."""
        check()
        try:
            return next(self.answers)
        except ValueError as error:
            raise RunError(f"{self.what} can't be measured: {type(error).__name__}: {error}") from None

    def __exit__(self, *_: object) -> None:
        Inline.there -= 1


def _when_asked(iterate: Callable[..., Iterator[Any]], arguments: Sequence[Any]) -> Iterator[Any]:
    """An iterator that is not even made before it is asked."""
    yield from iterate(*arguments)
