"""The conditional DCGAN's networks: shapes, ranges, gradients, and what is refused."""

import pytest
import torch

from course_utils import models

LATENT, CONDITION, CHANNELS, WIDTH = 5, 4, 2, 3


DISCRIMINATORS = {
    "concatenation": models.ConcatenationDiscriminator,
    "projection": models.ProjectionDiscriminator,
    "auxiliary classifier": models.AuxiliaryClassifierDiscriminator,
}
GIVEN_Y = ["concatenation", "projection"]


def pair(kind="projection", channels=CHANNELS, width=WIDTH, **options):
    torch.manual_seed(0)
    return (
        models.ConditionalGenerator(LATENT, CONDITION, channels, width),
        DISCRIMINATORS[kind](CONDITION, channels, width, **options),
    )


def batch(size=6):
    """z, y and images; y are any numbers, as a condition need not be a class."""
    torch.manual_seed(1)
    z, y = torch.randn(size, LATENT), torch.randn(size, CONDITION)
    return z, y, torch.rand(size, CHANNELS, 32, 32)


@pytest.mark.parametrize("channels, width", [(1, 6), (3, 1)])
def test_images_and_logits_have_their_shapes_and_ranges(channels, width):
    z, y, _ = batch(9)
    images = pair("projection", channels, width)[0](20 * z, y)
    assert images.shape == (9, channels, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    for kind in GIVEN_Y:
        assert pair(kind, channels, width)[1](images, y).shape == (9,)
    source, labels = pair("auxiliary classifier", channels, width)[1](images)
    assert source.shape == (9,) and labels.shape == (9, CONDITION)


@pytest.mark.parametrize("kind", GIVEN_Y)
def test_gradients_reach_every_parameter_z_y_and_every_pixel(kind):
    generator, discriminator = pair(kind)
    z, y, images = (part.requires_grad_() for part in batch())
    other = torch.randn_like(y).requires_grad_()
    (generator(z, y).square().sum() + discriminator(images, other).square().sum()).backward()
    assert all((part.grad != 0).all() for part in (z, y, other))
    assert (images.grad != 0).float().mean() > 0.99
    for net in (generator, discriminator):
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_gradients_of_the_auxiliary_classifier_reach_both_outputs_and_every_pixel():
    _, discriminator = pair("auxiliary classifier")
    images = batch()[2].requires_grad_()
    source, labels = discriminator(images)
    (source.square().sum() + labels.square().sum()).backward()
    assert (images.grad != 0).float().mean() > 0.99
    assert all(each.grad.abs().sum() > 0 for each in discriminator.parameters())


def test_concatenation_is_a_discriminator_of_x_and_constant_channels_of_y():
    _, discriminator = pair("concatenation")
    plain = models.Discriminator(CHANNELS + CONDITION, WIDTH)
    plain.load_state_dict(discriminator.joint.state_dict())
    _, y, images = batch()
    channels = torch.ones(len(y), CONDITION, 32, 32) * y[:, :, None, None]
    expected = plain(torch.cat([images, channels], dim=1))
    torch.testing.assert_close(discriminator(images, y), expected)


def test_source_and_labels_of_the_auxiliary_classifier_share_their_features():
    _, discriminator = pair("auxiliary classifier")
    images = batch()[2]
    h = discriminator.eval().features(2 * images - 1)
    source, labels = discriminator(images)
    torch.testing.assert_close(source, discriminator.source(h)[:, 0])
    torch.testing.assert_close(labels, discriminator.labels(h))


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
    torch.nn.init.ones_(discriminator.source.bias)
    plain = models.Discriminator(CHANNELS, WIDTH)
    taken = [*discriminator.features.parameters(), *discriminator.source.parameters()]
    for own, parameter in zip(plain.parameters(), taken):
        own.data = parameter.data
    table = discriminator.embedding.weight  # (features, condition): column k is V of class k
    _, y, images = batch()
    logits = discriminator.eval()(images, y)
    for image, condition, logit in zip(images, y, logits):
        h = plain.eval().layers[:-1](2 * image[None] - 1)[0]
        vector = sum(number * column for number, column in zip(condition, table.T))
        torch.testing.assert_close(logit, plain(image[None])[0] + h @ vector)


def test_the_embedding_of_y_starts_small():
    weight = models.ProjectionDiscriminator(CONDITION, width=16).embedding.weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("name", ["latent", "condition", "channels", "width"])
def test_sizes_that_cannot_be_built_are_refused(name):
    networks = [models.ConditionalGenerator, *DISCRIMINATORS.values()]
    for network in networks[: 1 if name == "latent" else None]:
        own = "classes" if (name, network) == ("condition", networks[-1]) else name
        for size in (0, -1, 2.5):
            with pytest.raises(ValueError, match="must be a whole number of at least 1"):
                network(**{own: size})


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
    for kind in GIVEN_Y:
        with pytest.raises(ValueError, match=said):
            pair(kind)[1](torch.zeros(x), torch.zeros(y))


def test_the_auxiliary_classifier_refuses_images_of_another_shape():
    for shape in ((4, 2, 28, 28), (4, 1, 32, 32), (2, 32, 32)):
        with pytest.raises(ValueError, match=r"takes \(N, 2, 32, 32\) images"):
            pair("auxiliary classifier")[1](torch.zeros(shape))


@pytest.mark.parametrize("kind", GIVEN_Y)
def test_without_normalisation_a_logit_depends_on_its_pair_alone_while_training_too(kind):
    _, y, images = batch()
    for options, independent in ({"normalise": False}, True), ({}, False):
        _, discriminator = pair(kind, **options)
        alone = [discriminator(*one) for one in zip(images.split(1), y.split(1))]
        assert torch.allclose(discriminator(images, y), torch.cat(alone), atol=1e-6) == independent
