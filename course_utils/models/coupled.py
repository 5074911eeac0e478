"""Coupled GANs for pairs of images from unpaired domains (Liu and Tuzel 2016)."""

from __future__ import annotations

from torch import Tensor, nn

from .dcgan import _initialise
from .sizes import check_sizes


class CoupledGenerator(nn.Module):
    """Two generators with shared first layers: latent variables z -> a pair of 32 × 32 images.

    Each generator has the four layers of `Generator`. The first `shared` of them are the same
    layers in both, so that both images are made of the same features on a coarse grid; the last
    layers, which draw the details, are each domain's own. With `shared=0` these are two generators
    that have nothing but z in common.

    Args:
        latent: how many latent dimensions.
        channels: colours of an image.
        width: channels at the finest level; each coarser one doubles them.
        shared: how many of the four layers are shared, 0 to 3.

    Raises:
        ValueError: a size that is not a whole number of at least 1, or `shared` is not 0 to 3.

    Example:
        >>> import torch
        >>> x, y = CoupledGenerator(latent=32)(torch.randn(4, 32))
        >>> x.shape, y.shape
        (torch.Size([4, 3, 32, 32]), torch.Size([4, 3, 32, 32]))
    """

    def __init__(self, latent: int = 32, channels: int = 3, width: int = 32, shared: int = 2):
        super().__init__()
        check_sizes(latent=latent, channels=channels, width=width)
        self.latent = latent

        def layers() -> list[nn.Module]:
            first = nn.Linear(latent, 4 * width * 4 * 4, bias=False)
            return [
                nn.Sequential(first, nn.Unflatten(1, (4 * width, 4, 4)), *_normalised(4 * width)),
                nn.Sequential(_double(4 * width, 2 * width), *_normalised(2 * width)),
                nn.Sequential(_double(2 * width, width), *_normalised(width)),
                nn.Sequential(
                    nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1), nn.Sigmoid()
                ),
            ]

        shared = _share(shared)
        self.shared = nn.Sequential(*layers()[:shared])
        self.own = nn.ModuleList(nn.Sequential(*layers()[shared:]) for _ in range(2))
        self.apply(_initialise)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Two times (N, channels, 32, 32) in [0, 1] for latent variables z (N, latent).

        Raises:
            ValueError: z has another shape.
        """
        if z.dim() != 2 or z.shape[1] != self.latent:
            raise ValueError(
                f"This generator takes (N, {self.latent}) latent variables; these are "
                f"{tuple(z.shape)}."
            )
        features = self.shared(z)
        x, y = (own(features) for own in self.own)
        return x, y


class CoupledDiscriminator(nn.Module):
    """Two discriminators with shared last layers: an image of each domain -> a logit for each.

    Each has the four layers of `Discriminator`. The first layers, which look at details, are each
    domain's own, and the last `shared` ones are the same layers in both. The two images need not be
    a pair: each logit depends on images of one domain only.

    Args:
        channels: colours of an image.
        width: channels after the first convolution; each further one doubles them.
        shared: how many of the four layers are shared, 0 to 3.
        normalise: batch normalisation after the second and third convolution; in training its
            statistics are those of the images of one domain.

    Raises:
        ValueError: a size that is not a whole number of at least 1, or `shared` is not 0 to 3.

    Example:
        >>> import torch
        >>> on_x, on_y = CoupledDiscriminator()(torch.rand(4, 3, 32, 32), torch.rand(4, 3, 32, 32))
        >>> on_x.shape, on_y.shape
        (torch.Size([4]), torch.Size([4]))
    """

    def __init__(self, channels: int = 3, width: int = 32, shared: int = 2, normalise: bool = True):
        super().__init__()
        check_sizes(channels=channels, width=width)
        self.channels = channels
        norm = nn.BatchNorm2d if normalise else lambda _: nn.Identity()

        def layers() -> list[nn.Module]:
            return [
                nn.Sequential(_halve(channels, width), nn.LeakyReLU(0.2)),
                nn.Sequential(_halve(width, 2 * width), norm(2 * width), nn.LeakyReLU(0.2)),
                nn.Sequential(_halve(2 * width, 4 * width), norm(4 * width), nn.LeakyReLU(0.2)),
                nn.Sequential(nn.Flatten(), nn.Linear(4 * width * 4 * 4, 1)),
            ]

        own = 4 - _share(shared)
        self.own = nn.ModuleList(nn.Sequential(*layers()[:own]) for _ in range(2))
        self.shared = nn.Sequential(*layers()[own:])
        self.apply(_initialise)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(N,) and (M,) logits for images (N, channels, 32, 32) and (M, channels, 32, 32).

        Raises:
            ValueError: images of another shape.
        """
        for images in (x, y):
            if images.dim() != 4 or images.shape[1:] != (self.channels, 32, 32):
                raise ValueError(
                    f"This discriminator takes (N, {self.channels}, 32, 32) images; these are "
                    f"{tuple(images.shape)}."
                )
        on_x, on_y = (
            self.shared(own(2 * images - 1)).squeeze(1)
            for own, images in zip(self.own, (x, y), strict=True)
        )
        return on_x, on_y


def _share(shared: int) -> int:
    if not isinstance(shared, int) or isinstance(shared, bool) or not 0 <= shared <= 3:
        raise ValueError(f"shared is {shared!r}; of the four layers 0 to 3 can be shared.")
    return shared


def _normalised(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()


def _double(before: int, after: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)


def _halve(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 4, stride=2, padding=1)
