"""Damage: as much as was asked for, where it may be, and the same again from the same seed."""

import math
from itertools import product

import pytest
import torch
from torch.nn.functional import pad

from course_utils.data import corruption

SHARES = [0.1, 0.3, 0.5, 0.9]
OF_PIXELS = ["mask", "salt and pepper", "block"]


@pytest.fixture(autouse=True)
def same_seed():
    torch.manual_seed(0)


def images(count=200, colours=3, height=16, width=24):
    """Images without a black or white pixel, so that every hit shows."""
    return 0.2 + 0.6 * torch.rand(count, colours, height, width)


@pytest.mark.parametrize("kind", corruption.KINDS)
@pytest.mark.parametrize("colours", [1, 3])
def test_images_stay_images_the_original_stays_and_the_seed_decides(kind, colours):
    damage, x = corruption.KINDS[kind], images(5, colours)
    before = x.clone()
    torch.manual_seed(1)
    damaged = damage(x, 0.4)
    assert damaged.shape == x.shape and damaged.dtype == x.dtype
    assert torch.equal(x, before) and not torch.equal(damaged, x)
    assert kind == "gaussian" or (damaged.min() >= 0 and damaged.max() <= 1)
    torch.manual_seed(1)
    assert torch.equal(damage(x, 0.4), damaged) and not torch.equal(damage(x, 0.4), damaged)
    assert torch.equal(damage(x, 0), x)
    assert damage(torch.zeros(0, colours, 8, 8), 0.5).shape == (0, colours, 8, 8)


@pytest.mark.parametrize("kind", OF_PIXELS)
@pytest.mark.parametrize("share", [*SHARES, 1])
def test_the_share_that_is_hit_is_the_share_asked_for_and_the_colours_go_together(kind, share):
    x = images()
    damaged = corruption.KINDS[kind](x, share)
    hit = damaged != x
    # 76,800 pixels: a deviation of the random ones is at most 0.002; a block's sides are rounded.
    within = 0 if share == 1 else 0.04 if kind == "block" else 0.01
    assert hit.float().mean().item() == pytest.approx(share, abs=within)
    assert torch.equal(hit.any(1), hit.all(1))
    if kind == "salt and pepper":
        assert damaged[hit].unique().tolist() == [0, 1]
        assert (damaged[:, 0] == 1).equal(damaged[:, 2] == 1)  # grey
        assert share < 0.5 or damaged[hit].mean().item() == pytest.approx(0.5, abs=0.01)
    else:
        assert not damaged[hit].any()
    # Each image is hit in its own place; a block of this share has 96 places.
    assert share != 0.3 or len(hit.flatten(1).unique(dim=0)) > 70


def test_noise_has_the_deviation_asked_for_and_no_mean():
    x = images()
    noise = corruption.gaussian(x, 0.3) - x
    assert noise.mean().item() == pytest.approx(0, abs=0.003)
    assert noise.std().item() == pytest.approx(0.3, rel=0.01)
    # Each colour gets noise of its own.
    assert torch.corrcoef(noise.transpose(0, 1).flatten(1))[0, 1].abs() < 0.02
    assert corruption.gaussian(x, 3).min() < -1  # not cut off


@pytest.mark.parametrize("share", SHARES)
def test_a_block_is_a_rectangle_with_sides_to_the_pixel_anywhere_in_the_image(share):
    hit = ~corruption.cutout(torch.ones(4000, 1, 20, 20), share).bool()[:, 0]
    side = round(20 * share**0.5)
    places = 20 - side + 1
    assert hit.equal(hit.any(2)[:, :, None] & hit.any(1)[:, None])
    for lines in (hit.any(1), hit.any(2)):
        assert (lines.sum(1) == side).all()
        assert ((pad(lines.int(), (1, 0)).diff() == 1).sum(1) == 1).all()  # without a gap
        starts = lines.int().argmax(1).bincount()
        assert len(starts) == places and (starts > 0.75 * 4000 / places).all()


def test_a_strength_that_is_none_is_refused():
    for kind, share in product(OF_PIXELS, (-0.1, 1.1, 30, math.nan, math.inf)):
        with pytest.raises(ValueError, match="damaged pixels is .*; use a number from 0 to 1"):
            corruption.KINDS[kind](images(1), share)
    for sigma in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="strength of the noise is .*; use 0 or more"):
            corruption.gaussian(images(1), sigma)
