"""The activation maps of a suite's runs, image by image, before any picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data.pixels import centre_crops
from benchmark.results.record import ActivationMap
from benchmark.results.store import Result
from benchmark.results.trials import Trials
from benchmark.runs.axes import Dataset
from benchmark.runs.spec import TrainSpec
from benchmark.suites.suite import Suite


@dataclass(frozen=True)
class Sample:
    """One test image; ``pixels`` ``[S, S, 3]`` only where they are at hand."""

    image: int
    label: int
    pixels: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Gallery:
    """Who looked where: a sample by its place in ``samples``, a network by its row's name."""

    rows: tuple[str, ...]
    samples: tuple[Sample, ...]
    maps: Mapping[tuple[int, str], ActivationMap]


def collect_maps(suite: Suite, runs: Trials, cache_dir: Path | None) -> Gallery:
    """The maps that the runs of seed 0 left; only one seed has its groups of channels in common.

    Args:
        suite: the suite under its profile; of each row the first column's run is shown.
        runs: that profile's results.
        cache_dir: where packed images lie; None to show maps alone.
    """
    places: dict[tuple[Dataset, int], int] = {}
    samples: list[Sample] = []
    maps: dict[tuple[int, str], ActivationMap] = {}
    pixels: dict[Dataset, list[NDArray[np.uint8]] | None] = {}
    names = tuple(row.name for row in suite.manifest.rows)
    for name in names:
        result = _first_run(suite, name, runs)
        if result is None or not result.activation_maps:
            continue
        dataset = result.spec.dataset
        if dataset not in pixels:
            pixels[dataset] = centre_crops(dataset, result.provenance.data_digest, cache_dir)
        for one in result.activation_maps:
            if (dataset, one.image) not in places:
                places[dataset, one.image] = len(samples)
                samples.append(Sample(one.image, one.label, _pick(pixels[dataset], one.image)))
            maps[places[dataset, one.image], name] = one
    return Gallery(names, tuple(samples), maps)


def _first_run(suite: Suite, row: str, runs: Trials) -> Result | None:
    spec = next((cell.spec for cell in suite.cells if cell.row == row), None)
    if not isinstance(spec, TrainSpec):
        return None
    return next((result for result in runs.of(spec) if result.spec == spec), None)  # cells carry seed 0


def _pick(pixels: list[NDArray[np.uint8]] | None, image: int) -> NDArray[np.uint8] | None:
    return None if pixels is None else np.array(pixels[image])
