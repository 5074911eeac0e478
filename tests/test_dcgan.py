"""The DCGAN's two networks: shapes, ranges, gradients, and sizes that are refused."""

import pytest
import torch

from course_utils import models


def pair(latent=5, channels=3, width=4):
    torch.manual_seed(0)
    return models.Generator(latent, channels, width), models.Discriminator(channels, width)


@pytest.mark.parametrize("channels, width", [(1, 6), (3, 1)])
def test_images_and_logits_have_their_shapes_and_ranges(channels, width):
    generator, discriminator = pair(7, channels, width)
    images = generator(20 * torch.randn(9, 7))
    assert images.shape == (9, channels, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert discriminator(images).shape == (9,)


def test_after_training_the_logit_of_an_image_depends_on_it_alone():
    discriminator = pair()[1].eval()
    images = torch.rand(4, 3, 32, 32)
    alone = torch.cat([discriminator(image[None]) for image in images])
    assert torch.allclose(discriminator(images), alone, atol=1e-6)


def test_weights_start_small_as_in_the_paper():
    generator, discriminator = pair(width=16)
    for layer in (generator.layers[0], generator.layers[4], discriminator.layers[5]):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert generator.layers[2].weight.mean().item() == pytest.approx(1, abs=0.02)


def test_every_pixel_gets_equally_many_contributions():
    """The kernel's size is a multiple of the stride, so a flat input gives a flat image."""
    layer = pair()[0].layers[10]
    torch.nn.init.ones_(layer.weight)
    inside = layer(torch.ones(1, layer.in_channels, 16, 16))[..., 1:-1, 1:-1]
    assert torch.allclose(inside, inside[..., :1, :1].expand_as(inside), atol=1e-6)


@pytest.mark.parametrize("name, size", [("latent", 0), ("channels", -1), ("width", 2.5)])
def test_sizes_that_cannot_be_built_are_refused(name, size):
    for network in (models.Generator, models.Discriminator)[: 1 if name == "latent" else 2]:
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1"):
            network(**{name: size})


@pytest.mark.parametrize("shape", [(4, 6), (5,), (4, 5, 1, 1)])
def test_latent_variables_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes \(N, 5\) latent variables"):
        pair()[0](torch.zeros(shape))


@pytest.mark.parametrize("shape", [(4, 3, 28, 28), (4, 1, 32, 32), (3, 32, 32)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes \(N, 3, 32, 32\) images"):
        pair()[1](torch.zeros(shape))
