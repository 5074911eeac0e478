"""U-Net, residual generator and patch discriminator: shapes, skips and receptive fields."""

from functools import partial

import pytest
import torch
from torch import nn

from course_utils import models


def unet(**sizes):
    torch.manual_seed(0)
    return models.UNet(**{"width": 4, **sizes})


def patches(**sizes):
    torch.manual_seed(0)
    return models.PatchDiscriminator(**{"channels": 3, "width": 2, **sizes})


def residual_generator(**sizes):
    torch.manual_seed(0)
    return models.ResidualGenerator(**{"width": 4, "blocks": 2, **sizes})


@pytest.mark.parametrize(
    "net, colours, shape",
    [
        (unet(channels=1, colours=3), 3, (1, 32, 32)),
        (unet(channels=3, colours=1), 1, (3, 8, 40)),
        (residual_generator(halvings=1), 3, (3, 4, 4)),
        (residual_generator(), 3, (3, 8, 32)),
        (residual_generator(halvings=3, channels=1), 1, (1, 16, 16)),
    ],
)
def test_a_generator_keeps_the_size_and_draws_within_the_range(net, colours, shape):
    drawn = net(20 * torch.randn(2, *shape))
    assert drawn.shape == (2, colours, *shape[1:])
    assert drawn.min() >= 0 and drawn.max() <= 1


@pytest.mark.parametrize(
    "make, message, size",
    [
        (unet, r"takes \(N, 1, H, W\) with H and W multiples of 8", (32, 28)),
        (partial(patches, depth=2), r"takes \(N, 3, H, W\) of at least 12 pixels", (8, 32)),
        (residual_generator, r"\(N, 3, H, W\) .* multiples of 4 and at least 8; these", (30, 32)),
    ],
)
def test_images_that_do_not_fit_are_refused(make, message, size):
    net = make()
    channels = net.channels
    wrong = [(2, channels, *size), (2, channels, 4, 32), (2, channels + 1, 32, 32)]
    for shape in [*wrong, (channels, 32, 32), (3,)]:
        with pytest.raises(ValueError, match=message):
            net(torch.zeros(shape))


def test_a_network_that_cannot_be_built_is_refused():
    pairs = [(unet, "width"), (patches, "depth")]
    pairs += [(residual_generator, size) for size in ("channels", "width", "blocks", "halvings")]
    for make, size in pairs:
        with pytest.raises(ValueError, match=f"{size} must be a whole number"):
            make(**{size: 0})


@pytest.mark.parametrize("way, first, last", [("skip", 15, 17), ("coarse", 0, 31)])
def test_a_pixel_reaches_its_neighbours_by_a_skip_and_far_ones_by_the_coarse_grid(way, first, last):
    net = unet().eval()
    if way == "skip":
        nn.init.zeros_(net.up[2][0].weight)  # the way over the coarser grids is shut
    x = torch.zeros(1, 1, 32, 32)
    y = x.clone()
    y[..., 16, 16] = 1
    changed = (net(x) != net(y)).any(1)[0].nonzero()
    reached = changed.amin(0).tolist() + changed.amax(0).tolist()
    assert reached == 2 * [first] + 2 * [last]


@pytest.mark.parametrize("depth, sees", [(1, 16), (2, 34), (3, 70)])
def test_a_logit_has_its_patch_as_receptive_field(depth, sees):
    images = torch.rand(1, 2, 160, 160, requires_grad=True)
    logits = patches(channels=2, width=3, depth=depth).eval()(images)
    middle = logits.shape[1] // 2
    logits[0, middle, middle].backward()
    seen = images.grad.abs().sum((0, 1)).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [sees, sees]


@pytest.mark.parametrize("side, depth", [(32, 1), (32, 3), (100, 2), (256, 3)])
def test_there_is_a_grid_of_logits_for_every_size(side, depth):
    net = patches(depth=depth, norm=nn.InstanceNorm2d)
    assert net(torch.rand(2, 3, side, 32)).shape == (2, side // 2**depth - 2, 32 // 2**depth - 2)


def test_gradients_reach_every_parameter():
    """But no bias that instance normalisation takes away again."""
    generator, discriminator, residual = unet(), patches(channels=4), residual_generator()
    edges = torch.rand(2, 1, 32, 32)
    discriminator(torch.cat([edges, generator(edges)], dim=1)).square().sum().backward()
    residual(torch.rand(2, 3, 16, 16)).square().sum().backward()
    for net, least in (generator, 0), (discriminator, 0), (residual, 1e-3):
        for name, parameter in net.named_parameters():
            if net is not residual or name.endswith("weight") or parameter is net.layers[-2].bias:
                assert parameter.grad.abs().sum() > least, name


def test_a_residual_generator_has_the_layers_of_the_paper():
    """c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3: 11.378 million numbers."""
    net = models.ResidualGenerator(channels=3, width=64, blocks=9, halvings=2)
    assert sum(parameter.numel() for parameter in net.parameters()) == 11_378_179


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


def test_a_residual_generator_is_what_the_notation_says_for_each_image_alone():
    net = residual_generator(halvings=1).double()
    images = torch.rand(3, 3, 12, 10, dtype=torch.float64)
    expected = torch.cat([written_out(net, image) for image in images.split(1)])
    assert net.training and torch.allclose(net(images), expected, atol=1e-12)
    assert torch.allclose(net.eval()(images), expected, atol=1e-12)
