"""Where the program begins: with nothing but what an early Ctrl-C needs."""

import sys

from benchmark.system import signals
from benchmark.system.terminal import lost_output


def main() -> None:
    """Run the command line and end with its status, whatever comes at whatever moment."""
    signals.listen()
    status = signals.EXIT_INTERRUPTED
    try:
        from benchmark.cli import main as command  # a second of imports

        command()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except KeyboardInterrupt:  # behind the command's end
        pass
    finally:
        signals.ignore()
    if (why := lost_output()) and status == 0:
        print(f"error: standard output: {why}; not all that was to be said is there", file=sys.stderr)
        status = 1
    sys.exit(status)
