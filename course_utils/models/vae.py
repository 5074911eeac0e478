"""Variational autoencoders (Kingma and Welling 2014; Rezende et al. 2014)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class VariationalAutoencoder(nn.Module):
    """Encoder X -> R^2d (means and log variances) and decoder R^d -> X, as in lecture 4.

    The decoder returns logits; `decode` turns them into pictures in [0, 1].

    Args:
        latent: how many latent numbers, d.
        hidden: units of the one hidden layer on each side.
        shape: (C, H, W) of a picture.
    """

    def __init__(self, latent: int, hidden: int = 400, shape: tuple[int, int, int] = (1, 28, 28)):
        super().__init__()
        self.latent = latent
        self.shape = tuple(shape)
        pixels = math.prod(shape)
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(pixels, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.ReLU(),
            nn.Linear(hidden, pixels),
            nn.Unflatten(1, self.shape),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), each (N, latent), for pictures (N, C, H, W) in [0, 1]."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The mean picture of p(x|z), (N, C, H, W) in [0, 1], for codes (N, latent)."""
        return self.decoder(z).sigmoid()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the reconstruction from one drawn code, μ and log σ²."""
        mu, logvar = self.encode(x)
        z = mu + (0.5 * logvar).exp() * torch.randn_like(mu)
        return self.decoder(z), mu, logvar


class ConvolutionalVAE(VariationalAutoencoder):
    """The same with strided convolutions down and transposed convolutions up.

    Two halvings for 28×28 or 32×32 pictures leave 7×7 or 8×8 positions; sharing weights over
    positions makes it several times smaller than a fully connected network of equal quality,
    which is why the weights that ship with the course are of this kind.

    Args:
        latent: how many latent numbers, d.
        width: channels after the first convolution; the second has twice as many.
        hidden: units of the fully connected layer on each side.
        shape: (C, H, W) of a picture; H and W must be divisible by 4.
    """

    def __init__(
        self,
        latent: int,
        width: int = 24,
        hidden: int = 64,
        shape: tuple[int, int, int] = (1, 28, 28),
    ):
        nn.Module.__init__(self)
        channels, height, wide = shape
        if height % 4 or wide % 4:
            raise ValueError(
                f"Pictures of {height}×{wide} cannot be halved twice; "
                "crop or resize them to a multiple of 4."
            )
        self.latent = latent
        self.shape = tuple(shape)
        grid = (2 * width, height // 4, wide // 4)
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(math.prod(grid), hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.ReLU(),
            nn.Linear(hidden, math.prod(grid)),
            nn.ReLU(),
            nn.Unflatten(1, grid),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        )
