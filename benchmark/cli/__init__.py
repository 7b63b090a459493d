"""The commands (floor 6). Heavy imports stay inside the commands that need them."""

import os
import sys

import click

from benchmark import __version__
from benchmark.cli.bench import bench
from benchmark.cli.compare import compare
from benchmark.cli.data import data
from benchmark.cli.look import list_suites, plan, status
from benchmark.cli.merge import merge
from benchmark.cli.report import report
from benchmark.cli.run import run
from benchmark.cli.verify import verify
from benchmark.errors import BenchmarkError, UserError


class _Commands(click.Group):
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


for _command in (run, list_suites, plan, status, report, compare, verify, merge, data, bench):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; this project's own errors become one sentence and exit status 2."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"error: {' '.join(error.format_message().split())}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted; the same command goes on from here.", err=True)
        sys.exit(130)
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BenchmarkError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nothing may be flushed to it any more
        sys.exit(0)
    except OSError as error:  # a full disk, say, in the middle of it
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {place}{error.strerror or error}; nothing that was there is harmed", err=True)
        sys.exit(1)
