"""The walking kernel: its sizes and numbers are torch's, and every setting can be drawn."""

from itertools import product

import numpy
import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from course_utils.widgets import convolution
from course_utils.widgets.convolution import CONTRIBUTIONS, FANCY, FORWARD, convolution_walk

SETTINGS = list(product(range(2, 7), range(1, 6), range(1, 4), range(4)))  # d, f, s, p


def by_torch(d, f, s, p, transposed):
    """None where torch has no output; for some sizes of 0 it returns an empty image instead."""
    image, weights = convolution.example(d, f)
    layer = conv_transpose2d if transposed else conv2d
    try:
        output = layer(image[None, None], weights[None, None], stride=s, padding=p)[0, 0]
    except RuntimeError:
        return None
    return output if output.numel() else None


@pytest.mark.parametrize("direction", convolution.DIRECTIONS)
def test_the_size_is_torchs_and_the_last_step_shows_what_torch_computes(direction):
    panels = {FORWARD: convolution._forward, CONTRIBUTIONS: convolution._contributions,
              FANCY: convolution._fancy}[direction]  # fmt: skip
    for d, f, s, p in SETTINGS:
        expected = by_torch(d, f, s, p, direction != FORWARD)
        side = convolution.output_size(d, f, p, s, direction != FORWARD)
        assert max(side, 0) == (0 if expected is None else len(expected))
        if side < 1:
            continue
        last = (d if direction == CONTRIBUTIONS else side) ** 2 - 1
        shown = panels(d, f, s, p, last)[2].numbers
        if direction == CONTRIBUTIONS:
            shown = shown[p : p + side, p : p + side].nan_to_num(0)  # NaN: no contribution
        torch.testing.assert_close(shown, expected)


@pytest.mark.parametrize("direction", convolution.DIRECTIONS)
def test_every_setting_is_drawn_and_the_walk_starts_again_after_its_last_place(direction):
    for setting, step in product(SETTINGS[::7], (0, 143)):
        image = convolution_walk(*setting, direction, step)
        assert image.shape == (470, 940, 3) and image.dtype == numpy.uint8
    setting = (5, 3, 1, 1) if direction == FORWARD else (3, 3, 2, 1)
    last = 8 if direction == CONTRIBUTIONS else 24
    first, last, again = (convolution_walk(*setting, direction, k) for k in (0, last, last + 1))
    assert numpy.array_equal(first, again) and not numpy.array_equal(first, last)


def test_what_gives_no_output_pixels_that_no_kernel_reaches_and_other_names_are_explained():
    assert "larger than the input" in convolution._sentences(2, 5, 1, 1, FORWARD, 0)[1]
    assert "cut off" in convolution._sentences(2, 1, 1, 1, CONTRIBUTIONS, 0)[2]
    said = convolution._sentences(6, 3, 0, 2, FORWARD, 2)
    assert "2.50, rounded down: 2" in said[0] and "last row and column" in said[1]
    colours = convolution._forward(6, 3, 2, 0, 0)[0].colours
    assert (colours == convolution.UNREACHED).sum() == 11
    with pytest.raises(ValueError, match="use one of forward"):
        convolution_walk(3, 3, 1, 0, "sideways", 0)
