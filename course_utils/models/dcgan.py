"""A deep convolutional GAN for small images (Radford, Metz and Chintala 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from .sizes import check_sizes


class Generator(nn.Module):
    """The generator G: latent variables z -> an image of 32 × 32 in [0, 1].

    A linear layer makes a 4 × 4 grid of 4 · width channels. Three transposed convolutions double
    height and width, the first two halving the channels. Batch normalisation and ReLU follow
    every layer but the last, which ends in a sigmoid. (The paper's images are in [-1, 1] and
    end in tanh, which is the same curve, shifted and scaled.)

    A kernel of 4 with stride 2 gives every pixel the same number of contributions of the kernel,
    which avoids checkerboard artifacts (Odena et al. 2016).

    Args:
        latent: how many latent dimensions.
        channels: colours of an image.
        width: channels at the finest level; each coarser one doubles them.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> Generator(latent=32)(torch.randn(4, 32)).shape
        torch.Size([4, 3, 32, 32])
    """

    def __init__(self, latent: int = 32, channels: int = 3, width: int = 32):
        super().__init__()
        check_sizes(latent=latent, channels=channels, width=width)
        self.latent = latent
        self.layers = nn.Sequential(
            nn.Linear(latent, 4 * width * 4 * 4, bias=False),
            nn.Unflatten(1, (4 * width, 4, 4)),
            nn.BatchNorm2d(4 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )
        self.apply(_initialise)

    def forward(self, z: Tensor) -> Tensor:
        """(N, channels, 32, 32) in [0, 1] for latent variables z (N, latent).

        Raises:
            ValueError: z has another shape.
        """
        if z.dim() != 2 or z.shape[1] != self.latent:
            raise ValueError(
                f"This generator takes (N, {self.latent}) latent variables; these are "
                f"{tuple(z.shape)}."
            )
        return self.layers(z)


class Discriminator(nn.Module):
    """The discriminator D: an image of 32 × 32 in [0, 1] -> one logit, above 0 for "real".

    Three strided convolutions halve height and width while the channels grow, each followed by
    LeakyReLU with slope 0.2; a linear layer makes the logit. There is no sigmoid: the loss takes
    the logit, from which it can be computed exactly.

    Args:
        channels: colours of an image.
        width: channels after the first convolution; each further one doubles them.
        normalise: batch normalisation after the second and third convolution, as in the paper.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> Discriminator()(torch.rand(4, 3, 32, 32)).shape
        torch.Size([4])
    """

    def __init__(self, channels: int = 3, width: int = 32, normalise: bool = True):
        super().__init__()
        check_sizes(channels=channels, width=width)
        self.channels = channels
        norm = nn.BatchNorm2d if normalise else lambda _: nn.Identity()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=not normalise),
            norm(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1, bias=not normalise),
            norm(4 * width),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(4 * width * 4 * 4, 1),
        )
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """(N,) logits for images (N, channels, 32, 32) in [0, 1].

        Raises:
            ValueError: x has another shape.
        """
        if x.dim() != 4 or x.shape[1:] != (self.channels, 32, 32):
            raise ValueError(
                f"This discriminator takes (N, {self.channels}, 32, 32) images; these are "
                f"{tuple(x.shape)}."
            )
        return self.layers(2 * x - 1).squeeze(1)


def _initialise(layer: nn.Module) -> None:
    """Weights from N(0, 0.02²), scales of batch normalisation from N(1, 0.02²), as in the paper."""
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, mean=1.0, std=0.02)
