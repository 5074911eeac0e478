"""Keeping the content's colours."""

import pytest
import torch

from course_utils.data import colours

IMAGE = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))


def test_an_image_with_its_own_colours_is_itself():
    assert torch.allclose(colours.with_colours_of(IMAGE, IMAGE), IMAGE, atol=1e-6)


def test_brightness_is_of_one_and_colour_of_the_other():
    content = 0.4 + 0.2 * torch.rand(1, 3, 9, 7)  # far from the edges, so nothing is clipped
    image = 0.4 + 0.2 * IMAGE
    mixed = colours.with_colours_of(image, content)
    assert torch.allclose(colours.luminance(mixed), colours.luminance(image), atol=1e-6)
    differences = mixed - content  # the same in all channels where only brightness differs
    assert torch.allclose(differences, differences[:, :1].expand_as(differences), atol=1e-5)


def test_grey_stays_grey():
    grey = IMAGE[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(colours.luminance(grey), grey[:, :1], atol=1e-6)
    assert torch.allclose(colours.with_colours_of(grey, grey), grey, atol=1e-5)


def test_matched_luminance_has_mean_and_spread_of_the_content():
    content = 0.4 + 0.2 * torch.rand(1, 3, 30, 20)
    matched = colours.matched_luminance(IMAGE, content)
    ours, theirs = colours.luminance(matched), colours.luminance(content)
    assert torch.allclose(ours.mean(), theirs.mean(), atol=1e-5)
    assert torch.allclose(ours.std(), theirs.std(), atol=1e-5)


def test_a_style_of_one_grey_is_no_nan():
    matched = colours.matched_luminance(torch.full((1, 3, 4, 4), 0.5), IMAGE)
    assert matched.isfinite().all()


def test_images_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="9 × 7 and 8 × 8"):
        colours.with_colours_of(IMAGE, torch.rand(1, 3, 8, 8))
