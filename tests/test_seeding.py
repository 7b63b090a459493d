import itertools

import numpy as np
import pytest

from benchmark.seeding import stream


def raw(seed: int, purpose: str, epoch: int | None = None, count: int = 4) -> list[int]:
    bits = stream(seed, purpose, epoch).bit_generator
    assert isinstance(bits, np.random.Philox)
    return [int(word) for word in bits.random_raw(count)]


@pytest.mark.parametrize(
    ("seed", "purpose", "epoch", "words"),
    [
        (0, "masks/stage2", None, [14049904024988726547, 14041504694037445775, 7559237483708966362]),
        (3, "order", 7, [16225600330414349971, 7457764555126196953]),
    ],
)
def test_first_words_of_a_stream_never_change(seed: int, purpose: str, epoch: int | None, words: list[int]) -> None:
    assert raw(seed, purpose, epoch, len(words)) == words


def test_what_is_drawn_from_a_stream_never_changes() -> None:
    assert stream(0, "masks/stage2").permutation(8).tolist() == [6, 1, 7, 4, 0, 2, 5, 3]
    assert stream(3, "order", 7).permutation(8).tolist() == [2, 4, 6, 7, 5, 1, 0, 3]
    assert stream(1, "x").random(2).tolist() == [0.2454753416969201, 0.1362142536421468]
    normal = stream(1, "init/x").standard_normal(3, dtype="float32")
    assert normal.tolist() == [0.2786305546760559, 0.8175205588340759, -1.0809839963912964]


def test_seed_and_epoch_are_never_added() -> None:
    assert raw(0, "order", 1) != raw(1, "order", 0)
    assert raw(1, "order", 11) != raw(11, "order", 1)


def test_streams_of_different_names_have_nothing_in_common() -> None:
    names = list(itertools.product((0, 1, 2, 3, 10), ("order", "crop", "flip", "masks/stage2"), (None, 0, 1, 2, 10)))
    words = [word for name in names for word in raw(*name)]
    assert len(set(words)) == len(words)


def test_drawn_once_differs_from_the_first_epoch() -> None:
    assert raw(0, "order") != raw(0, "order", 0)


def test_a_stream_starts_afresh_however_much_of_it_or_another_was_used() -> None:
    stream(0, "crop", 0).random(1000)
    stream(0, "order", 0).random(1000)
    assert raw(0, "order", 0) == raw(0, "order", 0)


def test_purposes_look_independent() -> None:
    first, second = (stream(0, purpose, 0).random(10_000) for purpose in ("crop", "flip"))
    assert abs(float(np.corrcoef(first, second)[0, 1])) < 0.04
