"""Damage: as much as was asked for, where it may be, and the same again from the same seed."""

import pytest
import torch

from course_utils.data import corruption

SHARES = [0.1, 0.3, 0.5, 0.9]
OF_PIXELS = ["mask", "salt and pepper", "block"]


@pytest.fixture(autouse=True)
def same_dice():
    torch.manual_seed(0)


def images(count=200, colours=3, height=16, width=24):
    """Images without a black or white pixel, so that every hit shows."""
    return 0.2 + 0.6 * torch.rand(count, colours, height, width)


def hits(x, damaged):
    """(N, C, H, W) booleans: what was changed."""
    return damaged != x


@pytest.mark.parametrize("kind", corruption.KINDS)
@pytest.mark.parametrize("colours", [1, 3])
def test_images_stay_images_and_the_original_is_left_alone(kind, colours):
    x = images(5, colours)
    before = x.clone()
    damaged = corruption.KINDS[kind](x, 0.4)
    assert damaged.shape == x.shape and damaged.dtype == x.dtype
    assert torch.equal(x, before) and not torch.equal(damaged, x)
    if kind != "gaussian":
        assert damaged.min() >= 0 and damaged.max() <= 1


@pytest.mark.parametrize("kind", corruption.KINDS)
def test_the_same_seed_gives_the_same_damage_and_another_another(kind):
    x = images(5)
    torch.manual_seed(1)
    first = corruption.KINDS[kind](x, 0.4)
    torch.manual_seed(1)
    assert torch.equal(first, corruption.KINDS[kind](x, 0.4))
    assert not torch.equal(first, corruption.KINDS[kind](x, 0.4))


@pytest.mark.parametrize("kind", corruption.KINDS)
def test_strength_zero_changes_nothing(kind):
    x = images(5)
    assert torch.equal(corruption.KINDS[kind](x, 0), x)


@pytest.mark.parametrize("kind", OF_PIXELS)
def test_share_one_leaves_nothing(kind):
    x = images(5)
    damaged = corruption.KINDS[kind](x, 1)
    assert hits(x, damaged).all()
    assert ((damaged == 0) | (damaged == 1)).all()
    if kind != "salt and pepper":
        assert not damaged.any()


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", OF_PIXELS)
def test_the_share_that_is_hit_is_the_share_asked_for(kind, share):
    x = images()
    hit = hits(x, corruption.KINDS[kind](x, share)).float()
    # 76,800 pixels: a deviation of the random ones is at most 0.002; a block's sides are rounded.
    assert hit.mean().item() == pytest.approx(share, abs=0.04 if kind == "block" else 0.01)


@pytest.mark.parametrize("kind", OF_PIXELS)
def test_the_colours_of_a_pixel_go_together(kind):
    x = images()
    hit = hits(x, corruption.KINDS[kind](x, 0.4))
    assert torch.equal(hit.any(1), hit.all(1))


def test_salt_and_pepper_are_half_and_half_and_grey():
    x = images()
    damaged = corruption.salt_and_pepper(x, 0.5)
    hit = hits(x, damaged)
    assert damaged[hit].mean().item() == pytest.approx(0.5, abs=0.01)
    assert set(damaged[hit].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(damaged[:, 0] == 1, damaged[:, 2] == 1)


@pytest.mark.parametrize("kind", OF_PIXELS)
def test_every_image_is_damaged_in_its_own_place(kind):
    x = images(50)
    hit = hits(x, corruption.KINDS[kind](x, 0.3))[:, 0].flatten(1)
    assert len(hit.unique(dim=0)) > 25


def test_noise_has_the_deviation_asked_for_and_no_mean():
    x = images()
    noise = corruption.gaussian(x, 0.3) - x
    assert noise.mean().item() == pytest.approx(0, abs=0.003)
    assert noise.std().item() == pytest.approx(0.3, rel=0.01)
    # Each colour gets noise of its own.
    assert torch.corrcoef(noise.transpose(0, 1).flatten(1))[0, 1].abs() < 0.02
    assert corruption.gaussian(x, 3).min() < -1  # not cut off


@pytest.mark.parametrize("share", SHARES)
def test_a_block_is_one_whole_rectangle_with_sides_to_the_pixel(share):
    x = images(100, 1, 20, 20)
    hit = hits(x, corruption.cutout(x, share))[:, 0]
    side = round(20 * share**0.5)
    for one in hit:
        rows, columns = one.any(1).nonzero().flatten(), one.any(0).nonzero().flatten()
        assert len(rows) == len(columns) == side
        assert one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert one.sum() == side**2


def test_a_block_can_be_anywhere_in_the_image_also_at_the_edges():
    x = torch.ones(2000, 1, 8, 8)
    hit = ~corruption.cutout(x, 0.25).bool()[:, 0]
    tops = hit.any(2).int().argmax(1)
    assert tops.unique().tolist() == [0, 1, 2, 3, 4]
    assert (torch.bincount(tops) > 300).all()


@pytest.mark.parametrize("kind", OF_PIXELS)
@pytest.mark.parametrize("share", [-0.1, 1.1, 30, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(kind, share):
    with pytest.raises(ValueError, match="damaged pixels is .*; give a number from 0 to 1"):
        corruption.KINDS[kind](images(1), share)


@pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf")])
def test_noise_of_no_strength_is_refused(sigma):
    with pytest.raises(ValueError, match="noise has strength .*; give 0 or more"):
        corruption.gaussian(images(1), sigma)


@pytest.mark.parametrize("kind", corruption.KINDS)
def test_no_images_are_no_trouble(kind):
    assert corruption.KINDS[kind](torch.zeros(0, 3, 8, 8), 0.5).shape == (0, 3, 8, 8)
