"""The paintings and photographs of the lesson on style transfer: composed, distinct, repeatable."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.data import paintings, photographs


@pytest.fixture(scope="module")
def gallery():
    return {name: paintings.paint(name, 128) for name in paintings.NAMES}


def shrunk(image, size):
    return F.interpolate(image, (size, size), mode="area")


def colour_shares(image):
    """(4, 4, 4): which share of the pixels has each of 64 colours."""
    pixels = image[0].flatten(1).T
    return torch.histogramdd(pixels, 4, range=[0.0, 1.0] * 3).hist / len(pixels)


@pytest.mark.parametrize(
    "make, name, size",
    [(paintings.paint, name, size) for name in paintings.NAMES for size in (1, 7, 61, 97, 256)]
    + [(photographs.photograph, name, size) for name in photographs.NAMES for size in (1, 33, 256)],
)
def test_an_image_of_any_size(make, name, size):
    image = make(name, size)
    assert image.shape == (1, 3, size, size) and image.dtype == torch.float32
    assert image.is_contiguous() and 0 <= image.min() and image.max() <= 1
    assert size < 256 or image.std() > 0.1


@pytest.mark.parametrize("name", paintings.NAMES)
def test_a_painting_depends_on_its_seed_not_its_size_and_has_texture(name, gallery):
    assert torch.equal(paintings.paint(name, 128), gallery[name])
    large = shrunk(paintings.paint(name, 256), 32)
    both = torch.stack([large.flatten(), shrunk(gallery[name], 32).flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.97
    grey = gallery[name].mean(1, keepdim=True)
    levels = [grey, shrunk(grey, 64), shrunk(grey, 32), shrunk(grey, 16)]
    for fine, coarse in zip(levels, levels[1:]):  # there is texture at every scale
        assert (fine - F.interpolate(coarse, fine.shape[2:], mode="bilinear")).std() > 0.018
    # Another seed gives another painting in the same style.
    other = paintings.paint(name, 128, seed=1)
    assert (other - gallery[name]).abs().mean() > 0.005
    assert (colour_shares(other) - colour_shares(gallery[name])).abs().sum() < 0.8


def test_no_two_paintings_are_alike(gallery):
    shares = torch.stack([colour_shares(image).flatten() for image in gallery.values()])
    apart = torch.cdist(shares, shares, p=1) / 2 + torch.eye(len(shares))
    assert apart.min() > 0.4


@pytest.mark.parametrize("call", [paintings.paint, photographs.photograph])
def test_an_argument_that_cannot_be_used(call):
    with pytest.raises(ValueError, match="There is no .* 'mona_lisa'; choose one of .*, .*[.]$"):
        call("mona_lisa")
    for size in (0, -3, 1.5, "64", True, None):
        with pytest.raises(ValueError, match="size is .*; use a whole number from 1 to 4096"):
            call(call.__globals__["NAMES"][0], size)
    if call == paintings.paint:
        for seed in (-1, 0.5, "one"):
            with pytest.raises(ValueError, match="seed is .*; use a whole number of at least 0"):
                call("mosaic", 32, seed)
        assert torch.equal(call("mosaic", np.int64(32), np.int64(3)), call("mosaic", 32, 3))


def test_painting_leaves_the_random_numbers_of_others_alone():
    before = torch.get_rng_state(), np.random.get_state()[1:3]
    for name in paintings.NAMES:
        paintings.paint(name, 16)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_equal(np.random.get_state()[1:3], before[1])


@pytest.mark.parametrize("name", photographs.NAMES)
def test_a_photograph_holds_the_whole_crop_and_is_shrunk_without_jagged_edges(name):
    crop = photographs.CROPS[name]
    height, width = photographs._original(crop).shape[:2]
    assert crop.left + crop.side <= width and crop.top + crop.side <= height
    averaged = shrunk(photographs.photograph(name, 256), 32)
    assert (photographs.photograph(name, 32) - averaged).abs().mean() < 0.02
