"""The command line: ``python3 -m scripts.gpu_day STEP``."""

import argparse
import signal
import sys
from pathlib import Path

import scripts.gpu_day as shared
from scripts.gpu_day import day, kit, machine


def parser() -> argparse.ArgumentParser:
    """The steps and what they take."""
    whole = argparse.ArgumentParser(prog="python3 -m scripts.gpu_day", description=shared.__doc__)
    steps = whole.add_subparsers(dest="step", required=True, metavar="STEP")
    here = steps.add_parser("prepare-here", help="where the project lives: a kit in .gpu-day/, and the later commands")
    here.add_argument(
        "images", nargs="*", type=Path, help="files and folders of the data folder, or packed ones with unpack.py"
    )
    here.add_argument("--state", type=Path, metavar="FOLDER", help="what an earlier sitting brought back")
    here.add_argument("--wheels", nargs="*", default=kit.WHEELS, metavar="PACKAGE", help="packages to take along")
    here.add_argument("--python", default="3.12", help="the version of Python there")
    steps.add_parser("setup", help="on the GPU machine, as are the next: packages, a checkout, images, earlier state")
    steps.add_parser("check", help="the tests marked gpu")
    for name, what in (("bench", "how fast it is"), ("train", "runs, until the time is over; then as collect")):
        step = steps.add_parser(name, help=what)
        step.add_argument("seconds", type=float, help="for all of it")
        if name == "train":
            step.add_argument("--unchecked", action="store_true", help="train without a check, or although it fails")
        step.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the project's command instead")
    steps.add_parser("collect", help="results, reports and checkpoints, within what may come back")
    return whole


def take(chosen: argparse.Namespace) -> None:
    """Take one step."""
    if chosen.step == "prepare-here":
        kit.prepare(chosen.images, chosen.state, chosen.wheels, chosen.python)
        return
    shared.OUT.mkdir(parents=True, exist_ok=True)
    if chosen.step == "setup":
        machine.set_up()
    elif not (machine.CODE / "run_suite.py").exists():
        shared.fail("set up yet: run setup first")
    elif chosen.step == "check":
        day.check()
    elif chosen.step == "bench":
        day.bench(chosen.seconds, chosen.arguments)
    elif chosen.step == "train":
        day.train(chosen.seconds, chosen.arguments, unchecked=chosen.unchecked)
    else:
        day.collect()


def main(words: list[str]) -> int:
    """Take a step; 0 where all of it was done, 130 where it was interrupted."""
    whole = parser()
    chosen = whole.parse_args(words)
    if "--unchecked" in getattr(chosen, "arguments", ()):
        whole.error("--unchecked stands before the seconds; what stands behind them is handed on")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it runs is then ended too
    try:
        take(chosen)
    except KeyboardInterrupt:
        shared.fail("finished: interrupted")
        return 130
    except OSError as error:  # a full disk, say
        shared.fail(f"finished: {error}")
    return 1 if shared.undone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
