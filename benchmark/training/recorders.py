"""What records a step: CUDA's graphs, or on a processor a recorder that an environment variable names."""

import gc
import importlib
import os
import sys
from collections.abc import Callable

import torch

from benchmark.system.environment import RECORDER_VARIABLE
from benchmark.system.paths import ROOT
from benchmark.training.step import Recorder


def cuda_recorder(body: Callable[[], None]) -> Callable[[], None]:
    """Record on the current stream, where everything else runs too."""
    torch.cuda.synchronize()
    gc.collect()  # what goes while a graph is recorded may break it
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        body()
    replay: Callable[[], None] = graph.replay
    return replay


def recorder(device: torch.device) -> Recorder:
    """CUDA's, or the one that :data:`~benchmark.system.environment.RECORDER_VARIABLE` names.

    Raises:
        RuntimeError: the device records nothing, or work goes to its default stream, where nothing can be recorded.
    """
    if named := os.environ.get(RECORDER_VARIABLE):
        module, _, name = named.partition(":")
        sys.path.insert(0, str(ROOT))  # a worker sees this package alone, and a test's recorder lies beside it
        try:
            found: Recorder = getattr(importlib.import_module(module), name)
        finally:
            sys.path.remove(str(ROOT))
        return found
    if device.type != "cuda":
        raise RuntimeError(f"a {device.type} records no graphs")
    if torch.cuda.current_stream(device) == torch.cuda.default_stream(device):
        raise RuntimeError("graphs need a stream of their own: enter own_stream before the model is built")
    return cuda_recorder
