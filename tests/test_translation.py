"""U-Net, residual generator and patch discriminator: shapes, bridges, and how far they reach."""

import pytest
import torch
from torch import nn

from course_utils import models


def unet(**sizes):
    torch.manual_seed(0)
    return models.UNet(**{"width": 4, **sizes})


@pytest.mark.parametrize("channels, colours, shape", [(1, 3, (32, 32)), (3, 1, (8, 40))])
def test_a_unet_keeps_the_size_and_draws_within_the_range(channels, colours, shape):
    net = unet(channels=channels, colours=colours)
    drawn = net(20 * torch.randn(3, channels, *shape))
    assert drawn.shape == (3, colours, *shape)
    assert drawn.min() >= 0 and drawn.max() <= 1


@pytest.mark.parametrize("shape", [(2, 1, 32, 28), (2, 3, 32, 32), (1, 32, 32)])
def test_images_that_do_not_fit_a_unet_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes \(N, 1, H, W\) with H and W multiples of 8"):
        unet()(torch.zeros(shape))


def test_a_single_pixel_passes_the_coarse_grid_by_a_bridge():
    """With the way over the coarser grids shut, a pixel still moves what is drawn next to it."""
    net = unet().eval()
    nn.init.zeros_(net.up[2][0].weight)
    x = torch.zeros(1, 1, 32, 32)
    y = x.clone()
    y[..., 16, 16] = 1
    changed = (net(x) != net(y)).any(1)[0].nonzero()
    assert changed.amin(0).tolist() == [15, 15] and changed.amax(0).tolist() == [17, 17]


def test_the_coarse_grid_carries_a_pixel_far():
    net = unet().eval()
    x = torch.zeros(1, 1, 32, 32)
    y = x.clone()
    y[..., 16, 16] = 1
    changed = (net(x) != net(y)).any(1)[0].nonzero()
    assert changed.amin() <= 4 and changed.amax() >= 28


