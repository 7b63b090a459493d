"""What every process of this project does first, so that its code is this folder's.

``python -P benchmark/entry/start.py RUN_FOLDER`` starts a worker; helpers of one load this file too, as Python's
``spawn`` has it. It imports nothing that could lie elsewhere: ``os`` and ``sys`` are part of the interpreter.
"""

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def seal() -> None:
    """Put what lies around out of the way of what this process and its children import.

    Python's own library comes first, and the current folder and the checkout's last, where an environment variable
    names them at all. What a user's ``PYTHONPATH`` holds beside them stays: it may be where PyTorch is.
    """
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # somebody has deleted it
        here = ""
    last = {here, _ROOT} if os.path.exists(os.path.join(_ROOT, "run_suite.py")) else {here}

    def rank(entry: str) -> int:
        place = os.path.realpath(entry) if entry else here
        return 0 if _is_library(entry) else 2 if place in last else 1

    sys.path.sort(key=rank)
    # For children, whose first imports come before anything like this: without those folders, and none that would
    # be another one where a child works elsewhere.
    named = [os.path.join(here, part) for part in os.environ.pop("PYTHONPATH", "").split(os.pathsep) if part]
    whole = [part for part in named if os.path.isabs(part) and os.path.realpath(part) not in last]
    if whole and not sys.flags.ignore_environment:
        os.environ["PYTHONPATH"] = os.pathsep.join(whole)
    os.environ["PYTHONSAFEPATH"] = "1"  # or helpers look for modules in the current folder before anything else


def _is_library(entry: str) -> bool:
    zipped = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    return entry == os.path.dirname(os.__file__) or os.path.basename(entry) in (zipped, "lib-dynload")


def main() -> None:
    """The command line."""
    try:
        os.getcwd()
    except OSError as error:  # somebody has deleted it
        print(f"error: the current folder is not there ({error.strerror}); go to another one", file=sys.stderr)
        sys.exit(2)
    if sys.flags.ignore_environment and not sys.flags.safe_path:  # -E, which helpers get too: they heed no variable
        os.execv(sys.executable, [sys.executable, "-P", *sys.orig_argv[1:]])
    seal()
    from benchmark.entry.command import main as command

    command()


if __name__ in ("__main__", "__mp_main__"):
    # only this package, and not what else lies beside it; whatever has imported another one before
    for _name in [name for name in sys.modules if name.partition(".")[0] == "benchmark"]:
        del sys.modules[_name]
    sys.path.insert(0, _ROOT)
    import benchmark  # noqa: F401

    del sys.path[0]

if __name__ == "__main__":
    seal()
    from benchmark.execution.worker import main as work

    sys.exit(work(sys.argv[1:]))
