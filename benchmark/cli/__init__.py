"""The commands. Heavy imports stay inside the commands that need them."""

import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

from benchmark import __version__
from benchmark.cli.bench import bench
from benchmark.cli.compare import compare
from benchmark.cli.data import data
from benchmark.cli.list_suites import list_suites
from benchmark.cli.log import log
from benchmark.cli.merge import merge
from benchmark.cli.options import Group
from benchmark.cli.output import say
from benchmark.cli.plan import plan
from benchmark.cli.redo import redo
from benchmark.cli.report import report
from benchmark.cli.reproduce import reproduce
from benchmark.cli.run import run
from benchmark.cli.status import status
from benchmark.cli.stop import stop
from benchmark.cli.verify import verify
from benchmark.errors import BenchmarkError, UserError, reason_of
from benchmark.system import signals
from benchmark.system.paths import PACKAGE
from benchmark.system.terminal import guard_streams


class _Commands(Group):
    """``run`` may be left out: ``run_suite.py table1`` is ``run_suite.py run table1``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help", "--version"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def cli() -> None:
    """Reproduce the tables and figures of the SFE paper.

    `run_suite.py table1` trains what is missing of Table 1 and writes its report.
    """


for _command in (
    run,
    stop,
    redo,
    reproduce,
    list_suites,
    plan,
    status,
    log,
    report,
    compare,
    verify,
    merge,
    data,
    bench,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; whatever goes wrong becomes one line and an exit status."""
    if "_SFE_BENCHMARK_COMPLETE" not in os.environ:  # a shell asks for words, which click gives it as bytes
        guard_streams()
    try:
        signals.heed()
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        _end(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted; the same command goes on from here.", err=True)
        sys.exit(signals.EXIT_INTERRUPTED)
    except UserError as error:
        _end(str(error), 2)
    except BenchmarkError as error:
        _end(str(error), 1)
    except OSError as error:  # a full disk, say, in the middle of it
        place = f"{error.filename}: " if error.filename else ""
        closed = "its owner can let you (chmod -R a+rwX)" if isinstance(error, PermissionError) else ""
        _end(f"{place}{reason_of(error)}; {closed or 'nothing that was there is harmed'}", 1)
    except MemoryError:
        _end("there is too little memory for this", 1)
    except Exception as error:
        _end(f"a mistake of the suite itself, please report it: {type(error).__name__}: {error} ({_raised(error)})", 1)
    if isinstance(status, int) and status:  # of a help that was asked for by saying nothing
        sys.exit(status)


def _end(text: str, status: int) -> NoReturn:
    say(f"error: {text}", err=True)
    sys.exit(status)


def _raised(error: Exception) -> str:
    """Where this project's own code raised an error or called what did."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(PACKAGE)]
    return f"{Path(own[-1].filename).relative_to(PACKAGE)}, line {own[-1].lineno}" if own else "outside of it"
