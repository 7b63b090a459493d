"""The packages that trainings need, and nothing else here does."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.errors import InterruptedRun, UnusableError, is_out_of_memory

TRAINING = ("torch", "torchvision", "pytorchcv")
_REMEDY = "`make setup` installs what is needed, and so does pip install -c constraints.txt"


def require_packages() -> None:
    """Look whether all are installed, without the seconds that it takes to import them.

    Raises:
        UnusableError: one isn't there.
    """
    missing = [name for name in TRAINING if not _is_there(name)]
    if missing:
        raise UnusableError(f"training needs {', '.join(missing)}, which this Python has not; {_REMEDY}")


@contextmanager
def importing() -> Iterator[None]:
    """Import torch, and modules of this project that do.

    Raises:
        UnusableError: one can't be, for a library that is missing, say; no run is to blame.
    """
    try:
        yield
    except InterruptedRun:
        raise
    except Exception as error:  # of whatever kind: a package's own code runs
        if is_out_of_memory(error):
            raise
        why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UnusableError(f"torch, or what goes with it, can't be imported ({why}); {_REMEDY}") from error


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
