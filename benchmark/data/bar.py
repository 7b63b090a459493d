"""A progress bar on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmark.system.terminal import live_console


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
    if (console := live_console(stderr=True)) is None:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    # rich would take what others print past the stream that shows what it hides
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bars:
        task = bars.add_task(title, total=total)
        yield lambda step: bars.advance(task, step)
