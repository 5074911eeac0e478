"""The two styles of emoji of lesson 06b."""

import pytest
import torch

from course_utils.data import emoji


def test_the_same_seed_in_the_other_style_has_the_same_factors_and_other_pixels():
    solid, line = (emoji.draw(20, style, seed=3) for style in emoji.STYLES)
    assert all(torch.equal(solid.factors[name], line.factors[name]) for name in emoji.FACTORS)
    assert (solid.images - line.images).abs().mean() > 0.1
    for images in (solid.images, line.images):
        assert images.shape == (20, 3, 32, 32) and images.min() >= 0 and images.max() <= 1


def test_the_first_faces_do_not_depend_on_how_many_follow():
    few, more = (emoji.draw(count, "line", seed=5).images for count in (3, 300))
    assert torch.equal(few, more[:3])


@pytest.mark.parametrize("style", emoji.STYLES)
@pytest.mark.parametrize("name", emoji.FACTORS)
def test_every_factor_is_seen_in_both_styles(style, name):
    opened = {"open": 0.5} if name == "smile" else {}
    low, high = (
        emoji.draw(8, style, fixed={**opened, name: value}).images for value in emoji.RANGES[name]
    )
    assert ((low - high).abs().amax((1, 2, 3)) > 0.2).all()


def test_domains_have_no_pair_and_the_test_images_have_their_ground_truth():
    some = emoji.unpaired(6, test_size=4, seed=2)
    assert some.domains == emoji.STYLES
    assert torch.equal(some.truth_of_test_x, emoji.draw(4, "line", seed=10).images)
    assert torch.equal(some.truth_of_test_y, emoji.draw(4, "solid", seed=11).images)
    assert not any(torch.equal(some.y, emoji.draw(6, "line", seed=seed).images) for seed in (8, 10))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"style": "wax"}, "There is no style"),
        ({"resolution": 8}, "resolution"),
        ({"fixed": {"smile": 2.0}}, "smile must lie between"),
        ({"fixed": {"nose": 0.0}}, "nose"),
    ],
)
def test_refuses(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        emoji.draw(2, **given)


def test_refuses_factors_that_are_missing_or_of_other_shapes():
    factors = emoji.sample_factors(2)
    with pytest.raises(ValueError, match="has the factors"):
        emoji.render({"hue": factors["hue"]})
    with pytest.raises(ValueError, match="same shape"):
        emoji.render(factors | {"hue": torch.zeros(3)})
