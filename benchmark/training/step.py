"""Who runs the update of a step: PyTorch call by call, or a recording of one update, replayed.

A small network's update is over a thousand calls, and handing them out takes longer than the GPU needs for them. A
CUDA graph has them recorded once: the same kernels in the same order, handed out together. Nothing of an update may
then be decided by Python: numbers are baked in, tensors stay where they were, and nothing is read on the host.
"""

from collections.abc import Callable, Hashable, Iterator

from benchmark.errors import RecordingError, is_out_of_memory
from benchmark.methods.mixing import Mixed

#: Full batches that run by themselves first: they make the momentum, load the kernels and have libraries settle.
WARM_UP_STEPS = 3

#: Clears the gradients, then trains on a batch: forward, backward, optimiser, sum of the losses.
Update = Callable[[Mixed], None]
#: Records what a call does without doing it; gives what does it.
Recorder = Callable[[Callable[[], None]], Callable[[], None]]


class GraphedSteps:
    """Replays one recorded update for full batches; warm-up and the last batch of an epoch run by themselves.

    Warm-up steps are steps of the training as any other, and recording computes nothing, so each batch is seen once.

    Args:
        update: what a step does.
        record: how it is recorded.
        constants: the numbers that a recording holds for good; with others it is made anew.
        size: images of a full batch.
    """

    def __init__(self, update: Update, record: Recorder, constants: Callable[[], Hashable], size: int) -> None:
        self.update, self.record, self.constants, self.size = update, record, constants, size
        self.warm = 0
        self.static: Mixed | None = None
        self.replay: Callable[[], None] | None = None
        self.baked: Hashable = None

    def __call__(self, batch: Mixed) -> None:
        """Train on a batch.

        Raises:
            RecordingError: the update can't be recorded; the training is then good for nothing more.
        """
        if len(batch.labels) != self.size:
            self.update(batch)
            return
        if self.warm < WARM_UP_STEPS:
            self.warm += 1
            self.update(batch)
            return
        if self.static is None:
            self.static = batch.clone()
        if self.replay is None or self.baked != self.constants():
            self._record(self.static)
        self.static.copy_(batch)
        assert self.replay is not None
        self.replay()

    def _record(self, static: Mixed) -> None:
        self.replay = None  # the memory of the one before goes first
        self.baked = self.constants()
        try:
            self.replay = self.record(lambda: self.update(static))
        except Exception as error:  # whatever it was, the device's state may be broken
            causes = [*_causes(error)]
            raise RecordingError(_in_one_line(causes[-1]), out_of_memory=any(map(is_out_of_memory, causes))) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it: what broke a recording stands behind what its end then complained of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _in_one_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
