"""The conditional DCGAN's two players: shapes, ranges, gradients, and what is refused."""

import pytest
import torch

from course_utils import models

LATENT, CONDITION, CHANNELS, WIDTH = 5, 4, 2, 3


def pair(channels=CHANNELS, width=WIDTH):
    torch.manual_seed(0)
    return (
        models.ConditionalGenerator(LATENT, CONDITION, channels, width),
        models.ConditionalDiscriminator(CONDITION, channels, width),
    )


def batch(size=6):
    """z, y and images; y are any numbers, as a condition need not be a class."""
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(size, LATENT, generator=generator),
        torch.randn(size, CONDITION, generator=generator),
        torch.rand(size, CHANNELS, 32, 32, generator=generator),
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("width", [1, 6])
def test_images_and_logits_have_their_shapes_and_ranges(channels, width):
    generator, discriminator = pair(channels, width)
    z, y, _ = batch(9)
    images = generator(20 * z, y)
    assert images.shape == (9, channels, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert discriminator(images, y).shape == (9,)


def test_gradients_reach_every_parameter_of_both_players():
    generator, discriminator = pair()
    z, y, _ = batch()
    discriminator(generator(z, y), y).square().sum().backward()
    for net in (generator, discriminator):
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_gradients_reach_z_y_and_every_pixel():
    generator, discriminator = pair()
    z, y, images = (part.requires_grad_() for part in batch())
    generator.eval()(z, y).square().sum().backward()
    assert (z.grad != 0).all() and (y.grad != 0).all()
    y.grad = None
    discriminator(images, y).square().sum().backward()
    assert (y.grad != 0).all()
    assert (images.grad != 0).float().mean() > 0.99


def test_the_same_noise_with_another_condition_is_another_image():
    generator, _ = pair()
    z, y, _ = batch(2)
    same_z = z[:1].expand(2, -1)
    first, second = generator.eval()(same_z, y)
    assert not torch.equal(first, second)


def test_the_first_layer_adds_a_part_for_z_and_a_part_for_y():
    generator, _ = pair()
    z, y, _ = batch()
    first = generator.draw.layers[0]
    of_z, of_y = first.weight.split([LATENT, CONDITION], dim=1)
    seen = []
    first.register_forward_hook(lambda layer, given, made: seen.append(made))
    generator(z, y)
    torch.testing.assert_close(seen[0], z @ of_z.T + y @ of_y.T)


def test_a_one_hot_condition_picks_one_column_a_class():
    generator, _ = pair()
    first = generator.draw.layers[0]
    y = torch.eye(CONDITION)
    grids = first(torch.cat([torch.zeros(CONDITION, LATENT), y], dim=1))
    torch.testing.assert_close(grids, first.weight[:, LATENT:].T)


def test_the_logit_is_the_formula_of_the_projection():
    """Of each pair alone: w·h + b + h·Vy."""
    _, discriminator = pair()
    discriminator.eval()
    _, y, images = batch()
    weight, bias = discriminator.realistic.weight[0], discriminator.realistic.bias[0]
    table = discriminator.fitting.weight  # (features, condition): column k is V of class k
    logits = discriminator(images, y)
    for image, condition, logit in zip(images, y, logits):
        h = discriminator.features(2 * image[None] - 1)[0]
        vector = sum(number * column for number, column in zip(condition, table.T))
        torch.testing.assert_close(logit, weight @ h + bias + h @ vector)


def test_without_its_second_part_a_discriminator_does_not_see_the_condition():
    _, discriminator = pair()
    discriminator.eval()
    _, y, images = batch()
    assert not torch.allclose(discriminator(images, y), discriminator(images, -y))
    torch.nn.init.zeros_(discriminator.fitting.weight)
    torch.testing.assert_close(discriminator(images, y), discriminator(images, -y))


def test_without_the_condition_it_is_the_discriminator_of_a_plain_gan():
    _, conditional = pair()
    plain = models.Discriminator(CHANNELS, WIDTH)
    with torch.no_grad():
        for own, taken in zip(
            plain.parameters(),
            [*conditional.features.parameters(), *conditional.realistic.parameters()],
        ):
            own.copy_(taken)
    _, y, images = batch()
    torch.testing.assert_close(conditional(images, torch.zeros_like(y)), plain(images))


def test_after_training_a_pair_is_judged_by_itself():
    _, discriminator = pair()
    discriminator.eval()
    _, y, images = batch()
    alone = [discriminator(*one) for one in zip(images.split(1), y.split(1))]
    torch.testing.assert_close(discriminator(images, y), torch.cat(alone))


def test_weights_start_small_as_in_the_paper():
    discriminator = models.ConditionalDiscriminator(CONDITION, width=16)
    for layer in (discriminator.realistic, discriminator.fitting):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("size", [0, -1, 2.5])
@pytest.mark.parametrize("name", ["latent", "condition", "channels", "width"])
def test_sizes_that_cannot_be_built_are_refused(name, size):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        models.ConditionalGenerator(**{name: size})
    if name != "latent":
        with pytest.raises(ValueError, match="must be a whole number of at least 1"):
            models.ConditionalDiscriminator(**{name: size})


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


def test_without_normalisation_a_pair_is_judged_by_itself_while_training_too():
    torch.manual_seed(0)
    discriminator = models.ConditionalDiscriminator(4, 3, 5, normalise=False)
    images, y = torch.rand(6, 3, 32, 32), torch.randn(6, 4)
    together = discriminator(images, y)
    alone = torch.cat([discriminator(images[i : i + 1], y[i : i + 1]) for i in range(6)])
    assert torch.allclose(together, alone, atol=1e-6)
    assert not torch.allclose(models.ConditionalDiscriminator(4, 3, 5)(images, y), together)
