"""The images behind results: how many were trained on, and which were tested on as well."""

import re
from collections.abc import Sequence

from benchmark.data.cifar import LAYOUTS
from benchmark.results.store import Result


def train_images(results: Sequence[Result]) -> str | None:
    """For instance ``10000``; where trials differ, each number. None without results."""
    return " or ".join(dict.fromkeys(_trained_on(result) for result in results)) or None


def test_copies(results: Sequence[Result]) -> str | None:
    """For instance ``10 of 10000``: test images that are training images too. None where none is known of."""
    found = [images for result in results if (images := result.provenance.images)]  # results of before have no counts
    texts = [f"{images.test_in_train} of {images.test}" for images in found if images.test_in_train]
    return " or ".join(dict.fromkeys(texts)) or None


def grouped(text: str) -> str:
    """With commas in its numbers, for readers."""
    return re.sub(r"\d+", lambda number: f"{int(number[0]):,}", text)


def _trained_on(result: Result) -> str:
    if images := result.provenance.images:
        return str(images.train)
    dataset = result.spec.dataset
    asked, published = dataset.train_images, dataset.facts.train_images
    sure = dataset.source == "standin" or (dataset.source == "official" and dataset.name in LAYOUTS)
    if asked:  # of which there may have been fewer, unless they were generated or their files are known to the byte
        return str(asked) if sure else f"up to {asked}"
    return str(published) if published else "all"  # nobody counted a folder of one's own
