"""Keeping the content's colours."""

import pytest
import torch

from course_utils.data import colours

IMAGE = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
CONTENT = 0.4 + 0.2 * IMAGE.flip(0, 2)  # far from the edges, so nothing is clipped


def test_brightness_is_of_one_and_colour_of_the_other_of_the_same_size():
    image = 0.4 + 0.2 * IMAGE
    mixed = colours.with_colours_of(image, CONTENT)
    assert torch.allclose(colours.luminance(mixed), colours.luminance(image), atol=1e-6)
    differences = mixed - CONTENT  # the same in all channels where only brightness differs
    assert torch.allclose(differences, differences[:, :1].expand_as(differences), atol=1e-5)
    with pytest.raises(ValueError, match="9 × 7 and 8 × 8"):
        colours.with_colours_of(IMAGE, torch.rand(1, 3, 8, 8))


def test_an_image_with_its_own_colours_is_itself_and_grey_has_its_own_luminance():
    grey = IMAGE[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(colours.with_colours_of(IMAGE, IMAGE), IMAGE, atol=1e-6)
    assert torch.allclose(colours.with_colours_of(grey, grey), grey, atol=1e-5)
    assert torch.allclose(colours.luminance(grey), grey[:, :1], atol=1e-6)


def test_matched_luminance_has_mean_and_spread_of_the_content():
    matched = colours.matched_luminance(IMAGE[:, :, :5], CONTENT)
    ours, theirs = colours.luminance(matched), colours.luminance(CONTENT)
    assert torch.allclose(ours.mean(), theirs.mean(), atol=1e-5)
    assert torch.allclose(ours.std(), theirs.std(), atol=1e-5)
    assert colours.matched_luminance(torch.full((1, 3, 4, 4), 0.5), IMAGE).isfinite().all()
