"""The DCGAN's generator conditioned on y (Mirza and Osindero 2014), and three discriminators.

They differ in how the condition enters: y is concatenated to the input, or projected onto the
features of the image, or predicted by an auxiliary classifier.
"""

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


class ConcatenationDiscriminator(nn.Module):
    """An image x of 32 × 32 and a condition y -> one logit: y is part of the input.

    Every dimension of y becomes a constant channel beside those of x, and the rest is the
    `Discriminator` (Mirza and Osindero 2014 concatenate in a fully connected network).

    Args:
        condition: how many dimensions y has.
        channels: colours of an image.
        width: channels after the first convolution.
        normalise: batch normalisation after the second and third convolution.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> y = nn.functional.one_hot(torch.tensor([3, 7]), 10).float()
        >>> ConcatenationDiscriminator(condition=10)(torch.rand(2, 3, 32, 32), y).shape
        torch.Size([2])
    """

    def __init__(
        self, condition: int = 10, channels: int = 3, width: int = 32, normalise: bool = True
    ):
        super().__init__()
        check_sizes(condition=condition, channels=channels)
        self.condition, self.channels = condition, channels
        self.joint = Discriminator(channels + condition, width, normalise)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N,) logits for images x (N, channels, 32, 32) in [0, 1] and y (N, condition).

        Raises:
            ValueError: x or y has another shape.
        """
        _check_pair(x, y, self.channels, self.condition)
        planes = y[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return self.joint(torch.cat([x, planes], dim=1))


class ProjectionDiscriminator(nn.Module):
    """An image x of 32 × 32 and a condition y -> one logit, above 0 for "x is real, and fits y".

    The optimal logit of a pair has two parts,

        log p(x, y) / q(x, y) = log p(x) / q(x) + log p(y|x) / q(y|x):

    whether x is real, and whether x fits y. From the features h(x) of the `Discriminator`, the
    first part is a weighted sum w·h(x) + b, and the second the inner product h(x)·Vy with an
    embedding of y (Miyato and Koyama 2018).

    Args:
        condition: how many dimensions y has.
        channels: colours of an image.
        width: channels after the first convolution.
        normalise: batch normalisation after the second and third convolution.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> y = nn.functional.one_hot(torch.tensor([3, 7]), 10).float()
        >>> ProjectionDiscriminator(condition=10)(torch.rand(2, 3, 32, 32), y).shape
        torch.Size([2])
    """

    def __init__(
        self, condition: int = 10, channels: int = 3, width: int = 32, normalise: bool = True
    ):
        super().__init__()
        check_sizes(condition=condition)
        self.condition, self.channels = condition, channels
        self.features, self.source = _features_and_source(channels, width, normalise)
        self.embedding = nn.Linear(condition, self.source.in_features, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N,) logits for images x (N, channels, 32, 32) in [0, 1] and y (N, condition).

        Raises:
            ValueError: x or y has another shape.
        """
        _check_pair(x, y, self.channels, self.condition)
        h = self.features(2 * x - 1)
        return self.source(h).squeeze(1) + (h * self.embedding(y)).sum(dim=1)


class AuxiliaryClassifierDiscriminator(nn.Module):
    """An image x of 32 × 32 -> a logit for "x is real", and logits of its class.

    The discriminator of an AC-GAN (Odena, Olah and Shlens 2017) is not given the label. It predicts
    the label, from the same features h(x) as the source, real or generated.

    Args:
        classes: how many classes there are.
        channels: colours of an image.
        width: channels after the first convolution.
        normalise: batch normalisation after the second and third convolution.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> source, labels = AuxiliaryClassifierDiscriminator()(torch.rand(2, 3, 32, 32))
        >>> source.shape, labels.shape
        (torch.Size([2]), torch.Size([2, 10]))
    """

    def __init__(
        self, classes: int = 10, channels: int = 3, width: int = 32, normalise: bool = True
    ):
        super().__init__()
        check_sizes(classes=classes)
        self.channels = channels
        self.features, self.source = _features_and_source(channels, width, normalise)
        self.labels = nn.Linear(self.source.in_features, classes)
        nn.init.normal_(self.labels.weight, std=0.02)
        nn.init.zeros_(self.labels.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) and (N, classes) logits for images x (N, channels, 32, 32) in [0, 1].

        Raises:
            ValueError: x has another shape.
        """
        if x.shape[1:] != (self.channels, 32, 32):
            raise ValueError(
                f"This discriminator takes (N, {self.channels}, 32, 32) images; these are "
                f"{tuple(x.shape)}."
            )
        h = self.features(2 * x - 1)
        return self.source(h).squeeze(1), self.labels(h)


def _features_and_source(channels: int, width: int, normalise: bool):
    """The layers of a `Discriminator` up to its features h(x), and the last one, for the source."""
    layers = Discriminator(channels, width, normalise).layers
    return layers[:-1], layers[-1]


def _check_pair(x: Tensor, y: Tensor, channels: int, condition: int) -> None:
    if len(x) != len(y) or x.shape[1:] != (channels, 32, 32):
        raise ValueError(
            f"This discriminator takes (N, {channels}, 32, 32) images and as many conditions; "
            f"these are {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if y.shape[1:] != (condition,):
        raise ValueError(f"A condition is (N, {condition}) here; these are {tuple(y.shape)}.")
