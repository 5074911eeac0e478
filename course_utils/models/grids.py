"""The two steps between grids of pixels that encoders and decoders of pictures are made of."""

from __future__ import annotations

from torch import nn


def halve(channels: int, features: int) -> nn.Sequential:
    """(N, channels, H, W) -> (N, features, H / 2, W / 2): a strided convolution, BN, SiLU."""
    return nn.Sequential(
        nn.Conv2d(channels, features, 4, 2, padding=1), nn.BatchNorm2d(features), nn.SiLU()
    )


def double(channels: int, features: int) -> nn.Sequential:
    """(N, channels, H, W) -> (N, features, 2 H, 2 W): a transposed convolution, BN, SiLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(channels, features, 4, 2, padding=1),
        nn.BatchNorm2d(features),
        nn.SiLU(),
    )
