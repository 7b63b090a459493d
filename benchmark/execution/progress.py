"""What a person sees while a suite runs: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from benchmark.system.terminal import live_console
from benchmark.wording import duration, one_line


class View(Protocol):
    """What the scheduler tells whoever watches."""

    def started(self, run_id: str) -> None:
        """A worker was started."""

    def moved(self, run_id: str, done: float, text: str) -> None:
        """A run is this far, 0 to 1."""

    def ended(self, run_id: str, outcome: str, found: str = "") -> None:
        """A run ended: ``completed``, with its accuracy and duration, ``interrupted``, or what failed."""

    def waits(self, run_id: str, who: str) -> None:
        """A run is not started: somebody else is at work on it."""

    def total(self, finished: int, runs: int, done: float, seconds_left: float | None) -> None:
        """How far everything is; the time left is None while nothing can be said."""

    def close(self) -> None:
        """No more to come."""


class LiveView:
    """A bar a run and one for all."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[text]}"),
        )
        # rich would take what others print past the stream that shows what it hides
        self.bars = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self.all = self.bars.add_task("[bold]all runs", total=1.0, text="")
        self.tasks: dict[str, TaskID] = {}
        self.bars.start()

    def started(self, run_id: str) -> None:
        """Add a bar."""
        self.tasks[run_id] = self.bars.add_task(run_id, total=1.0, text="starting")

    def moved(self, run_id: str, done: float, text: str) -> None:
        """Move a bar."""
        self.bars.update(self.tasks[run_id], completed=done, text=escape(one_line(text)))

    def ended(self, run_id: str, outcome: str, found: str = "") -> None:
        """Take the bar away and leave a line."""
        self.bars.remove_task(self.tasks.pop(run_id))
        colour = "green" if outcome == "completed" else "yellow" if outcome == "interrupted" else "red"
        word = escape(f"{one_line(outcome):>12}")
        text = escape(f"{run_id}  {one_line(found)}".rstrip())
        self.bars.console.print(f"[{colour}]{word}[/] {text}", highlight=False, soft_wrap=True)

    def waits(self, run_id: str, who: str) -> None:
        """Leave a line."""
        text = escape(f"{run_id}: {one_line(who)}")
        self.bars.console.print(f"[yellow]{'elsewhere':>12}[/] {text}", highlight=False, soft_wrap=True)

    def total(self, finished: int, runs: int, done: float, seconds_left: float | None) -> None:
        """Move the bar of all."""
        self.bars.update(self.all, completed=done, text=f"{finished}/{runs} runs, {duration(seconds_left)} left")

    def close(self) -> None:
        """Take the bars away."""
        self.bars.stop()


class PlainView:
    """A line when a run starts and ends, and one a minute in between."""

    def __init__(self, say: Callable[[str], None], every_s: float = 60.0) -> None:
        self._say, self.every_s, self.said = say, every_s, time.monotonic()
        self.numbers = ""

    def started(self, run_id: str) -> None:
        """Say so."""
        self._say(f"{'started':>12} {run_id}")

    def moved(self, run_id: str, done: float, text: str) -> None:
        """Say nothing: a log wants no bar."""

    def ended(self, run_id: str, outcome: str, found: str = "") -> None:
        """Say how, and how far everything is."""
        text = f"{run_id}  {found}" if found else run_id
        self._say(f"{one_line(outcome):>12} {text} {self.numbers}".rstrip())

    def waits(self, run_id: str, who: str) -> None:
        """Say so."""
        self._say(f"{'elsewhere':>12} {run_id}: {one_line(who)}")

    def total(self, finished: int, runs: int, done: float, seconds_left: float | None) -> None:
        """Keep the numbers; say them when nothing else was said for a while."""
        self.numbers = f"({finished}/{runs} runs, {100 * done:.0f} %, {duration(seconds_left)} left)"
        if time.monotonic() - self.said > self.every_s:
            self.said = time.monotonic()
            self._say(f"{'running':>12} {self.numbers}")

    def close(self) -> None:
        """Nothing to take away."""


def make_view(say: Callable[[str], None]) -> View:
    """Bars on a terminal, lines elsewhere."""
    console = live_console()
    return LiveView(console) if console else PlainView(say)
