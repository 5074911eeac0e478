"""Animals are drawn as their factors say, and partners differ in nothing but the animal."""

import pytest
import torch

from course_utils.data import animals
from tests.test_faces import factors_of, grid, refused

PLAIN = {
    "coat": 0.4, "facing": 1.0, "place": 0.0, "size": 0.5, "head": 0.7, "stride": 0.5,
    "sky": 0.4, "grass": 0.5, "horizon": 0.6, "tree": -0.8,
}  # fmt: skip


def render(kind="horse", resolution=64, **changes):
    return animals.render(factors_of(PLAIN | changes), kind, resolution=resolution)


def mask_of(kind="horse", **changes):
    """(64, 64): how much of each pixel one plain animal covers, but for the changes."""
    return animals.mask(1, kind, resolution=64, fixed=PLAIN | changes)[0, 0]


@pytest.mark.parametrize("kind", animals.KINDS[1:])
def test_partners_share_factors_and_background_and_a_zebra_the_shape(kind):
    horses, others = animals.draw(200, seed=4), animals.draw(200, kind, seed=4)
    assert all(torch.equal(horses.factors[name], others.factors[name]) for name in PLAIN)
    masks = animals.mask(200, seed=4), animals.mask(200, kind, seed=4)
    assert kind == "giraffe" or torch.equal(*masks)
    covered = torch.maximum(*masks)
    difference = (horses.images - others.images).abs()
    assert (difference * (covered == 0)).max() == 0
    assert (difference.amax(1, keepdim=True) > 0.1)[covered == 1].float().mean() > 0.5
    assert 0.5 < (covered == 0).float().mean() < 0.9


def test_a_giraffe_keeps_the_body_and_reaches_higher():
    horse, giraffe = mask_of() > 0.5, mask_of("giraffe") > 0.5
    x, y = grid(64)
    trunk = (x < 0.1) & (y < 0)
    assert torch.equal(horse[trunk], giraffe[trunk])
    assert y[giraffe].max() > y[horse].max() + 0.15


def test_the_coat_can_be_read_from_the_stripes():
    horses, zebras = render(coat=[0.0, 0.5, 1.0]), render("zebra", coat=[0.0, 0.5, 1.0])
    middle = (slice(None), slice(None), slice(32, 42), slice(24, 36))  # of the trunk
    darkest = zebras[middle].flatten(2).amin(2)
    plain = horses[middle].flatten(2).amin(2)
    torch.testing.assert_close(darkest, plain * animals.STRIPE, rtol=0, atol=0.02)
    assert zebras[middle].flatten(2).amax(2).min() > 0.8  # the pale between the stripes


@pytest.mark.parametrize("kind", animals.KINDS)
def test_neighbouring_coats_differ_but_in_a_grey_zebra_and_leave_the_scene_alone(kind):
    """So from every other kind there is a way back to the horse."""
    images = render(kind, coat=torch.linspace(0, 1, 9))
    steps = images.diff(dim=0).abs()
    of_each = steps.flatten(1).amax(1)
    assert (of_each == 0).all() if kind == "grey zebra" else (of_each > 0.02).all()
    assert not steps[:, :, mask_of(kind) == 0].any()


@pytest.mark.parametrize("size", [0.0, 1.0])
@pytest.mark.parametrize("facing", [0.0, 1.0])
def test_stripes_at_32_pixels(size, facing):
    """Along the trunk light and dark take turns, about three to four pixels a period."""
    dark = render("grey zebra", 32, size=size, facing=facing)[0, 1, 18, 9:23] < 0.5
    assert 6 <= (dark[1:] != dark[:-1]).sum() <= 10


@pytest.mark.parametrize("kind", animals.KINDS)
def test_every_factor_changes_the_image_and_the_scene_leaves_the_animal_alone(kind):
    for name, (low, high) in animals.RANGES.items():
        one, other = render(kind, **{name: [float(low), float(high)]})
        apart = (one - other).abs()
        assert (name, kind) == ("coat", "grey zebra") or apart.amax(0).gt(0.05).sum() >= 20, name
        if name in ("sky", "grass", "horizon", "tree"):
            assert apart[:, mask_of(kind) == 1].max() < 1e-5


def test_facing_place_size_and_head_move_as_they_say():
    assert torch.equal(mask_of(facing=0.0), mask_of(facing=1.0).flip(-1))
    x, y = grid(64)
    left, right = (x[mask_of(place=place, size=0.0) > 0.5].mean() for place in (-1.0, 1.0))
    assert left < -0.15 and right > left + 0.4
    assert (mask_of(size=1.0) > 0.5).sum() > 1.3 * (mask_of(size=0.0) > 0.5).sum()
    grazing, high = (y[(mask_of(head=head) > 0.5) & (x > 0.45)].max() for head in (0.0, 1.0))
    assert grazing < high - 0.4


@pytest.mark.parametrize("kind", animals.KINDS)
def test_animals_are_seen_whole(kind):
    masks = animals.mask(2000, kind, seed=3)
    assert masks.shape == (2000, 1, 32, 32) and masks.min() == 0 and masks.max() == 1
    assert animals.mask(3, kind, device="meta").is_meta
    whole = masks > 0.5
    edges = torch.cat([whole[..., 0], whole[..., -1], whole[:, :, 0], whole[:, :, -1]], dim=1)
    assert edges.any(-1).any(-1).float().mean() < 0.06  # at most a tip of a nose or tail


@pytest.mark.parametrize("draw", [animals.draw, animals.mask])
def test_bad_arguments_are_refused(draw):
    for arguments, says in [
        ({"kind": "cow"}, "no kind 'cow'; choose one of horse, zebra, grey zebra, giraffe"),
        ({"fixed": {"coat": 1.5}}, "coat must lie between 0.0 and 1.0"),
        ({"fixed": {"coat": "red", "head": 1}}, "The fixed coat is 'red'; use a finite number"),
    ]:
        with refused(ValueError, says):
            draw(2, **arguments)