@pytest.mark.parametrize("depth, sees", [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch_and_nothing_beside_it(depth, sees):
    torch.manual_seed(0)
    net = models.PatchDiscriminator(channels=2, width=3, depth=depth).eval()
    images = torch.rand(1, 2, 160, 160, requires_grad=True)
    logits = net(images)
    middle = logits.shape[1] // 2
    logits[0, middle, middle].backward()
    seen = images.grad.abs().sum((0, 1)).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [sees, sees]


@pytest.mark.parametrize("side", [32, 100, 256])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_there_is_a_map_of_logits_for_every_size(side, depth):
    net = models.PatchDiscriminator(channels=3, width=2, depth=depth, norm=nn.InstanceNorm2d)
    assert net(torch.rand(2, 3, side, 32)).shape == (2, side // 2**depth - 2, 32 // 2**depth - 2)


def test_gradients_reach_every_parameter_of_both():
    generator, discriminator = unet(), models.PatchDiscriminator(channels=4, width=4)
    outline = torch.rand(2, 1, 32, 32)
    pair = torch.cat([outline, generator(outline)], dim=1)
    discriminator(pair).square().sum().backward()
    for net in (generator, discriminator):
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("shape", [(2, 4, 32, 32), (2, 3, 8, 32), (3, 32, 32)])
def test_images_that_do_not_fit_a_patch_discriminator_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes \(N, 3, H, W\) of at least 12 pixels"):
        models.PatchDiscriminator(channels=3, width=2, depth=2)(torch.zeros(shape))


def test_sizes_that_cannot_be_built_are_refused():
    with pytest.raises(ValueError, match="width must be a whole number"):
        models.UNet(width=0)
    with pytest.raises(ValueError, match="depth must be a whole number"):
        models.PatchDiscriminator(depth=0)


def test_a_residual_generator_has_the_layers_of_the_paper():
    """c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3: 11.378 million numbers."""

    def convolution(before, after, kernel):
        return before * after * kernel**2 + after

    down = convolution(3, 64, 7) + convolution(64, 128, 3) + convolution(128, 256, 3)
    blocks = 9 * 2 * convolution(256, 256, 3)
    up = convolution(256, 128, 3) + convolution(128, 64, 3) + convolution(64, 3, 7)
    net = models.ResidualGenerator(channels=3, width=64, blocks=9, halvings=2)
    count = sum(parameter.numel() for parameter in net.parameters())
    assert count == down + blocks + up == 11_378_179


def written_out(net, x):
    """A residual generator of two blocks and one halving, layer by layer, on the same weights."""

    def mirrored(x, convolution):
        reach = convolution.weight.shape[-1] // 2
        x = nn.functional.pad(x, 4 * [reach], mode="reflect")
        return nn.functional.conv2d(x, convolution.weight, convolution.bias)

    def normalised(x):
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt()

    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    first, down, *blocks, up, last = (m for m in net.modules() if isinstance(m, kinds))
    x = normalised(mirrored(2 * x - 1, first)).relu()
    x = normalised(nn.functional.conv2d(x, down.weight, down.bias, 2, 1)).relu()
    for one, other in zip(blocks[::2], blocks[1::2]):
        x = x + normalised(mirrored(normalised(mirrored(x, one)).relu(), other))
    x = nn.functional.conv_transpose2d(x, up.weight, up.bias, 2, 1, output_padding=1)
    return mirrored(normalised(x).relu(), last).tanh() / 2 + 0.5


def residual_generator(**sizes):
    torch.manual_seed(0)
    return models.ResidualGenerator(**{"width": 4, "blocks": 2, "halvings": 1, **sizes})


def test_a_residual_generator_is_what_the_notation_says():
    net, images = residual_generator().double(), torch.rand(3, 3, 12, 10, dtype=torch.float64)
    assert torch.allclose(net(images), written_out(net, images), atol=1e-12)


@pytest.mark.parametrize(
    "sizes, shape",
    [
        ({"halvings": 1}, (4, 4)),
        ({"halvings": 1}, (32, 30)),
        ({"halvings": 2}, (8, 32)),
        ({"halvings": 3, "channels": 1}, (16, 16)),
    ],
)
def test_a_residual_generator_keeps_the_size_and_draws_within_the_range(sizes, shape):
    net = residual_generator(**sizes)
    drawn = net(torch.rand(2, net.channels, *shape))
    assert drawn.shape == (2, net.channels, *shape)
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_images_in_a_batch_of_a_residual_generator_do_not_know_of_each_other():
    net, images = residual_generator().double(), torch.rand(3, 3, 16, 16, dtype=torch.float64)
    alone = torch.cat([net(image) for image in images.split(1)])
    assert net.training and torch.allclose(net(images), alone, atol=1e-12)
    assert torch.allclose(net.eval()(images), alone, atol=1e-12)


def test_gradients_reach_every_weight_of_a_residual_generator():
    """But no bias that the normalisation takes away again, and that is there for the count."""
    net = residual_generator()
    net(torch.rand(2, 3, 16, 16)).square().sum().backward()
    for name, parameter in net.named_parameters():
        if name.endswith("weight"):
            assert parameter.grad.abs().sum() > 1e-3, name
    assert net.layers[-2].bias.grad.abs().sum() > 1e-3


@pytest.mark.parametrize(
    "shape", [(2, 1, 32, 32), (2, 3, 30, 32), (2, 3, 4, 32), (3, 32, 32), (3,)]
)
def test_images_that_do_not_fit_a_residual_generator_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\) .* multiples of 4 and at least 8; these"):
        residual_generator(halvings=2)(torch.zeros(shape))


@pytest.mark.parametrize("size", ["channels", "width", "blocks", "halvings"])
def test_a_residual_generator_that_cannot_be_built_is_refused(size):
    with pytest.raises(ValueError, match=f"{size} must be a whole number"):
        models.ResidualGenerator(**{size: 0})
