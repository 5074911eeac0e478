"""The layers that halve and double a grid of pixels, of which encoders and decoders consist."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

Norm = Callable[[int], nn.Module]  # channels -> a normalisation of them


def halve(channels: int, features: int, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """(N, channels, H, W) -> (N, features, H / 2, W / 2): strided convolution, norm, SiLU."""
    return nn.Sequential(nn.Conv2d(channels, features, 4, 2, padding=1), norm(features), nn.SiLU())


def double(channels: int, features: int, norm: Norm = nn.BatchNorm2d) -> nn.Sequential:
    """(N, channels, H, W) -> (N, features, 2 H, 2 W): transposed convolution, norm, SiLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(channels, features, 4, 2, padding=1), norm(features), nn.SiLU()
    )
