"""A progress bar on a terminal, nothing elsewhere (floor 1, no torch)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str, total: int | None, *, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while the block runs.

    Args:
        title: what is going on.
        total: how much there is to do; None where nobody knows.
        in_bytes: show amounts as MB and MB/s instead of counts.

    Yields:
        ``advance(amount)``; a negative amount takes back.
    """
    from rich.console import Console  # only here: most commands draw no bar
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(title, total=total)
        yield lambda step: bars.advance(task, step)
