"""Variational autoencoders (Kingma and Welling 2014; Rezende et al. 2014)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .sizes import check_sizes


class VariationalAutoencoder(nn.Module):
    """Encoder X -> R^2d (means and log variances) and decoder R^d -> X, as in lecture 4.

    The decoder returns logits; `decode` turns them into images in [0, 1].

    Args:
        latent: d, how many latent dimensions.
        hidden: units of the hidden layer of the encoder, and of the decoder.
        shape: (C, H, W) of an image.

    Example:
        >>> logits, mu, logvar = VariationalAutoencoder(latent=2)(torch.rand(4, 1, 28, 28))
        >>> logits.shape, mu.shape
        (torch.Size([4, 1, 28, 28]), torch.Size([4, 2]))
    """

    def __init__(self, latent: int, hidden: int = 400, shape: tuple[int, int, int] = (1, 28, 28)):
        super().__init__()
        self._build(latent, hidden, shape, layers=1, activation=nn.ReLU)

    def _build(self, latent, hidden, shape, layers: int, activation: type[nn.Module]) -> None:
        """Encoder and decoder with so many hidden layers of equal width."""
        check_sizes(latent=latent, hidden=hidden)
        self.latent = latent
        self.shape = tuple(shape)
        pixels = math.prod(shape)
        widths = [hidden] * layers
        self.encoder = nn.Sequential(
            nn.Flatten(), *_linear([pixels, *widths, 2 * latent], activation)
        )
        self.decoder = nn.Sequential(
            *_linear([latent, *widths, pixels], activation), nn.Unflatten(1, self.shape)
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), each (N, latent), for images (N, C, H, W) in [0, 1]."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of p(x|z), (N, C, H, W) in [0, 1], for codes (N, latent)."""
        return self.decoder(z).sigmoid()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, C, H, W) of the reconstruction from one z ~ q(z|x), and μ and log σ²."""
        mu, logvar = self.encode(x)
        z = mu + (0.5 * logvar).exp() * torch.randn_like(mu)
        return self.decoder(z), mu, logvar


class ConvolutionalVAE(VariationalAutoencoder):
    """A VAE with strided convolutions in the encoder and transposed ones in the decoder.

    Sharing weights over positions makes it several times smaller than a fully connected network
    of equal quality, which is why the weights that ship with the course are of this kind. It has
    SiLU instead of ReLU: in networks this narrow some ReLUs stay at 0 from early on, and some
    latent dimensions become inactive with them.

    Args:
        latent: d, how many latent dimensions.
        width: channels after the first convolution; each further one doubles them.
        hidden: units of the fully connected layer of the encoder, and of the decoder.
        halvings: how many strided convolutions, each halving height and width.
        shape: (C, H, W) of an image; H and W must be divisible by 2 to the power of `halvings`.

    Raises:
        ValueError: images that cannot be halved so often.

    Example:
        >>> mu, logvar = ConvolutionalVAE(latent=10).encode(torch.rand(4, 1, 28, 28))
        >>> mu.shape, logvar.shape
        (torch.Size([4, 10]), torch.Size([4, 10]))
    """

    def __init__(
        self,
        latent: int,
        width: int = 16,
        hidden: int = 64,
        halvings: int = 2,
        shape: tuple[int, int, int] = (1, 28, 28),
    ):
        nn.Module.__init__(self)
        check_sizes(latent=latent, width=width, hidden=hidden, halvings=halvings)
        colours, height, across = shape
        shrunk = 2**halvings
        if height % shrunk or across % shrunk:
            raise ValueError(
                f"Images of {height}×{across} cannot be halved {halvings} times; "
                f"crop or resize them to a multiple of {shrunk}."
            )
        self.latent = latent
        self.shape = tuple(shape)
        channels = [colours, *(width * 2**level for level in range(halvings))]
        grid = (channels[-1], height // shrunk, across // shrunk)
        down, up = [], []
        for fine, coarse in zip(channels, channels[1:]):
            down += [nn.Conv2d(fine, coarse, 4, stride=2, padding=1), nn.SiLU()]
            up = [nn.SiLU(), nn.ConvTranspose2d(coarse, fine, 4, stride=2, padding=1), *up]
        self.encoder = nn.Sequential(
            *down,
            nn.Flatten(),
            nn.Linear(math.prod(grid), hidden),
            nn.SiLU(),
            nn.Linear(hidden, 2 * latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.SiLU(),
            nn.Linear(hidden, math.prod(grid)),
            nn.Unflatten(1, grid),
            *up,
        )


class TwoLayerVAE(VariationalAutoencoder):
    """The VAE of Burda, Grosse and Salakhutdinov (2016) with one layer of latent variables.

    Two tanh layers in the encoder and two in the decoder, with Glorot's first weights, as in their
    paper (50 latent dimensions, 200 units).

    Args:
        latent: d, how many latent dimensions.
        hidden: units of every hidden layer.
        shape: (C, H, W) of an image.

    Example:
        >>> mu, logvar = TwoLayerVAE().encode(torch.rand(4, 1, 28, 28))
        >>> mu.shape, logvar.shape
        (torch.Size([4, 50]), torch.Size([4, 50]))
    """

    def __init__(
        self, latent: int = 50, hidden: int = 200, shape: tuple[int, int, int] = (1, 28, 28)
    ):
        nn.Module.__init__(self)
        self._build(latent, hidden, shape, layers=2, activation=nn.Tanh)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)


def _linear(sizes: list[int], activation: type[nn.Module]) -> list[nn.Module]:
    """Linear layers from each size to the next, with the activation between them."""
    layers: list[nn.Module] = []
    for before, after in zip(sizes, sizes[1:]):
        layers += [nn.Linear(before, after), activation()]
    return layers[:-1]
