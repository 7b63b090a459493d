"""``bench``: how fast the suite is on this machine."""

import datetime
import functools
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from benchmark.cli.options import MINUTES, count, device_option, json_option, reports_option
from benchmark.cli.output import import_matplotlib, name_code, row, say
from benchmark.errors import RunError, UserError, is_out_of_memory
from benchmark.execution.checks import check_precision
from benchmark.execution.places import require_writable
from benchmark.results.code import require_same, this_code
from benchmark.results.provenance import this_machine
from benchmark.runs.axes import Network
from benchmark.runs.catalogue import NETWORKS
from benchmark.runs.schema import MANY
from benchmark.system import signals
from benchmark.system.files import read_regular, shown
from benchmark.system.hardware import chosen_device, cores, gpus, processor_time, seeing_only
from benchmark.system.packages import importing, require_packages
from benchmark.system.processes import unbound

if TYPE_CHECKING:
    from benchmark.bench.setup import Numbers, Setup

_APART = "the loops did not learn the same, so their speeds do not compare"
#: Batches an epoch of the loops: alone, and beside a matrix.
_BATCHES = {"cpu": 8, "cuda": 200}
_BATCHES_OF_A_MATRIX = {"cpu": 8, "cuda": 50}


@click.command()
@click.option("--network", type=click.Choice([*NETWORKS]), default="resnet110", show_default=True)
@click.option("--batch-size", type=count(least=2, most=MANY), default=128, show_default=True, help="Images a step.")
@click.option(
    "--steps", type=count(most=MANY), default=9, show_default=True, help="Timed steps a method; a GPU's ten in a row."
)
@click.option("--images", type=count(least=2, most=MANY), help="Images an epoch; default: 8 batches, GPU: 200 (50).")
@click.option("--epochs", type=count(most=MANY), help="Timed epochs a loop; default: 5, beside a matrix 2.")
@click.option("--threads", type=count(most=1024), default=cores, help="Processor threads; default: all cores.")
@click.option("--precision", type=click.Choice(["fp32", "tf32", "bf16"]), default="fp32", help="Of the steps.")
@click.option("--compiled", is_flag=True, help="Steps by torch.compile, as numerics.compiled=true has them.")
@click.option("--matrix", is_flag=True, help="Eager, recorded and compiled steps in bf16, fp32 and tf32, each apart.")
@click.option("--budget-min", type=MINUTES, help="Minutes for a matrix; what they do not reach is named.")
@device_option
@reports_option
@json_option
@click.pass_context
def bench(
    context: click.Context,
    network: str,
    batch_size: int,
    steps: int,
    images: int | None,
    epochs: int | None,
    threads: int,
    precision: str,
    compiled: bool,
    matrix: bool,
    budget_min: float | None,
    device: str,
    reports_dir: Path,
    form: str,
) -> None:
    """Time the methods' steps, and whole epochs beside a plain reference loop, into REPORTS_DIR/bench.

    Steps are timed in turn in one process, epochs in turn in a process each, on generated images; memory is that
    of a fresh process each on a CPU. Ten to twenty minutes on two cores; leave the machine alone meanwhile. `plan`
    takes its estimates from it.

    With --matrix every combination of eager, recorded (graph) and compiled steps with a precision has a process of its
    own, the most wanted first, compiled ones last; files are written after each. On a GPU `--matrix --budget-min 6`
    is meant to measure all but most of the compiled ones; on a processor
    `--matrix --batch-size 2 --steps 1 --images 4 --epochs 1 --threads 1 --budget-min 8` rehearses it.

    For example: run_suite.py bench --network resnet110 --threads 2
    """
    began = time.monotonic()
    _check_options(context, matrix)
    chosen = chosen_device(device)
    kind = chosen.kind
    check_precision(kind, [precision], functools.partial(say, err=True))
    require_writable(reports_dir / "bench", "the bench")
    for name in os.environ.keys() - unbound(os.environ).keys():
        del os.environ[name]  # before torch starts its threads, and for the processes that the loops have
    require_packages()
    name_code()
    say(f"bench of {network}; {chosen}", err=True)
    if kind == "cuda":  # before torch looks: the GPU that is measured is the one that is named
        os.environ.update(seeing_only(gpus()[0]))
    import_matplotlib()
    from benchmark.bench.setup import Setup

    batches = (_BATCHES_OF_A_MATRIX if matrix else _BATCHES)[kind]
    setup = Setup(
        network=network,
        backbone=Network.model_validate(dict(NETWORKS[network])),
        batch_size=batch_size,
        steps=steps,
        images=images or batches * batch_size,
        epochs=epochs or (2 if matrix else 5),
        threads=threads,
        precision=precision,
        compiled=compiled,
        device=kind,
        device_name=chosen.name,
    )
    if matrix:
        _measure_matrix(setup, budget_min, began, reports_dir / "bench", form)
    else:
        _measure(setup, reports_dir / "bench", form)


