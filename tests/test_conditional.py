"""The conditional DCGAN's two networks: shapes, ranges, gradients, and what is refused."""

import pytest
import torch

from course_utils import models

LATENT, CONDITION, CHANNELS, WIDTH = 5, 4, 2, 3


def pair(channels=CHANNELS, width=WIDTH, **options):
    torch.manual_seed(0)
    return (
        models.ConditionalGenerator(LATENT, CONDITION, channels, width),
        models.ConditionalDiscriminator(CONDITION, channels, width, **options),
    )


def batch(size=6):
    """z, y and images; y are any numbers, as a condition need not be a class."""
    torch.manual_seed(1)
    z, y = torch.randn(size, LATENT), torch.randn(size, CONDITION)
    return z, y, torch.rand(size, CHANNELS, 32, 32)


@pytest.mark.parametrize("channels, width", [(1, 6), (3, 1)])
def test_images_and_logits_have_their_shapes_and_ranges(channels, width):
    generator, discriminator = pair(channels, width)
    z, y, _ = batch(9)
    images = generator(20 * z, y)
    assert images.shape == (9, channels, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert discriminator(images, y).shape == (9,)


def test_gradients_reach_every_parameter_z_y_and_every_pixel():
    generator, discriminator = pair()
    z, y, images = (part.requires_grad_() for part in batch())
    other = torch.randn_like(y).requires_grad_()
    (generator(z, y).square().sum() + discriminator(images, other).square().sum()).backward()
    assert all((part.grad != 0).all() for part in (z, y, other))
    assert (images.grad != 0).float().mean() > 0.99
    for net in (generator, discriminator):
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_first_layer_adds_a_part_for_z_and_a_part_for_y():
    generator, _ = pair()
    z, y, _ = batch()
    first = generator.draw.layers[0]
    of_z, of_y = first.weight.split([LATENT, CONDITION], dim=1)
    seen = []
    first.register_forward_hook(lambda layer, given, made: seen.append(made))
    generator(z, y)
    torch.testing.assert_close(seen[0], z @ of_z.T + y @ of_y.T)


def test_the_logit_is_the_formula_of_the_projection_with_the_features_of_the_dcgan():
    """Of each pair alone: w·h + b + h·Vy."""
    _, discriminator = pair()
    torch.nn.init.ones_(discriminator.realistic.bias)
    plain = models.Discriminator(CHANNELS, WIDTH)
    taken = [*discriminator.features.parameters(), *discriminator.realistic.parameters()]
    for own, parameter in zip(plain.parameters(), taken):
        own.data = parameter.data
    table = discriminator.fitting.weight  # (features, condition): column k is V of class k
    _, y, images = batch()
    logits = discriminator.eval()(images, y)
    for image, condition, logit in zip(images, y, logits):
        h = plain.eval().layers[:-1](2 * image[None] - 1)[0]
        vector = sum(number * column for number, column in zip(condition, table.T))
        torch.testing.assert_close(logit, plain(image[None])[0] + h @ vector)


def test_the_embedding_of_y_starts_small():
    weight = models.ConditionalDiscriminator(CONDITION, width=16).fitting.weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("name", ["latent", "condition", "channels", "width"])
def test_sizes_that_cannot_be_built_are_refused(name):
    networks = [models.ConditionalGenerator, models.ConditionalDiscriminator]
    for network in networks[: 1 if name == "latent" else 2]:
        for size in (0, -1, 2.5):
            with pytest.raises(ValueError, match="must be a whole number of at least 1"):
                network(**{name: size})


@pytest.mark.parametrize(
    ("z", "y"),
    [((4, 6), (4, 4)), ((4, 5), (4, 3)), ((4, 5), (3, 4)), ((4, 5), (4,)), ((4, 4), (4, 5))],
)
def test_a_generator_refuses_noise_and_conditions_of_another_shape(z, y):
    with pytest.raises(ValueError, match=r"takes z \(N, 5\) and y \(N, 4\)"):
        pair()[0](torch.zeros(z), torch.zeros(y))


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ((4, 2, 28, 28), (4, 4), r"takes \(N, 2, 32, 32\) images"),
        ((4, 1, 32, 32), (4, 4), r"takes \(N, 2, 32, 32\) images"),
        ((2, 32, 32), (2, 4), r"takes \(N, 2, 32, 32\) images"),
        ((4, 2, 32, 32), (1, 4), "as many conditions"),
        ((4, 2, 32, 32), (4, 3), r"condition is \(N, 4\) here; these are \(4, 3\)"),
        ((4, 2, 32, 32), (4,), r"condition is \(N, 4\) here; these are \(4,\)"),
    ],
)
def test_a_discriminator_refuses_images_and_conditions_of_another_shape(x, y, said):
    with pytest.raises(ValueError, match=said):
        pair()[1](torch.zeros(x), torch.zeros(y))


def test_without_normalisation_a_logit_depends_on_its_pair_alone_while_training_too():
    _, y, images = batch()
    for options, independent in ({"normalise": False}, True), ({}, False):
        _, discriminator = pair(**options)
        alone = [discriminator(*one) for one in zip(images.split(1), y.split(1))]
        assert torch.allclose(discriminator(images, y), torch.cat(alone), atol=1e-6) == independent
