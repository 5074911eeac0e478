"""The walking kernel: its sizes and numbers are torch's, and every setting can be drawn."""

from itertools import product

import numpy
import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from course_utils.widgets import convolution
from course_utils.widgets.convolution import (
    FANCY,
    FORWARD,
    STAMPS,
    convolution_walk,
)

SETTINGS = list(product(range(2, 7), range(1, 6), range(1, 4), range(4)))  # d, f, s, p


def by_torch(d, f, s, p, transposed):
    image, weights = convolution.example(d, f)
    layer = conv_transpose2d if transposed else conv2d
    return layer(image[None, None], weights[None, None], stride=s, padding=p)[0, 0]


def size_by_torch(*setting):
    """0 where torch refuses; for some sizes of 0 it returns an empty image instead."""
    try:
        return len(by_torch(*setting))
    except RuntimeError:
        return 0


@pytest.mark.parametrize("transposed", [False, True])
def test_the_size_is_torch_s_and_below_one_where_torch_has_none(transposed):
    for d, f, s, p in SETTINGS:
        size = convolution.output_size(d, f, p, s, transposed)
        assert max(size, 0) == size_by_torch(d, f, s, p, transposed)


def test_the_last_step_shows_what_torch_computes():
    """Of every setting that has an output, in all three walks."""
    for (d, f, s, p), direction in product(SETTINGS, convolution.DIRECTIONS):
        transposed = direction != FORWARD
        side = convolution.output_size(d, f, p, s, transposed)
        if side < 1:
            continue
        panels = {FORWARD: convolution._forward, STAMPS: convolution._contributions,
                  FANCY: convolution._fancy}[direction]  # fmt: skip
        last = (d if direction == STAMPS else side) ** 2 - 1
        shown = panels(d, f, s, p, last)[2].numbers
        if direction == STAMPS:
            shown = shown[p : p + side, p : p + side].nan_to_num(0)  # NaN: no contribution
        torch.testing.assert_close(shown, by_torch(d, f, s, p, transposed))


def test_every_setting_is_drawn_at_the_same_size():
    for (d, f, s, p), direction in product(SETTINGS[::7], convolution.DIRECTIONS):
        for step in (0, 143):
            image = convolution_walk(d, f, s, p, direction, step)
            assert image.shape == (convolution.HEIGHT, convolution.WIDTH, 3)
            assert image.dtype == numpy.uint8


@pytest.mark.parametrize("direction", convolution.DIRECTIONS)
def test_the_walk_starts_again_after_its_last_place(direction):
    places = 9 if direction == STAMPS else 25
    setting = (3, 3, 2, 1) if direction != FORWARD else (5, 3, 1, 1)
    first = convolution_walk(*setting, direction, 0)
    assert numpy.array_equal(first, convolution_walk(*setting, direction, places))
    assert not numpy.array_equal(first, convolution_walk(*setting, direction, places - 1))


def test_what_gives_no_output_is_explained():
    assert "larger than the input" in convolution._sentences(2, 5, 1, 1, FORWARD, 0)[1]
    assert "cut off" in convolution._sentences(2, 1, 1, 1, STAMPS, 0)[2]
    convolution_walk(2, 5, 1, 1, FORWARD, 0)
    convolution_walk(2, 1, 1, 1, FANCY, 0)


def test_pixels_that_no_kernel_reaches_are_counted():
    said = convolution._sentences(6, 3, 0, 2, FORWARD, 2)
    assert "2.50, rounded down: 2" in said[0] and "last row and column" in said[1]
    colours = convolution._forward(6, 3, 2, 0, 0)[0].colours
    assert (colours == convolution.UNREAD).sum() == 11


def test_the_fancy_border_is_cut_where_it_would_be_negative():
    image = torch.arange(9.0).view(3, 3)
    assert torch.equal(convolution.fancy_padding(image, 1, 1, 1), image[1:2, 1:2])
    spread = convolution.fancy_padding(image, 1, 2, 0)
    assert torch.equal(spread[::2, ::2], image) and spread.count_nonzero() == 8


def test_another_direction_is_refused():
    with pytest.raises(ValueError, match="use one of forward"):
        convolution_walk(3, 3, 1, 0, "sideways", 0)