def _check_options(context: click.Context, matrix: bool) -> None:
    """Refuse what has no meaning with or without a matrix.

    Raises:
        UserError: something is asked for that would not be done.
    """
    given = {name for name in context.params if context.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    if matrix and (without := given & {"precision", "compiled"}):
        raise UserError(f"--{min(without)}: a matrix measures all of them; leave it out")
    if not matrix and "budget_min" in given:
        raise UserError("--budget-min: bounds a matrix; add --matrix")


def _say(text: str) -> None:
    row(f"  {text}", err=True)


def _named(setup: "Setup", measured: "Numbers") -> "Numbers":
    """With what was measured on what, and by which code.

    Raises:
        OtherCodeError: by several: the processes of loops and cells load their own.
    """
    from benchmark.bench.measure import VARIANTS

    require_same(this_code())
    return {
        "device": setup.device_name,
        "command": f"python run_suite.py {shlex.join(sys.argv[1:])}",
        "setup": setup.as_json(),
        "methods": {
            variant.name: variant.method.model_dump(mode="json", exclude_defaults=True)
            for variant in VARIANTS
            if not variant.listing1  # no training makes its views so
        },
        **measured,
        "provenance": {
            **this_machine(setup.device).model_dump(),
            "end": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        },
    }


def _show(numbers: "Numbers", table: Path, form: str) -> None:
    click.echo(json.dumps(numbers, indent=1) if form == "json" else read_regular(table).decode())
    say(f"bench: {shown(table)}", err=form == "json")


def _measure(setup: "Setup", folder: Path, form: str) -> None:
    with importing():
        from benchmark.bench.measure import measure_all
        from benchmark.bench.write import write_bench

    try:
        measured = measure_all(setup, _say)
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted; nothing was written.", err=True)
        sys.exit(signals.EXIT_INTERRUPTED)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError("there is too little memory for this bench; take a smaller --batch-size") from error
    numbers = _named(setup, measured)
    _, table, _ = write_bench(numbers, folder)
    _show(numbers, table, form)
    if "epochs" in measured and not measured["epochs"]["learn_the_same"]:
        say(f"warning: {_APART}", err=True)
        sys.exit(1)


def _measure_matrix(setup: "Setup", budget_min: float | None, began: float, folder: Path, form: str) -> None:
    with importing():
        from benchmark.bench.matrix import FAILED, Matrix
        from benchmark.bench.matrix_write import write_matrix
        from benchmark.bench.measure import disturbance

    started, written = processor_time(), list[tuple["Numbers", Path]]()

    def write(matrix: "Numbers") -> None:
        lost = disturbance(started, processor_time())
        numbers = _named(setup, {"matrix": matrix, "disturbance": lost})
        written[:] = [(numbers, write_matrix(numbers, folder)[1])]

    try:
        matrix = Matrix(setup, budget_min, began, _say, write).run()
    except (KeyboardInterrupt, click.Abort):
        where = f"what was measured stands in {shown(written[0][1])}" if written else "nothing was written"
        say(f"Interrupted; {where}.", err=True)
        sys.exit(signals.EXIT_INTERRUPTED)
    _show(*written[0], form)
    failed = [cell for cell in [*matrix["cells"], matrix["loops"]] if cell["state"] == FAILED]
    apart = not matrix["loops"].get("learn_the_same", True)
    if apart:
        say(f"warning: {_APART}", err=True)
    sys.exit(1 if failed or apart else 0)
