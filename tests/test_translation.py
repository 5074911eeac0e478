"""U-Net and patch discriminator: shapes, bridges, and how far a patch reaches."""

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
def test_pictures_that_do_not_fit_a_unet_are_refused(shape):
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
    pictures = torch.rand(1, 2, 160, 160, requires_grad=True)
    logits = net(pictures)
    middle = logits.shape[1] // 2
    logits[0, middle, middle].backward()
    seen = pictures.grad.abs().sum((0, 1)).nonzero()
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
def test_pictures_that_do_not_fit_a_patch_discriminator_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes \(N, 3, H, W\) of at least 12 pixels"):
        models.PatchDiscriminator(channels=3, width=2, depth=2)(torch.zeros(shape))


def test_sizes_that_cannot_be_built_are_refused():
    with pytest.raises(ValueError, match="width must be a whole number"):
        models.UNet(width=0)
    with pytest.raises(ValueError, match="depth must be a whole number"):
        models.PatchDiscriminator(depth=0)
