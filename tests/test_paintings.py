"""The paintings and photographs of the lesson on style transfer: composed, distinct, repeatable."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.data import paintings, photographs


@pytest.fixture(scope="module")
def gallery():
    """Every painting at 128 pixels, by name."""
    return {name: paintings.paint(name, 128) for name in paintings.NAMES}


def shrunk(image, size):
    return F.interpolate(image, (size, size), mode="area")


def texture(image):
    """How much brightness changes from pixel to pixel at three scales, as part of its spread."""
    grey = image.mean(1, keepdim=True)
    levels = [grey, shrunk(grey, 64), shrunk(grey, 32), shrunk(grey, 16)]
    details = [
        (fine - F.interpolate(coarse, fine.shape[2:], mode="bilinear")).std()
        for fine, coarse in zip(levels, levels[1:])
    ]
    return torch.stack(details)


def colour_shares(image, steps=4):
    """Which share of the pixels has each of steps ** 3 colours."""
    place = (image[0] * steps).long().clamp(0, steps - 1)
    codes = (place[0] * steps + place[1]) * steps + place[2]
    return torch.bincount(codes.flatten(), minlength=steps**3) / codes.numel()


@pytest.mark.parametrize("name", paintings.NAMES)
@pytest.mark.parametrize("size", [256, 512])
def test_a_painting_is_an_image(name, size):
    image = paintings.paint(name, size)
    assert image.shape == (1, 3, size, size) and image.dtype == torch.float32
    assert image.is_contiguous() and 0 <= image.min() and image.max() <= 1
    assert image.std() > 0.1


@pytest.mark.parametrize("name", paintings.NAMES)
@pytest.mark.parametrize("size", [1, 7, 61, 97])
def test_any_size(name, size):
    image = paintings.paint(name, size)
    assert image.shape == (1, 3, size, size) and image.isfinite().all()


@pytest.mark.parametrize("name", paintings.NAMES)
def test_a_seed_decides(name, gallery):
    assert torch.equal(paintings.paint(name, 128), gallery[name])
    other = paintings.paint(name, 128, seed=1)
    assert (other - gallery[name]).abs().mean() > 0.005
    # Another painting in the same style.
    assert (colour_shares(other) - colour_shares(gallery[name])).abs().sum() < 0.8


@pytest.mark.parametrize("name", paintings.NAMES)
def test_the_composition_is_the_same_at_every_size(name, gallery):
    large = shrunk(paintings.paint(name, 256), 32)
    both = torch.stack([large.flatten(), shrunk(gallery[name], 32).flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.97


@pytest.mark.parametrize("name", paintings.NAMES)
def test_there_is_texture_at_every_scale(name, gallery):
    assert (texture(gallery[name]) > 0.018).all()


def test_no_two_paintings_are_alike(gallery):
    for number, one in enumerate(paintings.NAMES):
        for other in paintings.NAMES[number + 1 :]:
            apart = (colour_shares(gallery[one]) - colour_shares(gallery[other])).abs().sum() / 2
            assert apart > 0.4, (one, other)


@pytest.mark.parametrize("call", [paintings.paint, photographs.photograph])
def test_an_argument_that_cannot_be_used(call):
    with pytest.raises(ValueError, match="There is no .* 'mona_lisa'; choose one of .*, ") as info:
        call("mona_lisa")
    assert str(info.value).endswith(".")
    for size in (0, -3, 1.5, "64", True, None):
        with pytest.raises(ValueError, match="size is .*; use a whole number of at least 1"):
            call(call.__globals__["NAMES"][0], size)


def test_a_seed_that_cannot_be_used():
    for seed in (-1, 0.5, "one"):
        with pytest.raises(ValueError, match="seed is .*; use a whole number of at least 0"):
            paintings.paint("mosaic", 32, seed)
    assert torch.equal(
        paintings.paint("mosaic", np.int64(32), np.int64(3)), paintings.paint("mosaic", 32, 3)
    )


def test_painting_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(0)
    np.random.seed(0)
    expected = torch.rand(1), np.random.random()
    torch.manual_seed(0)
    np.random.seed(0)
    for name in paintings.NAMES:
        paintings.paint(name, 16)
    assert (torch.rand(1), np.random.random()) == expected


@pytest.mark.parametrize("name", photographs.NAMES)
def test_a_photograph_fills_its_frame(name):
    for size in (1, 33, 256):
        image = photographs.photograph(name, size)
        assert image.shape == (1, 3, size, size) and image.dtype == torch.float32
        assert 0 <= image.min() and image.max() <= 1 and image.is_contiguous()
    assert image.std() > 0.1
    crop = photographs.CROPS[name]
    height, width = photographs._original(crop).shape[:2]
    assert crop.left + crop.side <= width and crop.top + crop.side <= height


def test_photographs_are_shrunk_without_jagged_edges():
    small = photographs.photograph("cat", 32)
    averaged = shrunk(photographs.photograph("cat", 256), 32)
    assert (small - averaged).abs().mean() < 0.02
