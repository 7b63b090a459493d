from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.methods.mixing import InputMixing, Mixed, cut_out
from benchmark.runs.axes import Mixing

CPU = torch.device("cpu")


def mixing(
    *, cutout: int | None = None, mixup: float | None = None, seed: int = 0, images: int = 40, size: int = 12
) -> InputMixing:
    what = Mixing(cutout_size=cutout, mixup_alpha=mixup)
    return InputMixing(what, seed=seed, images=images, image_size=size, device=CPU)


def pictures(count: int, size: int = 12) -> Tensor:
    """No pixel of which is zero."""
    return 1 + torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def mix(one: InputMixing, images: Tensor, samples: Sequence[int], step: int = 0) -> Mixed:
    """The labels are the sample numbers, so that a partner can be told by its label."""
    numbers = torch.tensor(samples)
    return one(images[numbers], numbers, numbers, step)


def test_a_copy_has_every_part_in_memory_of_its_own() -> None:
    """A part that was left out would keep the numbers of the batch before, and nobody would notice."""
    batches = [Mixed(*(torch.full((2,), float(10 * n + part)) for part in range(4))) for n in (1, 2)]
    static = batches[0].clone()
    places = {name: one.data_ptr() for name, one in vars(static).items()}
    assert not set(places.values()) & {one.data_ptr() for one in vars(batches[0]).values()}
    static.copy_(batches[1])
    assert {name: one.data_ptr() for name, one in vars(static).items()} == places
    assert all(torch.equal(one, getattr(batches[1], name)) for name, one in vars(static).items())
    assert float(batches[0].images[0]) == 10


def test_a_batch_without_partners_has_none_in_a_copy() -> None:
    batch = Mixed(torch.ones(1), torch.ones(1), None, torch.ones(()))
    batch.clone().copy_(batch)
    assert batch.clone().partner_labels is None


# ------------------------------------------------------------------ Cutout


def cut_by_hand(image: Tensor, row: int, col: int, size: int) -> Tensor:
    """Pixel by pixel."""
    side, out = image.shape[-1], image.clone()
    for y in range(side):
        for x in range(side):
            if row - size // 2 <= y < row - size // 2 + size and col - size // 2 <= x < col - size // 2 + size:
                out[:, y, x] = 0
    return out


@pytest.mark.parametrize("size", [1, 3, 4, 8, 12])
def test_cutout_against_a_loop_over_pixels(size: int) -> None:
    rng = np.random.default_rng(0)
    centres = torch.tensor([[0, 0], [11, 11], [0, 11], [5, 6], *rng.integers(0, 12, (8, 2)).tolist()])
    images = pictures(len(centres))
    cut = cut_out(images, centres, size)
    for image, found, (row, col) in zip(images, cut, centres.tolist(), strict=True):
        assert torch.equal(found, cut_by_hand(image, row, col, size))


