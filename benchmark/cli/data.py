"""``data``: the publishers' image files: what is there, fetching, checking."""

from pathlib import Path

import click

from benchmark.cli.options import Group, data_option, scratch_option
from benchmark.cli.output import row, say
from benchmark.data.meta import FILE, read_meta
from benchmark.errors import DataError
from benchmark.runs.catalogue import DATASETS

_NAME = click.argument("name", type=click.Choice(list(DATASETS)), metavar="NAME")


@click.group(cls=Group)
def data() -> None:
    """The publishers' image files: what is there, fetching, checking."""


@data.command("list")
@data_option
@scratch_option
def list_sets(data_dir: Path | None, scratch_dir: Path) -> None:
    """What is there, what is missing, how large, from where. Nothing is written.

    For example: run_suite.py data list --data-dir /data
    """
    from benchmark.data.archives import PUBLICATIONS
    from benchmark.data.places import FOLDERS, glance

    for name, facts in DATASETS.items():
        published, folder = PUBLICATIONS[name], data_dir / FOLDERS[name] if data_dir else None
        state = f"{glance(name, folder)}: {folder}" if folder else "no --data-dir (SFE_DATA_DIR) named"
        images = f"{facts.train_images:,} + {facts.test_images:,} images of {facts.classes} classes"
        size = f"{published.size / 1e6:,.0f} MB to fetch" if published.size else "size not known"
        row(f"{name:<15} {state}")
        row(f"{'':<15} {images}, {size}, from {published.home}")
        for packed in _packed(scratch_dir / "data", name):
            row(f"{'':<15} packed: {packed}")


@data.command()
@_NAME
@data_option
def get(name: str, data_dir: Path | None) -> None:
    """Fetch a set and unpack it in DATA_DIR. A broken download is resumed.

    For example: run_suite.py data get cifar100 --data-dir /data
    """
    from benchmark.data import fetch
    from benchmark.data.places import FOLDERS

    folder = _named(data_dir)
    fetched = fetch.get(name, folder)
    say(f"{DATASETS[name].title} is {'now' if fetched else 'already'} in {folder / FOLDERS[name]}")


@data.command()
@_NAME
@data_option
def check(name: str, data_dir: Path | None) -> None:
    """Read every image of a set and hold it against the publisher's lists. Nothing is written.

    For example: run_suite.py data check cifar100 --data-dir /data
    """
    from benchmark.data import fetch

    say(fetch.check(name, _named(data_dir)))


def _named(data_dir: Path | None) -> Path:
    if data_dir is None:
        raise DataError("which folder? name it with --data-dir (or SFE_DATA_DIR)")
    return data_dir


def _packed(cache: Path, name: str) -> list[str]:
    """The packed copies of a set, each with its size."""
    found = []
    for path in sorted(cache.glob(f"{name}*/{FILE}")):
        meta = read_meta(path.parent)
        if meta and meta.dataset == name:  # a damaged one is made anew by the next run
            found.append(f"{path.parent}, {sum(meta.files.values()) / 1e6:,.0f} MB")
    return found
