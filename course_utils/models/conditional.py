"""The DCGAN's generator and discriminator, conditioned on y (Mirza and Osindero 2014)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .dcgan import Discriminator, Generator
from .sizes import check_sizes


class ConditionalGenerator(nn.Module):
    """Latent variables z and a condition y -> an image of 32 × 32 in [0, 1]: G(z|y).

    z and y are concatenated, and the rest is the `Generator`. Its first layer computes
    W [z, y] = W_z z + W_y y, so that a one-hot y adds one learnt grid per class.

    Args:
        latent: how many latent dimensions.
        condition: how many dimensions y has.
        channels: colours of an image.
        width: channels at the finest level.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> y = nn.functional.one_hot(torch.tensor([3, 7]), 10).float()
        >>> ConditionalGenerator(latent=16, condition=10)(torch.randn(2, 16), y).shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(self, latent: int = 32, condition: int = 10, channels: int = 3, width: int = 32):
        super().__init__()
        check_sizes(latent=latent, condition=condition)
        self.latent, self.condition = latent, condition
        self.draw = Generator(latent + condition, channels, width)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """(N, channels, 32, 32) in [0, 1] for z (N, latent) and y (N, condition).

        Raises:
            ValueError: z or y has another shape.
        """
        if len(z) != len(y) or z.shape[1:] != (self.latent,) or y.shape[1:] != (self.condition,):
            raise ValueError(
                f"This generator takes z (N, {self.latent}) and y (N, {self.condition}); these "
                f"are {tuple(z.shape)} and {tuple(y.shape)}."
            )
        return self.draw(torch.cat([z, y], dim=1))


class ConditionalDiscriminator(nn.Module):
    """An image x of 32 × 32 and a condition y -> one logit, above 0 for "x is real, and fits y".

    The optimal logit of a pair has two parts,

        log p(x, y) / q(x, y) = log p(x) / q(x) + log p(y|x) / q(y|x):

    whether x is real, and whether x fits y. From the features h(x) of the `Discriminator`, the
    first part is a weighted sum w·h(x) + b, and the second the inner product h(x)·Vy with an
    embedding of y (Miyato and Koyama 2018, the projection discriminator).

    Args:
        condition: how many dimensions y has.
        channels: colours of an image.
        width: channels after the first convolution.
        normalise: batch normalisation after the second and third convolution.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> y = nn.functional.one_hot(torch.tensor([3, 7]), 10).float()
        >>> ConditionalDiscriminator(condition=10)(torch.rand(2, 3, 32, 32), y).shape
        torch.Size([2])
    """

    def __init__(
        self, condition: int = 10, channels: int = 3, width: int = 32, normalise: bool = True
    ):
        super().__init__()
        check_sizes(condition=condition)
        layers = Discriminator(channels, width, normalise).layers
        self.condition, self.channels = condition, channels
        self.features, self.realistic = layers[:-1], layers[-1]
        self.fitting = nn.Linear(condition, self.realistic.in_features, bias=False)
        nn.init.normal_(self.fitting.weight, std=0.02)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N,) logits for images x (N, channels, 32, 32) in [0, 1] and y (N, condition).

        Raises:
            ValueError: x or y has another shape.
        """
        if len(x) != len(y) or x.shape[1:] != (self.channels, 32, 32):
            raise ValueError(
                f"This discriminator takes (N, {self.channels}, 32, 32) images and as many "
                f"conditions; these are {tuple(x.shape)} and {tuple(y.shape)}."
            )
        if y.shape[1:] != (self.condition,):
            raise ValueError(
                f"A condition is (N, {self.condition}) here; these are {tuple(y.shape)}."
            )
        h = self.features(2 * x - 1)
        return self.realistic(h).squeeze(1) + (h * self.fitting(y)).sum(dim=1)
