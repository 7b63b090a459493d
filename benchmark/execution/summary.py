"""How an invocation ended."""

from dataclasses import dataclass, field


@dataclass
class Summary:
    """How an invocation ended.

    Attributes:
        completed: how many runs.
        failed: runs with the kind of failure.
        interrupted: whether it was.
        out_of_time: whether by its deadline.
        obstacle: why a GPU, or everything, could not be used any more; None where all could.
        left: runs that nothing was left for.
        going_on: workers that go on without this invocation.
    """

    completed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    out_of_time: bool = False
    obstacle: str | None = None
    left: int = 0
    going_on: int = 0