def test_cutout_is_devries_and_taylors() -> None:
    # their code: y1 = clip(y - length // 2, 0, h), y2 = clip(y + length // 2, 0, h), mask[y1:y2, x1:x2] = 0
    images, length = pictures(12 * 12), 8
    centres = torch.tensor([[y, x] for y in range(12) for x in range(12)])
    cut = cut_out(images, centres, length)
    for image, found, (y, x) in zip(images, cut, centres.tolist(), strict=True):
        mask = np.ones((12, 12), np.float32)
        y1, y2 = np.clip([y - length // 2, y + length // 2], 0, 12)
        x1, x2 = np.clip([x - length // 2, x + length // 2], 0, 12)
        mask[y1:y2, x1:x2] = 0
        assert torch.equal(found, image * torch.from_numpy(mask))


def test_cutout_is_clipped_at_the_edge() -> None:
    images = pictures(3)
    cut = cut_out(images, torch.tensor([[6, 6], [0, 6], [0, 0]]), 4)
    assert [int((image[0] == 0).sum()) for image in cut] == [16, 8, 4]


def test_cutout_centres_are_uniform_over_the_image() -> None:
    one = mixing(cutout=4, images=12_000)
    one.draw(epoch=0, steps=1)
    counts = np.zeros((12, 12))
    np.add.at(counts, tuple(one.centres.T.numpy()), 1)  # 83 expected in each pixel, standard deviation 9
    assert counts.min() > 83 - 45
    assert counts.max() < 83 + 45


def test_a_samples_square_depends_on_neither_batch_nor_order() -> None:
    images = pictures(40)
    first, second = mixing(cutout=4), mixing(cutout=4)
    first.draw(epoch=3, steps=2)
    second.draw(epoch=3, steps=10)
    whole = mix(first, images, range(40)).images
    for step, samples in enumerate(np.random.default_rng(0).permutation(40).reshape(10, 4).tolist()):
        assert torch.equal(mix(second, images, samples, step).images, whole[samples])


def test_squares_differ_between_epochs_and_seeds() -> None:
    drawn = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        one = mixing(cutout=4, seed=seed)
        one.draw(epoch, steps=1)
        drawn.append(one.centres)
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[1], drawn[2])


# ------------------------------------------------------------------ Mixup


def test_mixup_is_its_formula() -> None:
    images, one = pictures(40), mixing(mixup=1.0)
    one.draw(epoch=0, steps=4)
    for step in range(4):
        samples = list(range(10 * step, 10 * step + 10))
        mixed = mix(one, images, samples, step)
        assert mixed.partner_labels is not None
        assert mixed.labels.tolist() == samples
        share = mixed.share.item()
        assert 0 <= share <= 1
        wanted = share * images[mixed.labels] + (1 - share) * images[mixed.partner_labels]
        assert torch.allclose(mixed.images, wanted, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_partners_are_a_permutation_of_the_batch(count: int) -> None:
    one = mixing(mixup=1.0)
    one.draw(epoch=0, steps=1)
    samples = np.random.default_rng(0).permutation(40)[:count].tolist()
    partners = mix(one, pictures(40), samples).partner_labels
    assert partners is not None
    assert sorted(partners.tolist()) == sorted(samples)
    if count == 40:
        assert partners.tolist() != samples


def shares(one: InputMixing, steps: int) -> list[float]:
    return [mix(one, pictures(40), [0, 1], step).share.item() for step in range(steps)]


def test_one_share_a_batch_from_the_beta_distribution() -> None:
    for alpha, variance in ((1.0, 1 / 12), (0.2, 1 / 5.6)):  # of Beta(a, a): 1 / (4 (2a + 1))
        one = mixing(mixup=alpha)
        one.draw(epoch=0, steps=2000)
        drawn = one.shares.numpy()
        assert np.mean(drawn) == pytest.approx(0.5, abs=0.04)
        assert np.var(drawn) == pytest.approx(variance, rel=0.1)


def test_shares_differ_between_epochs_and_seeds() -> None:
    drawn = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        one = mixing(mixup=1.0, seed=seed)
        one.draw(epoch, steps=3)
        drawn.append(shares(one, 3))
        assert len(set(drawn[-1])) == 3  # a step has its own
    assert not set(drawn[0]) & set(drawn[1])
    assert not set(drawn[0]) & set(drawn[2])
    assert not set(drawn[1]) & set(drawn[2])


def test_mixups_choices_do_not_depend_on_the_batch_size() -> None:
    small, large = mixing(mixup=1.0), mixing(mixup=1.0)
    small.draw(epoch=0, steps=10)
    large.draw(epoch=0, steps=4)
    assert shares(small, 4) == shares(large, 4)
    samples = list(range(10))
    pairs = [mix(one, pictures(40), samples).partner_labels for one in (small, large)]
    assert pairs[0] is not None
    assert pairs[1] is not None
    assert pairs[0].tolist() == pairs[1].tolist()


# ------------------------------------------------------------------ together, or not at all


def test_cutout_comes_before_mixup() -> None:
    images, one, cutout = pictures(10), mixing(cutout=4, mixup=1.0), mixing(cutout=4)
    one.draw(epoch=0, steps=1)
    cutout.draw(epoch=0, steps=1)
    cut = mix(cutout, images, range(10)).images
    mixed = mix(one, images, range(10))
    assert mixed.partner_labels is not None
    wanted = mixed.share * cut + (1 - mixed.share) * cut[mixed.partner_labels]
    assert torch.equal(mixed.images, wanted)


def test_without_mixing_the_batch_is_left_alone() -> None:
    images, one = pictures(10), mixing()
    one.draw(epoch=0, steps=1)
    mixed = mix(one, images, range(10))
    assert torch.equal(mixed.images, images)
    assert mixed.partner_labels is None
    assert mixed.share == 1
