"""Image-to-image translation: two generators and the PatchGAN discriminator.

The U-Net and the discriminator are those of Isola, Zhu, Zhou and Efros (2017, pix2pix), for paired
images; the residual generator is that of Zhu, Park, Isola and Efros (2017, CycleGAN), for unpaired
ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .grids import Norm, double, halve
from .sizes import check_sizes


class UNet(nn.Module):
    """An image -> an image of the same size in [0, 1]: encoder, decoder and skip connections.

    Three strided convolutions halve height and width, three transposed ones double them again.
    At every size a skip connection concatenates the encoder's feature maps to the decoder's, and
    at the full size the input image itself, so that details need not pass through the coarse grid
    (Ronneberger, Fischer and Brox 2015). Kernels of 4 with stride 2, as in the `Generator`.

    Args:
        channels: channels of the input image.
        colours: channels of the output image.
        width: channels at the full size; the coarser grids have 2, 3 and 4 times as many.
        norm: channels -> the normalisation between the convolutions.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> UNet(channels=1, colours=3)(torch.rand(2, 1, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(
        self,
        channels: int = 1,
        colours: int = 3,
        width: int = 8,
        norm: Norm = nn.BatchNorm2d,
    ):
        super().__init__()
        check_sizes(channels=channels, colours=colours, width=width)
        self.channels = channels
        fine, middle, coarse = 2 * width, 3 * width, 4 * width
        self.down = nn.ModuleList(
            [halve(channels, fine, norm), halve(fine, middle, norm), halve(middle, coarse, norm)]
        )
        self.up = nn.ModuleList(
            [
                double(coarse, middle, norm),
                double(2 * middle, fine, norm),
                double(2 * fine, width, norm),
            ]
        )
        self.leave = nn.Sequential(nn.Conv2d(width + channels, colours, 3, padding=1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(N, colours, H, W) in [0, 1] for (N, channels, H, W); H and W are multiples of 8.

        Raises:
            ValueError: other channels, or a size that cannot be halved three times.
        """
        if x.dim() != 4 or x.shape[1] != self.channels or x.shape[2] % 8 or x.shape[3] % 8:
            raise ValueError(
                f"This network takes (N, {self.channels}, H, W) with H and W multiples of 8; "
                f"these are {tuple(x.shape)}."
            )
        skips = [x]
        for down in self.down:
            skips.append(down(skips[-1]))
        h = skips.pop()
        for up in self.up:
            h = torch.cat([up(h), skips.pop()], dim=1)
        return self.leave(h)


class PatchDiscriminator(nn.Module):
    """An image -> a grid of logits, one per patch, above 0 for "real" (PatchGAN).

    `depth` convolutions with stride 2, one with stride 1 and a last one that makes the logit, all
    with kernels of 4. All but the last are followed by LeakyReLU with slope 0.2, and all but the
    first and the last by a normalisation. The receptive field of a logit has a side of 16 pixels
    at depth 1, 34 at depth 2 and 70 at depth 3, the one that the paper prefers for images of 256.
    There is no sigmoid: the loss takes the logits.

    For a pair of images, concatenate their channels.

    Args:
        channels: channels of the input.
        width: channels after the first convolution; each further one doubles them, up to 8 times.
        depth: how many convolutions halve height and width.
        norm: channels -> the normalisation. Its statistics are those of a whole image
            (`nn.InstanceNorm2d`) or of the batch (`nn.BatchNorm2d`), so that in training a logit
            depends a little on pixels outside of its receptive field.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> PatchDiscriminator(depth=2)(torch.rand(2, 3, 64, 64)).shape  # 64 / 2² - 2
        torch.Size([2, 14, 14])
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 32,
        depth: int = 2,
        norm: Norm = nn.BatchNorm2d,
    ):
        super().__init__()
        check_sizes(channels=channels, width=width, depth=depth)
        self.channels, self.depth = channels, depth
        layers: list[nn.Module] = []
        before, after = channels, width
        for number in range(depth + 1):
            stride = 2 if number < depth else 1
            layers.append(nn.Conv2d(before, after, 4, stride, padding=1))
            layers += [norm(after)] if number else []
            layers.append(nn.LeakyReLU(0.2))
            before, after = after, min(2 * after, 8 * width)
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w) logits for images (N, channels, H, W) in [0, 1].

        h is H / 2**depth - 2, rounded down, and w likewise.

        Raises:
            ValueError: other channels, or images too small for a single logit.
        """
        smallest = 3 * 2**self.depth
        if x.dim() != 4 or x.shape[1] != self.channels or min(x.shape[2:]) < smallest:
            raise ValueError(
                f"This discriminator takes (N, {self.channels}, H, W) of at least {smallest} "
                f"pixels a side; these are {tuple(x.shape)}."
            )
        return self.layers(2 * x - 1).squeeze(1)


class ResidualGenerator(nn.Module):
    """An image -> an image of the same size in [0, 1], through residual blocks on a coarse grid.

    In the notation of Zhu, Park, Isola and Efros (2017), after Johnson, Alahi and Fei-Fei (2016),
    for two halvings of height and width: c7s1-w, d2w, d4w, then `blocks` times R4w, then u2w, uw,
    c7s1-3. c7s1 is a convolution with a kernel of 7; d one with a kernel of 3 and stride 2; R a
    residual block of two convolutions with kernels of 3; u a transposed convolution that doubles
    height and width. All but the last are followed by instance normalisation and, except at the
    end of a block, ReLU. Convolutions of stride 1 have reflection padding. The paper has width 64,
    two halvings and, for images of 256, nine blocks.

    The layers work on [-1, 1], as in the paper, and end in tanh; the input is mapped to that range
    and the output back. Each image is normalised by itself, in training and afterwards, so that
    the result does not depend on the other images of its batch.

    Args:
        channels: channels of the images, before and after.
        width: channels at the full size; every halving doubles them.
        blocks: residual blocks at the coarsest size.
        halvings: how often height and width are halved.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> ResidualGenerator(blocks=3)(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(self, channels: int = 3, width: int = 16, blocks: int = 3, halvings: int = 2):
        super().__init__()
        check_sizes(channels=channels, width=width, blocks=blocks, halvings=halvings)
        self.channels, self.halvings = channels, halvings
        widths = [width * 2**number for number in range(halvings + 1)]
        layers = [_reflected(channels, width, 7), nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]
        for fine, coarse in zip(widths, widths[1:]):
            down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
            layers += [down, nn.InstanceNorm2d(coarse), nn.ReLU(inplace=True)]
        layers += [_ReflectedBlock(widths[-1]) for _ in range(blocks)]
        for coarse, fine in zip(widths[:0:-1], widths[-2::-1]):
            up = nn.ConvTranspose2d(coarse, fine, 3, stride=2, padding=1, output_padding=1)
            layers += [up, nn.InstanceNorm2d(fine), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, _reflected(width, channels, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) in [0, 1] for images of that shape and range.

        Raises:
            ValueError: other channels, or a size that cannot be halved so often or is too small.
        """
        whole = 2**self.halvings
        smallest = max(2 * whole, 4)  # reflection needs one pixel more than it adds
        sides = x.shape[2:]
        if (
            x.dim() != 4
            or x.shape[1] != self.channels
            or min(sides) < smallest
            or any(side % whole for side in sides)
        ):
            raise ValueError(
                f"This generator takes (N, {self.channels}, H, W) with H and W multiples of "
                f"{whole} and at least {smallest}; these are {tuple(x.shape)}."
            )
        return (self.layers(2 * x - 1) + 1) / 2


class _ReflectedBlock(nn.Module):
    """R of the residual generator: x + f(x), f two convolutions, nothing after the sum."""

    def __init__(self, width: int):
        super().__init__()
        self.change = nn.Sequential(
            _reflected(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(inplace=True),
            _reflected(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


def _reflected(before: int, after: int, kernel: int) -> nn.Conv2d:
    """A convolution with reflection padding that keeps the size."""
    return nn.Conv2d(before, after, kernel, padding=kernel // 2, padding_mode="reflect")
