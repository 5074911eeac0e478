"""A picture in, a picture out, and a critic of patches (Isola, Zhu, Zhou and Efros 2017)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .grids import double, halve
from .sizes import check_sizes


class UNet(nn.Module):
    """A picture -> another of the same size, in [0, 1]: the way down, the way up, and bridges.

    Three strided convolutions halve height and width, three transposed ones double them again.
    At every size what the way down had there is put beside what comes up, and at the full size
    the given picture itself, so that a line need not pass through the coarse grid (Ronneberger,
    Fischer and Brox 2015). Kernels of 4 with stride 2, as in the `Generator`.

    Args:
        channels: channels of the picture that is given.
        colours: channels of the picture that is drawn.
        width: channels at the full size; the coarser grids have 2, 3 and 4 times as many.
    """

    def __init__(self, channels: int = 1, colours: int = 3, width: int = 8):
        super().__init__()
        check_sizes(channels=channels, colours=colours, width=width)
        self.channels = channels
        fine, middle, coarse = 2 * width, 3 * width, 4 * width
        self.down = nn.ModuleList(
            [halve(channels, fine), halve(fine, middle), halve(middle, coarse)]
        )
        self.up = nn.ModuleList(
            [double(coarse, middle), double(2 * middle, fine), double(2 * fine, width)]
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
        seen = [x]
        for down in self.down:
            seen.append(down(seen[-1]))
        drawn = seen.pop()
        for up in self.up:
            drawn = torch.cat([up(drawn), seen.pop()], dim=1)
        return self.leave(drawn)


class PatchDiscriminator(nn.Module):
    """A picture -> a map of logits, one for every patch: above 0 it is taken for a real one.

    `depth` convolutions with stride 2, one with stride 1 and a last one that gives the logit, all
    with kernels of 4, followed by LeakyReLU with slope 0.2 and, but for the first and the last,
    by a normalisation. A logit sees a square of 16 pixels at depth 1, of 34 at depth 2 and of 70
    at depth 3, the one that the paper prefers for pictures of 256; what lies outside cannot
    change it. No sigmoid: the loss works on the logits.

    To judge a pair, give both pictures as one, their channels joined.

    Args:
        channels: channels of what is judged.
        width: channels after the first convolution; each further one doubles them, up to 8 times.
        depth: how many convolutions halve height and width.
        norm: channels -> the normalisation. One over each picture (`nn.InstanceNorm2d`) or over
            the batch joins distant patches a little while training.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 32,
        depth: int = 2,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
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
        """(N, h, w) logits for pictures (N, channels, H, W) in [0, 1].

        h is H / 2**depth - 2, rounded down, and w likewise.

        Raises:
            ValueError: other channels, or pictures too small for a single logit.
        """
        smallest = 3 * 2**self.depth
        if x.dim() != 4 or x.shape[1] != self.channels or min(x.shape[2:]) < smallest:
            raise ValueError(
                f"This discriminator takes (N, {self.channels}, H, W) of at least {smallest} "
                f"pixels a side; these are {tuple(x.shape)}."
            )
        return self.layers(2 * x - 1).squeeze(1)
