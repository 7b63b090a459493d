"""``bench``: how fast the suite is on this machine."""

import datetime
import json
import os
import shlex
import sys
from pathlib import Path

import click

from benchmark.axes import Network
from benchmark.catalogue import NETWORKS
from benchmark.cli.common import check_precision, json_option, reports_option, require_writable, shown
from benchmark.errors import RunError, is_out_of_memory
from benchmark.hardware import chosen_device, cores, gpus, seeing_only
from benchmark.processes import unbound
from benchmark.provenance import describe

_IMAGES = {"cpu": 1024, "cuda": 25_600}


@click.command()
@click.option("--network", type=click.Choice([*NETWORKS]), default="resnet110", show_default=True)
@click.option("--batch-size", type=click.IntRange(min=2), default=128, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=9, show_default=True, help="Timed steps a method.")
@click.option("--images", type=click.IntRange(min=2), help="Images an epoch; default: 1024, on a GPU 25600.")
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True, help="Timed epochs a loop.")
@click.option("--threads", type=click.IntRange(min=1), default=cores, help="Processor threads; default: all cores.")
@click.option("--precision", type=click.Choice(["fp32", "tf32", "bf16"]), default="fp32", help="Of the steps.")
@click.option("--compiled", is_flag=True, help="Steps by torch.compile, as numerics.compiled=true has them.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@reports_option
@json_option
def bench(
    network: str,
    batch_size: int,
    steps: int,
    images: int | None,
    epochs: int,
    threads: int,
    precision: str,
    compiled: bool,
    device: str,
    reports_dir: Path,
    form: str,
) -> None:
    """Time the methods' steps, and whole epochs beside a plain reference loop, into reports/bench.

    Steps are timed in turn in one process, epochs in turn in a process each, on generated images; memory is that
    of a fresh process each on a CPU. Ten to twenty minutes on two cores; leave the machine alone meanwhile. `plan`
    takes its estimates from it.
    """
    chosen = chosen_device(device)
    kind = chosen.kind
    check_precision(kind, [precision])
    require_writable(reports_dir / "bench", "the bench")
    for name in os.environ.keys() - unbound(os.environ).keys():
        del os.environ[name]  # before torch starts its threads, and for the processes that the loops have
    click.echo(f"bench of {network}; {chosen}", err=True)
    if kind == "cuda":  # before torch looks: the GPU that is measured is the one that is named
        os.environ.update(seeing_only(gpus()[0]))
    from benchmark.bench.measure import measure_all
    from benchmark.bench.setup import Setup
    from benchmark.bench.write import render, write_bench

    setup = Setup(
        network=network,
        backbone=Network.model_validate(dict(NETWORKS[network])),
        batch_size=batch_size,
        steps=steps,
        images=images or _IMAGES[kind],
        epochs=epochs,
        threads=threads,
        precision=precision,
        compiled=compiled,
        device=kind,
        device_name=chosen.name,
    )
    try:
        measured = measure_all(setup, lambda text: click.echo(f"  {text}", err=True))
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; nothing was written.", err=True)
        sys.exit(130)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError("there is too little memory for this bench; take a smaller --batch-size") from error
    numbers = {
        "device": setup.device_name,
        "command": f"python run_suite.py {shlex.join(sys.argv[1:])}",
        "setup": setup.as_json(),
        **measured,
        "provenance": {**describe(kind), "end": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")},
    }
    paths = write_bench(numbers, reports_dir / "bench")
    click.echo(json.dumps(numbers, indent=1) if form == "json" else render(numbers, paths[2].name))
    click.echo(f"bench: {shown(paths[1])}", err=form == "json")
    if "epochs" in measured and not measured["epochs"]["learn_the_same"]:
        click.echo("warning: the loops did not learn the same, so their speeds do not compare", err=True)
        sys.exit(1)
